"""The graph convolutional network: stem, residual blocks and head, all with the same kind of graph convolution.

The architecture that SemGCN (Zhao et al., CVPR 2019) and the weight-sharing study (Liu et al., ECCV 2020) use.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .graph_conv import GraphConv, Normalisation, Sharing


class _NormedConv(nn.Module):
    """Graph convolution, BatchNorm per channel over batch and nodes, ReLU."""

    def __init__(self, convolution: GraphConv, channels: int) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x).transpose(0, 1)  # nodes first: the order in memory
        return torch.relu_(self.norm(x.flatten(0, 1))).view_as(x).transpose(0, 1)


class GraphNetwork(nn.Module):
    """gconv-BN-ReLU - [gconv-BN-ReLU x 2 + skip] x blocks - gconv.

    nodes (B, J, C) and globals (B, G) -> (B, J, 3). The globals are appended to every node's channels.
    With ``sharing="full"`` each layer is
    Z = D^-1/2 (A+I) D^-1/2 X Theta; see GraphConv for the other kinds.
    """

    def __init__(
        self,
        joints: int,
        edges: Sequence[tuple[int, int]],
        channels: int = 3,
        global_channels: int = 3,
        width: int = 128,
        blocks: int = 4,
        sharing: Sharing = "full",
        decoupled: bool = False,
        normalisation: Normalisation = "symmetric",
    ) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int) -> GraphConv:
            return GraphConv(joints, edges, inputs, outputs, sharing, decoupled, normalisation)

        def layer(inputs: int) -> _NormedConv:
            return _NormedConv(conv(inputs, width), width)

        self.stem = layer(channels + global_channels)
        self.blocks = nn.ModuleList(nn.Sequential(layer(width), layer(width)) for _ in range(blocks))
        self.head = conv(width, 3)
        with torch.no_grad():
            for weight in (self.head.weight, self.head.own):
                if weight is not None:
                    weight.mul_(0.05)  # small weights: before training all joints are near the pelvis

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        x = torch.cat([nodes, globals[:, None].expand(-1, nodes.shape[1], -1)], -1)
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        result: Tensor = self.head(x)
        return result
