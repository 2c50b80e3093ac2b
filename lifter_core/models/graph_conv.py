"""One graph convolution whose weight sharing is a parameter: Kipf and Welling's rule and the study of Liu 2020.

Liu, Ding, Zou, Wang, Tang, "A comprehensive study of weight sharing in graph networks for 3D human pose estimation",
ECCV 2020.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from .graph import hop_distances

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
    """h_i = bias + sum over j of a_ij W x_j, (B, J, inputs) -> (B, J, outputs); ``sharing`` says which W an edge takes.

    ``full``: one for all (Z = D^-1/2 (A+I) D^-1/2 X Theta). ``pre``: one a source node j, applied before the aggregation.
    ``post``: one a target node i, applied after it. ``convolution``: one each for the node itself, for neighbours nearer the
    root and for those further from it, by distance in the graph. ``none``: one an edge. ``decoupled`` gives the node
    itself (j = i) weights of its own; with ``convolution`` and ``none`` it has them anyway.
    """

    adjacency: Tensor
    classes: Tensor

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
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.targets, self.sources = (index.tolist() for index in adjacency.nonzero(as_tuple=True))
        distance = torch.from_numpy(hop_distances(nodes, edges))[root]
        nearer = distance[None] < distance[:, None]
        own = torch.eye(nodes, dtype=torch.bool)
        self.register_buffer("classes", torch.stack([own, nearer & ~own, ~nearer & ~own]).float(), persistent=False)
        matrices = {"full": 1, "pre": nodes, "post": nodes, "convolution": 3, "none": len(self.sources)}[sharing]
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
        a = self.adjacency
        if self.own is not None:
            self_weight = a.diagonal()[:, None]
            a = a - torch.diag(a.diagonal())
            return self._aggregate(x, a) + self_weight * _per_node(x, self.own) + self.bias
        return self._aggregate(x, a) + self.bias

    def _aggregate(self, x: Tensor, a: Tensor) -> Tensor:
        w = self.weight
        if self.sharing in ("full", "pre"):
            return a @ _per_node(x, w)
        if self.sharing == "post":
            return _per_node(a @ x, w)
        if self.sharing == "convolution":
            parts = [(a * mask) @ (x @ w[k]) for k, mask in enumerate(self.classes)]
            return parts[0] + parts[1] + parts[2]
        strength = a[self.targets, self.sources][:, None]
        messages = _per_node(x[:, self.sources], w) * strength
        out = x.new_zeros(x.shape[0], x.shape[1], w.shape[2])
        return out.index_add(1, torch.tensor(self.targets, device=x.device), messages)


def _per_node(x: Tensor, weight: Tensor) -> Tensor:
    """(B, J, I) times (1 or J, I, O): one matrix for all nodes, or one a node."""
    if len(weight) == 1:
        return x @ weight[0]
    return (x.transpose(0, 1) @ weight).transpose(0, 1)
