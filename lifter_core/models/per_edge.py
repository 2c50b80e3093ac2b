"""Graph convolution with a matrix for every edge, and its gradient, without concatenating neighbours.

With torch's own operations each node's neighbours would have to be concatenated (and again for the gradient), which takes as
long on a CPU as the products themselves.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def edge_products(
    x: Tensor, weight: Tensor, bias: Tensor, near: Sequence[Sequence[int]], strength: Sequence[float]
) -> Tensor:
    """y_i = b_i + sum over j in near[i] of s_ij x_j W_ij, (J, B, I) -> (J, B, O).

    Args:
        weight: (E, I, O), strength: (E,), by target node in the order of ``near``; bias: (J, O).
    """
    with torch.autocast(x.device.type, enabled=False):  # torch.addmm with ``out`` does not support autocast
        result: Tensor = _EdgeProducts.apply(x.float(), weight, bias, near, strength)  # type: ignore[no-untyped-call]
    return result


class _EdgeProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, near: Any, strength: Any) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.graph = near, strength
        out = x.new_empty(len(near), x.shape[1], weight.shape[2])
        nodes, matrices = x.unbind(0), iter(zip(weight.unbind(0), strength, strict=True))
        for row, y, start in zip(near, out.unbind(0), bias.unbind(0), strict=True):
            for k, j in enumerate(row):
                w, s = next(matrices)
                torch.addmm(y if k else start, nodes[j], w, alpha=s, out=y)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        near, strength = ctx.graph
        gradient = gradient.contiguous()
        by_input = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        by_weight = torch.empty_like(weight)
        nodes, inputs = x.mT.unbind(0), () if by_input is None else by_input.unbind(0)
        matrices = iter(zip(weight.mT.unbind(0), by_weight.unbind(0), strength, strict=True))
        for row, g in zip(near, gradient.unbind(0), strict=True):
            for j in row:
                w, by_w, s = next(matrices)
                torch.addmm(by_w, nodes[j], g, beta=0, alpha=s, out=by_w)
                if inputs:
                    inputs[j].addmm_(g, w, alpha=s)
        return by_input, by_weight, gradient.sum(1), None, None
