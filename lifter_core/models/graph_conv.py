"""A graph convolution with the kind of weight sharing as a parameter: Kipf and Welling's rule and the kinds of Liu 2020.

Liu, Ding, Zou, Wang, Tang, "A comprehensive study of weight sharing in graph networks for 3D human pose estimation",
ECCV 2020.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from .graph import hop_distances
from .per_edge import edge_products

Sharing = Literal["full", "pre", "post", "convolution", "none"]
Normalisation = Literal["symmetric", "row"]


def normalised_adjacency(nodes: int, edges: Sequence[tuple[int, int]], how: Normalisation = "symmetric") -> Tensor:
    """(J, J) D^-1/2 (A + I) D^-1/2 (``symmetric``), or D^-1 (A + I) (``row``), D the degrees of A + I."""
    adjacency = torch.eye(nodes)
    for a, b in edges:
        adjacency[a, b] = adjacency[b, a] = 1
    degree = adjacency.sum(1)
    if how == "row":
        return adjacency / degree[:, None]
    return adjacency / (degree[:, None] * degree[None]).sqrt()


class GraphConv(nn.Module):
    """h_i = bias + sum over j of a_ij W x_j, (B, J, inputs) -> (B, J, outputs); ``sharing`` selects the W of an edge.

    ``full``: one W for all edges (Z = D^-1/2 (A+I) D^-1/2 X Theta). ``pre``: one for each source node j, applied before the
    aggregation. ``post``: one for each target node i, applied after it. ``convolution``: three: for the node itself, for
    neighbours nearer to the root and for those farther from it, by distance in the graph. ``none``: one for each edge.
    ``decoupled`` gives the node itself (j = i) separate weights; ``convolution`` and ``none`` always have these.

    Nodes come first in memory (the answer is a transposed view): each node's batch is then one matrix, the sum over
    neighbours one product of (J, J) with (J, B * channels), and nothing is copied from layer to layer.
    """

    adjacency: Tensor
    own_strength: Tensor
    by_class: Tensor

    def __init__(
        self,
        nodes: int,
        edges: Sequence[tuple[int, int]],
        inputs: int,
        outputs: int,
        sharing: Sharing = "full",
        decoupled: bool = False,
        normalisation: Normalisation = "symmetric",
        root: int = 0,
    ) -> None:
        super().__init__()
        if sharing not in get_args(Sharing):
            raise ValueError(f"there is no weight sharing {sharing!r}; choose one of {', '.join(get_args(Sharing))}")
        self.sharing = sharing
        adjacency = normalised_adjacency(nodes, edges, normalisation)
        self.near = [row.nonzero()[:, 0].tolist() for row in adjacency]
        self.strength = adjacency[adjacency > 0].tolist()
        self.register_buffer("own_strength", adjacency.diagonal()[:, None, None].clone(), persistent=False)
        if decoupled or sharing == "convolution":
            adjacency = adjacency - torch.diag(adjacency.diagonal())  # the node itself has separate weights
        self.register_buffer("adjacency", adjacency, persistent=False)
        distance = torch.from_numpy(hop_distances(nodes, edges))[root]
        nearer = distance[None] < distance[:, None]
        self.register_buffer("by_class", torch.stack([adjacency * nearer, adjacency * ~nearer]), persistent=False)
        matrices = {"full": 1, "pre": nodes, "post": nodes, "convolution": 3, "none": len(self.strength)}[sharing]
        self.weight = nn.Parameter(torch.empty(matrices, inputs, outputs))
        self.own = None
        if decoupled and sharing in ("full", "pre", "post"):
            self.own = nn.Parameter(torch.empty(matrices, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        for weight in (self.weight, self.own):
            if weight is not None:
                nn.init.uniform_(weight, -1, 1)
                with torch.no_grad():  # Xavier with gain 1.414, each matrix by itself
                    weight.mul_(1.414 * (6 / (inputs + outputs)) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1).contiguous()  # (J, B, inputs)
        w, a = self.weight, self.adjacency
        if self.sharing == "none":
            bias = self.bias.expand(len(x), -1)
            return edge_products(x, w, bias, self.near, self.strength).transpose(0, 1)
        own = w[:1] if self.sharing == "convolution" else self.own
        out = self.bias if own is None else torch.baddbmm(self.bias, x, self.own_strength * own)
        if self.sharing == "post":
            return torch.baddbmm(out, (a @ x.flatten(1)).view_as(x), w).transpose(0, 1)
        # what is added to comes first: an addition in place would cost autograd a copy of the gradient
        out = self.bias.repeat(x.shape[1]) if own is None else out.flatten(1)
        if self.sharing == "convolution":
            for adjacency, kernel in zip(self.by_class, w[1:], strict=True):
                out = torch.addmm(out, adjacency, (x @ kernel).flatten(1))
        else:
            out = torch.addmm(out, a, (x @ w[0] if self.sharing == "full" else torch.bmm(x, w)).flatten(1))
        return out.view(*x.shape[:2], -1).transpose(0, 1)
