"""Our own: a residual MLP that sees a window of frames, the detector's own 3D and the direction up.

Each frame is embedded by itself; a bank of learned temporal filters, one set a channel, sums the window up (as much of
the past as of the future, densely near the middle and sparsely far out). The inputs themselves are smoothed by learned
kernels that leave out what is missing. From both a residual MLP answers for the middle frame: depths, a size, and as much
of the points' own rays at those depths as each is worth, with a correction. The
parts are those of the literature: the trunk of Martinez et al. (ICCV 2017), the dilated view of time of Pavllo et al.
(CVPR 2019), the per-edge graph layer of Ci et al. (ICCV 2019) to refine the answer joint by joint.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..normalise import LOG_SPREAD
from .growing import from_narrower, from_residual_mlp
from .locally_connected import LocallyConnectedLayer
from .residual_mlp import _Block

_METRES = 0.6  # m: initial value of the body's spread about the torso


class Temporal(nn.Module):
    """nodes (B, W, J, C) and globals (B, W, G) -> (B, J, 4 + K): the middle frame's joints, metres about the pelvis in its
    virtual camera, the log of each joint's expected error (metres), and for the joints named in ``hinges`` the logits of K
    classes of how far they are bent (bends.py; zeros for the others).

    ``taps`` are the W frames' places in time, one of them 0; a frame that is missing is all zeros. ``filters`` temporal
    filters for each of ``embed`` channels; ``width`` and ``blocks`` of the trunk; ``refine`` channels a joint of the per-edge
    layers, 0 = none; ``bends`` is K, 0 = no such answer.
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
        hinges: Sequence[int] = (),
        bends: int = 0,
    ) -> None:
        super().__init__()
        self.bends = nn.Linear(width, len(hinges) * bends) if bends else None
        spread = torch.zeros(joints, len(hinges))
        spread[list(hinges), range(len(hinges))] = 1
        self.hinges: Tensor  # (J, H) puts the hinges' answers at their joints
        self.register_buffer("hinges", spread, persistent=False)
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
        self.gate = nn.Linear(width, joints + 1)  # logits of each point's ray weight; log of the spread in metres
        with torch.no_grad():
            self.gate.weight.mul_(0.1)
            self.gate.bias.zero_()
            self.gate.bias[joints] = math.log(_METRES)
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
        # flags for each frame: the person is there, the detector's own 3D is there
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
        gate = self.gate(h)
        out = out + self._rays(out, gate, smooth)
        if self.bends is None:
            return out
        logits = self.bends(h).unflatten(1, (self.hinges.shape[1], -1))
        return torch.cat([out, self.hinges.to(logits.dtype) @ logits], 2)

    def _rays(self, out: Tensor, gate: Tensor, smooth: Tensor) -> Tensor:
        """(B, J, 4) x and y from the points' rays: tangent * depth, relative to the pelvis, times the gate; the rest is 0."""
        size = self.joints * self.channels
        points = smooth[:, :size].reshape(-1, self.joints, self.channels)[..., :2]
        spread = torch.exp(smooth[:, size : size + 1] * LOG_SPREAD[1] + LOG_SPREAD[0])
        # depth of the pelvis = spread in metres / spread in the picture
        at = points * (torch.exp(gate[:, self.joints :]) + spread * out[..., 2])[..., None]
        planar = torch.sigmoid(gate[:, : self.joints, None]) * (at - at[:, :1])
        return torch.cat([planar, torch.zeros_like(planar)], 2)

    @torch.no_grad()
    def start_from(self, other: dict[str, Tensor]) -> None:
        """Initialises from the state of a trained residual MLP of the same width, or of a temporal network at most as wide.

        Raises:
            KeyError, RuntimeError: not the state of such a network.
        """
        if "kernels" in other:
            from_narrower(self.state_dict(), other, self.joints)
        else:
            from_residual_mlp(self.state_dict(), other, self.joints, self.channels)
