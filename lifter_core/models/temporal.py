"""Our own: a residual MLP that sees a window of frames, the detector's own 3D and the direction up.

Each frame is embedded by itself; a bank of learned temporal filters, one set a channel, sums the window up (as much of
the past as of the future, densely near the middle and sparsely far out). The inputs themselves are smoothed by learned
kernels that leave out what is missing. From both a residual MLP answers for the middle frame. The
parts are those of the literature: the trunk of Martinez et al. (ICCV 2017), the dilated view of time of Pavllo et al.
(CVPR 2019), the per-edge graph layer of Ci et al. (ICCV 2019) to refine the answer joint by joint.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .locally_connected import LocallyConnectedLayer
from .residual_mlp import _Block


class Temporal(nn.Module):
    """nodes (B, W, J, C) and globals (B, W, G) -> (B, J, 4): the middle frame's joints, metres about the pelvis in its
    virtual camera, and the log of each joint's expected error (metres).

    ``taps`` are the W frames' places in time, one of them 0; a frame that is missing is all zeros. ``filters`` temporal
    filters for each of ``embed`` channels; ``width`` and ``blocks`` of the trunk; ``refine`` channels a joint of the per-edge
    layers, 0 = none.
    """

    def __init__(
        self,
        joints: int,
        edges: Sequence[tuple[int, int]],
        taps: Sequence[int],
        channels: int = 6,
        global_channels: int = 6,
        embed: int = 160,
        filters: int = 6,
        width: int = 768,
        blocks: int = 2,
        refine: int = 0,
    ) -> None:
        super().__init__()
        self.joints, self.middle, self.refine, self.channels = joints, list(taps).index(0), refine, channels
        inputs = joints * channels + global_channels
        near = -torch.tensor(taps, dtype=torch.float32).abs().clamp(max=4)[:, None] * 1.5
        self.kernels = nn.Parameter(near.repeat(1, inputs))  # (W, inputs) logits of how much a frame counts
        self.embed = nn.Sequential(
            nn.Linear(inputs + 2, embed), nn.LayerNorm(embed), nn.ReLU(), nn.Linear(embed, embed), nn.ReLU()
        )
        start = torch.exp(-0.5 * (torch.tensor(taps, dtype=torch.float32) / 4) ** 2)
        bank = (start / start.sum())[:, None] + 0.05 * torch.randn(embed, len(taps), filters)
        self.filters = nn.Parameter(bank)
        self.stem = nn.Sequential(
            nn.Linear(embed * filters + inputs + 2, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(*(_Block(width, 0.0) for _ in range(blocks)))
        self.head = nn.Linear(width, joints * 4)
        with torch.no_grad():
            self.head.bias.view(joints, 4)[:, 3] = -2.6  # an expected error of 7 cm to begin with
        if refine:
            self.spread = nn.Linear(width, joints * refine)
            self.per_edge = nn.ModuleList(
                [
                    LocallyConnectedLayer(joints, edges, 2, refine + channels, refine),
                    LocallyConnectedLayer(joints, edges, 2, refine, 4),
                ]
            )
            self.norm = nn.BatchNorm1d(refine)
            with torch.no_grad():
                self.per_edge[1].weight.mul_(0.05)  # type: ignore[operator]

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        x = torch.cat([nodes.flatten(2), globals], 2)
        # what is given in a frame: the person, the detector's own 3D
        given = torch.stack([(nodes[..., 2] > 0).any(2), (nodes[..., 3:] != 0).flatten(2).any(2)], 2).to(x.dtype)
        h = self.embed(torch.cat([x, given], 2)) * given[..., :1]
        summary = torch.bmm(h.permute(2, 0, 1), self.filters).permute(1, 0, 2).flatten(1)
        counts = torch.softmax(self.kernels, 0) * (x != 0) * given[..., :1]
        smooth = (counts * x).sum(1) / (counts.sum(1) + 1e-6)
        h = self.blocks(self.stem(torch.cat([summary, smooth, given[:, self.middle]], 1)))
        out = self.head(h).reshape(-1, self.joints, 4)
        if self.refine:
            graph = torch.cat([self.spread(h).reshape(-1, self.joints, self.refine), nodes[:, self.middle]], 2)
            g = self.per_edge[0](graph.transpose(0, 1))
            g = torch.relu(self.norm(g.flatten(0, 1)).view_as(g))
            out = out + self.per_edge[1](g).transpose(0, 1)
        return out

    @torch.no_grad()
    def start_from(self, other: dict[str, Tensor]) -> None:
        """Takes over a trained residual MLP of the same width and blocks (its state), which answers for the middle frame from
        2D alone: time and the other inputs start with hardly a say.

        Raises:
            KeyError, RuntimeError: not such a network's state.
        """
        own, joints = self.state_dict(), self.joints
        for name, value in other.items():
            if name.startswith(("stem.1", "blocks")):
                own[name].copy_(value)
        stem, learned = own["stem.0.weight"], other["stem.0.weight"]
        plain = learned.shape[1] // (joints + 1)  # channels of a joint, and of the globals
        middle = stem.shape[1] - 2 - (joints + 1) * self.channels
        columns = [middle + j * self.channels + c for j in range(joints + 1) for c in range(plain)]
        stem[:, :middle] *= 0.3
        stem[:, middle:] = 0.02 * torch.randn_like(stem[:, middle:])
        stem[:, columns] = learned
        own["head.weight"].view(joints, 4, -1)[:, :3] = other["head.weight"].view(joints, 3, -1)
        own["head.weight"].view(joints, 4, -1)[:, 3] = 0
        own["head.bias"].view(joints, 4)[:, :3] = other["head.bias"].view(joints, 3)
