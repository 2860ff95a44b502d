"""MPNet's attention by the fastest exact way, which transformers has for BERT and not for MPNet.

MPNet adds to every score a number that depends on how far apart two tokens stand (Song et al.,
2020, after Shaw et al., 2018). ``scaled_dot_product_attention`` takes it as a mask of floats.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder, MPNetSelfAttention

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def use_fast_attention(model: "PreTrainedModel") -> None:
    """Let an MPNet compute its attention the fastest way.

    The weights, their names and the results stay; only the way to them is another one.

    Args:
        model: From transformers; every MPNet encoder in it is changed.
    """
    ways = {MPNetEncoder: _OneMaskEncoder, MPNetSelfAttention: _FastSelfAttention}
    for module in model.modules():
        if way := ways.get(type(module)):
            module.__class__ = way  # copies of the model keep it, and nothing is loaded twice


class _OneMaskEncoder(MPNetEncoder):
    """Adds distances and padding up once a batch, not once a layer."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        return_dict: bool = False,
        **options: Any,
    ) -> Any:
        mask = self._distance_bias(hidden_states)  # [1, heads, tokens, tokens]
        if attention_mask is not None:
            mask = mask + attention_mask  # [batch, heads, tokens, tokens]
        return super().forward(
            hidden_states, mask, output_attentions, output_hidden_states, return_dict, **options
        )

    def compute_position_bias(self, *arguments: Any, **options: Any) -> None:
        """Leave out what the mask holds already."""

    def _distance_bias(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Look up each distance once, and lay the row of distances out for each token."""
        tokens = hidden_states.shape[1]
        distances = torch.arange(1 - tokens, tokens, device=hidden_states.device)
        buckets = self.relative_position_bucket(distances)  # [2 tokens - 1]
        by_distance = self.relative_attention_bias(buckets).T.contiguous()  # [heads, 2 tokens - 1]
        # Row i of the table begins i places further to the left.
        return by_distance.unfold(1, tokens, 1).flip(1).unsqueeze(0)


class _FastSelfAttention(MPNetSelfAttention):
    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        output_attentions: bool = False,
        **options: Any,
    ) -> tuple[torch.Tensor, ...]:
        if output_attentions:  # the fast ways do not say where they look
            return super().forward(hidden_states, attention_mask, position_bias, True, **options)
        heads = (*hidden_states.shape[:-1], -1, self.attention_head_size)
        query, key, value = (
            linear(hidden_states).view(heads).transpose(1, 2)  # [batch, heads, tokens, head size]
            for linear in (self.q, self.k, self.v)
        )
        # A processor's fused product is slow in bfloat16: plain ones take half the time there.
        plain = query.dtype == torch.bfloat16 and query.device.type == "cpu"
        attend = _attend_by_products if plain else F.scaled_dot_product_attention
        dropout = self.dropout.p if self.training else 0.0
        context = attend(query, key, value, attention_mask, dropout)
        return (self.o(context.transpose(1, 2).flatten(2)),)  # [batch, tokens, hidden]


def _attend_by_products(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
) -> torch.Tensor:
    """Do what ``scaled_dot_product_attention`` does, the mask added within the first product."""
    batch, heads, tokens, size = query.shape
    assert mask is not None  # there are always distances
    mask = mask.expand(batch, -1, -1, -1)  # [batch, heads, tokens, tokens]
    scores = torch.baddbmm(
        mask.flatten(0, 1), query.flatten(0, 1), key.flatten(0, 1).mT, alpha=size**-0.5
    )  # [batch x heads, tokens, tokens]
    shares = F.dropout(scores.softmax(dim=-1), dropout)
    return torch.bmm(shares, value.flatten(0, 1)).view(batch, heads, tokens, size)
