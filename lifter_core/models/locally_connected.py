"""The locally connected network: a graph convolutional network in which every edge has its own weights.

Ci, Wang, Ma, Wang, "Optimizing network structure for 3D human pose estimation", ICCV 2019.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .graph import neighbours
from .per_edge import edge_products

_WIDE = 32  # input channels from which one product for each edge is faster than one for each node


class LocallyConnectedLayer(nn.Module):
    """y_i = b_i + sum over j with hops(i, j) <= k of W_ij x_j: every edge has its own matrix.

    (J, B, inputs) -> (J, B, outputs). ``weight`` holds the E edges' matrices, (E * inputs, outputs), by target node. In
    training on a CPU there is one product for each edge, else one for each node over its neighbours; the paper multiplies a
    dense matrix by a mask instead.
    """

    def __init__(self, nodes: int, edges: Sequence[tuple[int, int]], hops: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.near = neighbours(nodes, edges, hops)
        self.rows = [len(row) * inputs for row in self.near]
        scale = torch.cat([torch.full((rows, 1), (2 / rows) ** 0.5) for rows in self.rows])
        self.inputs, self.strength = inputs, [1.0] * sum(map(len, self.near))
        self.weight = nn.Parameter(torch.randn(sum(self.rows), outputs) * scale)
        self.bias = nn.Parameter(torch.zeros(nodes, outputs))

    def forward(self, x: Tensor) -> Tensor:
        training = torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if training and x.device.type == "cpu" and self.inputs >= _WIDE:
            return edge_products(
                x, self.weight.view(-1, self.inputs, self.weight.shape[1]), self.bias, self.near, self.strength
            )
        nodes, weights = x.unbind(0), torch.split(self.weight, self.rows)
        return torch.stack(
            [
                torch.addmm(self.bias[i], torch.cat([nodes[j] for j in row], 1), weights[i])
                for i, row in enumerate(self.near)
            ]
        )


class _Norm(nn.Module):
    """BatchNorm per channel over batch and nodes, as the paper, then LeakyReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)
        self.act = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.act(self.norm(x.flatten(0, 1))).view_as(x)
        return result


class LocallyConnected(nn.Module):
    """layer - [layer, layer + skip] x blocks - layer, each joint with its own weights for each neighbour.

    nodes (B, J, C) and globals (B, G) -> (B, J, 3). The globals are appended to every node's channels. ``hops`` is the
    paper's k. The paper's LeakyReLU 0.2 is kept; its dropout is left out, because training samples are generated without limit.
    """

    def __init__(
        self,
        joints: int,
        edges: Sequence[tuple[int, int]],
        channels: int = 3,
        global_channels: int = 3,
        width: int = 64,
        blocks: int = 3,
        hops: int = 3,
    ) -> None:
        super().__init__()

        def layer(inputs: int, outputs: int) -> LocallyConnectedLayer:
            return LocallyConnectedLayer(joints, edges, hops, inputs, outputs)

        self.stem = nn.Sequential(layer(channels + global_channels, width), _Norm(width))
        self.blocks = nn.ModuleList(
            nn.Sequential(layer(width, width), _Norm(width), layer(width, width), _Norm(width)) for _ in range(blocks)
        )
        self.head = layer(width, 3)
        with torch.no_grad():
            self.head.weight.mul_(0.05)  # small weights: before training all joints are near the pelvis

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        x = torch.cat([nodes, globals[:, None].expand(-1, nodes.shape[1], -1)], -1).transpose(0, 1)
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        result: Tensor = self.head(x).transpose(0, 1)
        return result
