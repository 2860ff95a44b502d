"""LoRA at nearly the price of no LoRA: frozen weights in short numbers, small matrices in float32.

peft computes ``x W' + (x A') B'`` with three products, and autocast shortens the weights anew in
every step. Here the small matrices are added to the weights once a step, in float32, and the sum is
shortened; so the way forward is one product, and the way back has thin ones in addition. What is
saved is a peft adapter like any other.
"""

import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from imdb_tutorial import load_encoder
from imdb_tutorial.classifier.adapter import ADAPTER_FILE, save_adapter


class LoraLinear(nn.Module):
    """A linear layer whose weights stay, and two small matrices that learn (Hu et al., 2021).

    Args:
        linear: The layer, in float32.
        rank: Rows of the one small matrix and columns of the other.
        scale: What their product is multiplied by.
        dtype: The precision of the arithmetic.
    """

    def __init__(self, linear: nn.Linear, rank: int, scale: float, dtype: torch.dtype):
        super().__init__()
        self.frozen = linear.weight.detach().float()  # [out, in]
        self.bias = linear.bias.detach().to(dtype)  # [out]
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))  # in peft: lora_A
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))  # in peft: lora_B
        nn.init.kaiming_uniform_(self.down, a=5**0.5)  # as in peft
        self.scale, self.dtype = scale, dtype
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Add the small matrices to the weights; call it after every change of them."""
        merged = torch.addmm(self.frozen, self.up, self.down, alpha=self.scale)  # [out, in]
        self.merged = merged.to(self.dtype)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``[..., in]``."""
        return _Merged.apply(inputs, self.down, self.up, self.merged, self.bias, self.scale)


class _Merged(torch.autograd.Function):
    """One product forward; gradients of the inputs and of the small matrices alone."""

    @staticmethod
    def forward(ctx, inputs, down, up, merged, bias, scale):
        ctx.save_for_backward(inputs, down, up, merged)
        ctx.scale = scale
        return F.linear(inputs, merged, bias)

    @staticmethod
    def backward(ctx, gradient):
        inputs, down, up, merged = ctx.saved_tensors
        flat, short = gradient.flatten(0, -2), gradient.dtype  # [tokens, out]
        tokens = inputs.flatten(0, -2)  # [tokens, in]
        narrow = flat @ up.to(short)  # [tokens, rank]
        to_down = (narrow.mT @ tokens).float() * ctx.scale  # [rank, in]
        to_up = (flat.mT @ (tokens @ down.to(short).mT)).float() * ctx.scale  # [out, rank]
        to_inputs = gradient @ merged if ctx.needs_input_grad[0] else None
        return to_inputs, to_down, to_up, None, None, None


def adapt(encoder: nn.Module, rank: int, alpha: int, dtype: torch.dtype) -> dict[str, LoraLinear]:
    """Let every linear layer of an encoder's layers learn, and nothing else.

    Args:
        encoder: A BERT or an MPNet in float32; it is changed.
        rank: Of the small matrices.
        alpha: Their product is multiplied by ``alpha / rank``.
        dtype: The precision of what is frozen, and of the arithmetic.

    Returns:
        The adapted layers by name.
    """
    encoder.requires_grad_(False)
    linears = {
        name: LoraLinear(module, rank, alpha / rank, dtype)
        for name, module in encoder.encoder.named_modules(prefix="encoder")
        if isinstance(module, nn.Linear)
    }
    encoder.to(dtype)
    for name, linear in linears.items():
        parent, _, child = name.rpartition(".")
        setattr(encoder.get_submodule(parent), child, linear)
    return linears


def save_lora(
    linears: dict[str, LoraLinear], source: str, first_layer: int, rank: int, alpha: int, to: Path
) -> None:
    """Save the small matrices as a peft adapter, which ``apply_adapter`` opens.

    Args:
        linears: From ``adapt``, of an encoder whose first layers were taken off.
        source: The whole encoder, as ``load_encoder`` takes it.
        first_layer: How many layers were taken off.
        rank: As in ``adapt``.
        alpha: As in ``adapt``.
        to: The folder; made if it does not exist.
    """
    import peft

    encoder = load_encoder(source, device="cpu")
    layers = encoder.config.num_hidden_layers
    settings = peft.LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=sorted({name.rpartition(".")[2] for name in linears}),
        layers_to_transform=list(range(first_layer, layers)),
        layers_pattern="layer",
    )
    with warnings.catch_warnings():
        # peft still asks transformers for a property under its old name.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        model = peft.get_peft_model(encoder, settings)
    with torch.no_grad():
        for name, linear in linears.items():
            target = model.get_base_model().get_submodule(_name_in_whole(name, first_layer))
            target.lora_A["default"].weight.copy_(linear.down)
            target.lora_B["default"].weight.copy_(linear.up)
    save_adapter(model, to)


@torch.no_grad()
def load_lora(linears: dict[str, LoraLinear], first_layer: int, folder: Path) -> None:
    """Take the small matrices from where ``save_lora`` wrote them.

    Args:
        linears: From ``adapt``, with the same rank and layers; they are changed.
        first_layer: How many layers were taken off.
        folder: Where the adapter lies.

    Raises:
        ValueError: It has other layers, or another rank.
    """
    saved = load_file(folder / ADAPTER_FILE)
    for name, linear in linears.items():
        whole = f"base_model.model.{_name_in_whole(name, first_layer)}"
        for matrix, letter in ((linear.down, "A"), (linear.up, "B")):
            found = saved.pop(f"{whole}.lora_{letter}.weight", None)
            if found is None or found.shape != matrix.shape:
                raise ValueError(
                    f"the adapter in {str(folder)!r} has no {list(matrix.shape)} for {whole}: "
                    "expected the layers and the rank that go on learning"
                )
            matrix.copy_(found)
        linear.refresh()
    if saved:
        raise ValueError(
            f"the adapter in {str(folder)!r} also has {min(saved)}: expected the layers that go on "
            "learning, and no others"
        )


def _name_in_whole(name: str, first_layer: int) -> str:
    """Return a linear layer's name in the encoder that still has its first layers."""
    _, _, number, rest = name.split(".", 3)  # encoder.layer.NUMBER.REST
    return f"encoder.layer.{int(number) + first_layer}.{rest}"
