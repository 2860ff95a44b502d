"""A LoRA adapter: a few small matrices that change what a BERT computes, saved apart from it."""

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.machine.files import disk_errors, whole_folder
from imdb_tutorial.machine.manifest import (
    encoder_fingerprint,
    read_manifest,
    verify_folder,
    write_manifest,
)
from imdb_tutorial.probe import PROBE_FILE

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_FILE = "adapter_model.safetensors"


def save_adapter(model: "PeftModel", folder: str | os.PathLike) -> None:
    """Save an adapter, without the model that it adapts, in half precision.

    Args:
        model: What ``peft.get_peft_model`` made.
        folder: Where to write; made if it does not exist. An adapter that was there is replaced,
            a probe beside it is kept.

    Raises:
        FileExistsError: The folder holds something that is neither.
        OSError: The disk refuses; what was there before is kept.
    """
    from safetensors.torch import save

    weights = {
        name: tensor.to(torch.float16).contiguous().cpu()
        for name, tensor in _adapter_weights(model).items()
    }
    config = model.peft_config[model.active_adapter].to_dict()
    # The folder that the model was loaded from is a matter of this machine.
    config |= {"base_model_name_or_path": None, "inference_mode": True}
    text = json.dumps(config, indent=1, sort_keys=True, default=sorted)
    base = encoder_fingerprint(str(model.get_base_model().name_or_path))
    folder = Path(folder)
    with disk_errors(folder), whole_folder(folder, ADAPTER_FILE, PROBE_FILE) as partial:
        if folder.is_dir():
            shutil.copytree(folder, partial, dirs_exist_ok=True)
        (partial / ADAPTER_FILE).write_bytes(save(weights, metadata={"format": "pt"}))
        (partial / ADAPTER_CONFIG).write_text(text + "\n", encoding="utf-8")
        write_manifest(partial, (ADAPTER_FILE, ADAPTER_CONFIG), base)


def apply_adapter(encoder: "PreTrainedModel", folder: str | os.PathLike) -> "PreTrainedModel":
    """Add an adapter to the weights of the model that it was trained on.

    Args:
        encoder: That model; its weights are changed.
        folder: Where ``save_adapter`` wrote.

    Returns:
        The encoder, frozen, with the adapter's matrices added to its own (Hu et al., 2021).

    Raises:
        ValueError: The files are damaged, or belong to another model.
    """
    from peft import PeftModel
    from safetensors import SafetensorError, safe_open

    try:
        for name in (ADAPTER_CONFIG, ADAPTER_FILE):
            if not (Path(folder) / name).is_file():
                raise ValueError(f"no {name}")  # peft would ask the hub for it
        verify_folder(Path(folder))
        trained_on = (read_manifest(Path(folder)) or {}).get("encoder_fingerprint")
        found = encoder_fingerprint(encoder.name_or_path or "")
        if None not in (trained_on, found) and trained_on != found:
            raise ValueError(f"{encoder.name_or_path!r} is another encoder")
        with warnings.catch_warnings():
            # peft still asks transformers for a property under its old name.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            model = PeftModel.from_pretrained(encoder, os.fspath(folder))
        with safe_open(Path(folder) / ADAPTER_FILE, framework="pt") as opened:
            odd = set(opened.keys()) ^ set(_adapter_weights(model))
        if odd:  # peft would leave it out, or go on with a random one
            raise ValueError(f"{min(odd)} is missing or left over")
        adapted = model.merge_and_unload()
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"the adapter in {os.fspath(folder)!r} is damaged or was trained on another model "
            f"({error}): use the encoder that it was trained on"
        ) from error
    return adapted.requires_grad_(False).eval()


def _adapter_weights(model: "PeftModel") -> dict[str, torch.Tensor]:
    from peft import get_peft_model_state_dict

    # Left to itself, peft asks the hub whether the base model's vocabulary was changed.
    return get_peft_model_state_dict(model, save_embedding_layers=False)
