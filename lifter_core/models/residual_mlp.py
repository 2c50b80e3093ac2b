"""The residual MLP of Martinez et al., "A simple yet effective baseline for 3d human pose estimation", ICCV 2017."""

import torch
from torch import Tensor, nn


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.layers(x)
        return result


class ResidualMLP(nn.Module):
    """Linear - [Linear-BN-ReLU x 2 + skip] x blocks - Linear over the flattened pose.

    nodes (B, J, C) and globals (B, G) -> (B, J, 3). The paper's dropout of 0.5 is for its one small data set; here random
    cameras and noise generate samples without limit, so the default is no dropout. As in later re-implementations there is no
    max-norm constraint.
    """

    def __init__(
        self,
        joints: int,
        channels: int = 3,
        global_channels: int = 3,
        width: int = 1024,
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.joints = joints
        self.stem = nn.Sequential(
            nn.Linear(joints * channels + global_channels, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(*(_Block(width, dropout) for _ in range(blocks)))
        self.head = nn.Linear(width, joints * 3)

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        x = torch.cat([nodes.flatten(1), globals], 1)
        result: Tensor = self.head(self.blocks(self.stem(x))).reshape(-1, self.joints, 3)
        return result
