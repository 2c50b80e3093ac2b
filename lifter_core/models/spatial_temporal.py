"""The spatial-temporal graph network with local-to-global pooling.

Cai, Ge, Liu, Cai, Cham, Yuan, Magnenat Thalmann, "Exploiting spatial-temporal relationships for 3D pose estimation via
graph convolutional networks", ICCV 2019.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .graph import hop_distances

Pairs = Sequence[tuple[int, int]]


def neighbour_classes(nodes: int, edges: Pairs, symmetric: Pairs, centre: int, frames: int) -> Tensor:
    """(K, T * J, T * J) the normalised adjacency A D^-1 split by kind of neighbour, nodes in order of frame, then joint.

    K = 4: the node itself, neighbours further from the centre, closer to it, symmetric ones; with more than one frame two
    more: the same joint in the next frame and in the one before.
    """
    distance = hop_distances(nodes, edges)[centre]
    classes = torch.zeros(6 if frames > 1 else 4, frames, nodes, frames, nodes)
    for t in range(frames):
        classes[0, t, range(nodes), t, range(nodes)] = 1
        for a, b in (*edges, *((b, a) for a, b in edges)):
            classes[1 if distance[b] > distance[a] else 2, t, a, t, b] = 1
        for a, b in (*symmetric, *((b, a) for a, b in symmetric)):
            classes[3, t, a, t, b] = 1
        if t + 1 < frames:
            classes[4, t, range(nodes), t + 1, range(nodes)] = 1
            classes[5, t + 1, range(nodes), t, range(nodes)] = 1
    classes = classes.reshape(len(classes), frames * nodes, frames * nodes)
    return classes / classes.sum(0).sum(0)


class _Block(nn.Module):
    """A kernel for each class of neighbours, BN-ReLU, a 1x1 convolution, BN, and the skip."""

    classes: Tensor

    def __init__(self, classes: Tensor, inputs: int, outputs: int, skip: bool = True) -> None:
        super().__init__()
        self.register_buffer("classes", classes, persistent=False)
        self.kernels = nn.Conv1d(inputs, len(classes) * outputs, 1)
        self.rest = nn.Sequential(
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Dropout(0.05),
            nn.Conv1d(outputs, outputs, 1),
            nn.BatchNorm1d(outputs),
            nn.Dropout(0.05),
        )
        self.skip: nn.Module | None = None
        if skip:
            widen = nn.Sequential(nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs))
            self.skip = nn.Identity() if inputs == outputs else widen

    def forward(self, x: Tensor) -> Tensor:  # (B, C, N)
        kernels = self.kernels(x).unflatten(1, (len(self.classes), -1))
        y = self.rest(torch.einsum("knm,bkcm->bcn", self.classes, kernels))
        return torch.relu(y if self.skip is None else y + self.skip(x))


class _NonLocal(nn.Module):
    """Embedded Gaussian attention over all nodes (Wang et al., CVPR 2018): x + W softmax(theta^T phi) g."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.theta, self.phi, self.g = (nn.Conv1d(channels, half, 1) for _ in range(3))
        self.out = nn.Sequential(nn.Conv1d(half, channels, 1), nn.BatchNorm1d(channels))

    def forward(self, x: Tensor) -> Tensor:
        attention = torch.softmax(self.theta(x).transpose(1, 2) @ self.phi(x), -1)
        result: Tensor = x + self.out(self.g(x) @ attention.transpose(1, 2))
        return result


class SpatialTemporal(nn.Module):
    """Joints (128, 128, 256) - max-pooled to parts (512, 512) - to the whole body, and back down, then attention.

    nodes (B, T, J, C) and globals (B, T, G) -> (B, T, J, 3); with one frame also (B, J, C), (B, G) -> (B, J, 3).

    Args:
        symmetric: pairs of joints that mirror each other; centre: the joint in the body's middle (the spine).
        parts: joints of each part; the last is the trunk, to which the others hang.
        part_pairs: parts that mirror each other.
    """

    def __init__(
        self,
        joints: int,
        edges: Pairs,
        symmetric: Pairs,
        parts: Sequence[Sequence[int]],
        part_pairs: Pairs,
        centre: int,
        frames: int = 1,
        channels: int = 3,
        global_channels: int = 3,
    ) -> None:
        super().__init__()
        if sorted(j for part in parts for j in part) != list(range(joints)):
            raise ValueError("each joint must be in exactly one part")
        self.joints, self.frames, self.parts = joints, frames, [list(part) for part in parts]
        trunk = len(parts) - 1
        fine = neighbour_classes(joints, edges, symmetric, centre, frames)
        coarse = neighbour_classes(len(parts), [(trunk, p) for p in range(trunk)], part_pairs, trunk, frames)
        self.local = nn.Sequential(
            _Block(fine, channels + global_channels, 128, skip=False), _Block(fine, 128, 128), _Block(fine, 128, 256)
        )
        self.by_part = nn.Sequential(_Block(coarse, 256, 512), _Block(coarse, 512, 512))
        reach = 3 if frames > 1 else 1
        self.whole = nn.Sequential(
            nn.Conv1d(512, 512, reach, padding=reach // 2), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.25)
        )
        self.down = nn.Sequential(nn.Conv1d(1024, 256, 1), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.1))
        self.attention = _NonLocal(512)
        self.head = nn.Conv1d(512, 3, 1)

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        single = nodes.dim() == 3
        if single:
            nodes, globals = nodes[:, None], globals[:, None]
        t, j, p = self.frames, self.joints, len(self.parts)
        x = torch.cat([nodes, globals[:, :, None].expand(-1, -1, j, -1)], -1)
        fine = self.local(x.flatten(1, 2).transpose(1, 2))  # (B, 256, T * J)
        by_frame = fine.unflatten(2, (t, j))
        pooled = torch.stack([by_frame[..., part].amax(-1) for part in self.parts], -1)
        parts = self.by_part(pooled.flatten(2))  # (B, 512, T * P)
        whole = self.whole(parts.unflatten(2, (t, p)).amax(-1))  # (B, 512, T)
        both = torch.cat([parts, whole.repeat_interleave(p, 2)], 1)
        coarse = self.down(both).unflatten(2, (t, p))
        part_of = [next(k for k, part in enumerate(self.parts) if i in part) for i in range(j)]
        merged = torch.cat([fine, coarse[..., part_of].flatten(2)], 1)
        out: Tensor = self.head(self.attention(merged)).transpose(1, 2).unflatten(1, (t, j))
        return out[:, 0] if single else out
