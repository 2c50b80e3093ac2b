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


class _Norm(nn.BatchNorm1d):
    """BatchNorm per channel over nodes, frames and batch, (J, T, B, C); ReLU if asked for."""

    def __init__(self, channels: int, relu: bool = False) -> None:
        super().__init__(channels)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x.flatten(0, 2))
        return (torch.relu_(y) if self.relu else y).view_as(x)


class _ClassConv(nn.Module):
    """y_n = sum over classes k and neighbours m of a_knm (W_k x_m + b_k), (J, T, B, inputs) -> (J, T, B, outputs).

    ``classes`` is of neighbour_classes(). a_knm is 0 or 1 over the degree of m, so the nodes are scaled first. The node itself
    and the frames beside it are plain products. Of the other classes, one that few nodes hear (``further``: those with
    children) is summed before its kernel, one that few speak in (``closer``) after it.
    """

    scale: Tensor
    heard: Tensor
    gather: Tensor
    spread: Tensor

    def __init__(self, classes: Tensor, frames: int, inputs: int, outputs: int) -> None:
        super().__init__()
        count, nodes = len(classes), classes.shape[1] // frames
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(count, outputs))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5)
        scale, heard = classes.amax((0, 1)).view(frames, nodes).T, classes.sum(2).view(count, frames, nodes)
        self.register_buffer("scale", scale[..., None, None].clone(), persistent=False)  # (J, T, 1, 1)
        self.register_buffer("heard", heard.permute(2, 1, 0).clone(), persistent=False)  # (J, T, K) sums of a_k
        gather, spread, self.sizes = [], [], []
        every = torch.eye(nodes)
        for a in (classes[1:4, :nodes, :nodes] > 0).float():
            speaks, hears = a.any(0), a.any(1)
            before = hears.sum() < speaks.sum()
            gather.append(a[hears] if before else every[speaks])
            spread.append(every[:, hears] if before else a[:, speaks])
            self.sizes.append(len(gather[-1]))
        self.register_buffer("gather", torch.cat(gather), persistent=False)  # (M, J)
        self.register_buffer("spread", torch.cat(spread, 1), persistent=False)  # (J, M)

    def forward(self, x: Tensor) -> Tensor:
        w, x = self.weight, x * self.scale
        met = torch.split(torch.mm(self.gather, x.flatten(1)).view(-1, *x.shape[1:]), self.sizes)
        said = torch.cat([rows @ kernel for rows, kernel in zip(met, w[1:4], strict=True)])
        y = torch.mm(self.spread, said.flatten(1)).view(-1, w.shape[2])
        kernels = w[0]
        if x.shape[1] > 1:
            none = torch.zeros_like(x[:, :1])
            later, earlier = torch.cat([x[:, 1:], none], 1), torch.cat([none, x[:, :-1]], 1)
            x, kernels = torch.cat([x, later, earlier], 3), w[[0, 4, 5]].flatten(0, 1)
        y = torch.addmm(y, x.flatten(0, 2), kernels)
        return y.view(*x.shape[:3], -1) + (self.heard @ self.bias)[:, :, None]


class _Block(nn.Module):
    """A kernel for each class of neighbours, BN-ReLU, a 1x1 convolution, BN, and the skip; (J, T, B, C)."""

    def __init__(self, classes: Tensor, frames: int, inputs: int, outputs: int, skip: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _ClassConv(classes, frames, inputs, outputs),
            _Norm(outputs, relu=True),
            nn.Linear(outputs, outputs),
            _Norm(outputs),
        )
        self.skip: nn.Module | None = None
        if skip:
            self.skip = (
                nn.Identity() if inputs == outputs else nn.Sequential(nn.Linear(inputs, outputs), _Norm(outputs))
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return torch.relu(y) if self.skip is None else torch.relu_(y + self.skip(x))


class _NonLocal(nn.Module):
    """Embedded Gaussian attention over all nodes (Wang et al., CVPR 2018): x + W softmax(theta^T phi) g.

    x is given as channels of the joints, fine (J, T, B, C), beside channels of the parts, coarse (P, T, B, C), and the part
    of each joint: what the parts say is worked out once a part. -> (J, T, B, 2 C).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, channels + channels // 2)  # theta, phi and g
        self.out = nn.Sequential(nn.Linear(channels // 2, channels), _Norm(channels))

    def forward(self, fine: Tensor, coarse: Tensor, part_of: list[int]) -> Tensor:
        by_joint, by_part = torch.split(self.embed.weight, [fine.shape[3], coarse.shape[3]], 1)
        embedded = fine @ by_joint.T + (coarse @ by_part.T + self.embed.bias)[part_of]
        theta, phi, g = embedded.flatten(0, 1).transpose(0, 1).chunk(3, 2)  # (B, J * T, C)
        heard = (torch.softmax(theta @ phi.mT, 2) @ g).transpose(0, 1).reshape(*fine.shape[:3], -1)
        return torch.cat([fine, coarse[part_of]], 3) + self.out(heard)


class SpatialTemporal(nn.Module):
    """Joints (128, 128, 256) - max-pooled to parts (512, 512) - to the whole body, and back down, then attention.

    nodes (B, T, J, C) and globals (B, T, G) -> (B, T, J, 3); with one frame also (B, J, C), (B, G) -> (B, J, 3). The
    paper's dropout is left out (samples are generated without limit). Joints come first
    in memory, then frames, then the batch, so that each kernel is one product.

    Args:
        symmetric: pairs of joints that mirror each other; centre: the joint in the body's middle (the spine).
        parts: joints of each part; the last is the trunk, to which the others are connected.
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
        self.parts = [list(part) for part in parts]
        trunk = len(parts) - 1
        fine = neighbour_classes(joints, edges, symmetric, centre, frames)
        coarse = neighbour_classes(len(parts), [(trunk, p) for p in range(trunk)], part_pairs, trunk, frames)
        self.local = nn.Sequential(
            _Block(fine, frames, channels + global_channels, 128, skip=False),
            _Block(fine, frames, 128, 128),
            _Block(fine, frames, 128, 256),
        )
        self.by_part = nn.Sequential(_Block(coarse, frames, 256, 512), _Block(coarse, frames, 512, 512))
        reach = 3 if frames > 1 else 1
        self.whole = nn.Sequential(
            nn.Conv1d(512, 512, reach, padding=reach // 2), nn.BatchNorm1d(512), nn.ReLU(inplace=True)
        )
        self.down = nn.Linear(1024, 256)
        self.down_norm = _Norm(256, relu=True)
        self.attention = _NonLocal(512)
        self.head = nn.Linear(512, 3)
        self.part_of = [next(k for k, part in enumerate(self.parts) if i in part) for i in range(joints)]

    def forward(self, nodes: Tensor, globals: Tensor) -> Tensor:
        single = nodes.dim() == 3
        if single:
            nodes, globals = nodes[:, None], globals[:, None]
        x = torch.cat([nodes, globals[:, :, None].expand(-1, -1, nodes.shape[2], -1)], 3)
        fine = self.local(x.permute(2, 1, 0, 3).contiguous())  # (J, T, B, 256)
        parts = self.by_part(torch.stack([fine[part].amax(0) for part in self.parts]))  # (P, T, B, 512)
        whole = self.whole(parts.amax(0).permute(1, 2, 0)).permute(2, 0, 1)  # (T, B, 512)
        by_part, by_frame = torch.split(self.down.weight, 512, 1)
        coarse = self.down_norm(parts @ by_part.T + (whole @ by_frame.T + self.down.bias))
        out: Tensor = self.head(self.attention(fine, coarse, self.part_of)).permute(2, 1, 0, 3)
        return out[:, 0] if single else out
