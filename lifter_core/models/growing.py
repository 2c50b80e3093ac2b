"""A network's first weights taken from a trained one: a temporal network from a residual MLP, or from a narrower one."""

import torch
from torch import Tensor

State = dict[str, Tensor]

_JITTER = 0.05  # of a weight's own size: duplicates must part


def from_residual_mlp(own: State, other: State, joints: int, channels: int) -> None:
    """Takes over a residual MLP of the same width and blocks, which answers for the middle frame from 2D alone: time and the
    other inputs start with hardly a say. In place, in ``own``, the state of a Temporal.

    Raises:
        KeyError, RuntimeError: not such a network's state.
    """
    for name, value in other.items():
        if name.startswith(("stem.1", "blocks")):
            own[name].copy_(value)
    stem, learned = own["stem.0.weight"], other["stem.0.weight"]
    plain = learned.shape[1] // (joints + 1)  # channels of a joint, and of the globals
    middle = stem.shape[1] - 2 - (joints + 1) * channels
    columns = [middle + j * channels + c for j in range(joints + 1) for c in range(plain)]
    stem[:, :middle] *= 0.3
    stem[:, middle:] = 0.02 * torch.randn_like(stem[:, middle:])
    stem[:, columns] = learned
    own["head.weight"].view(joints, 4, -1)[:, :3] = other["head.weight"].view(joints, 3, -1)
    own["head.weight"].view(joints, 4, -1)[:, 3] = 0
    own["head.bias"].view(joints, 4)[:, :3] = other["head.bias"].view(joints, 3)
    own["gate.bias"][:joints] = -20  # the answer as it was; opens in training
    own["gate.weight"].zero_()


def from_narrower(own: State, other: State, joints: int) -> None:
    """Takes over a Temporal of the same inputs, blocks and per-edge layers whose trunk is at most as wide: some units are
    there several times and share what they say (Chen et al., Net2Net, ICLR 2016). In place, in ``own``.

    A state without the back-projection is given it: half of the answer at first. One without classes of bends keeps the fresh
    layer for them.

    Raises:
        KeyError, RuntimeError: not such a network's state.
    """
    old, new = len(other["stem.1.weight"]), len(own["stem.1.weight"])

    def copies() -> tuple[Tensor, Tensor]:
        index = torch.cat([torch.arange(old), torch.randint(old, (new - old,))])
        return index, torch.bincount(index, minlength=old)[index].float()

    def jittered(weight: Tensor) -> Tensor:
        extra = weight[old:]
        weight[old:] = extra + _JITTER * weight.std() * torch.randn_like(extra)
        return weight

    stream, stream_count = copies()
    inner: dict[str, tuple[Tensor, Tensor]] = {}
    for name, value in own.items():
        if name not in other:
            if not name.startswith(("gate.", "bends.")):
                raise KeyError(name)
            continue
        given = other[name]
        if name == "stem.0.weight":
            value.copy_(jittered(given[stream]))
        elif name.startswith("stem.1."):
            value.copy_(given[stream] if given.dim() else given)
        elif name.startswith("blocks."):
            block, layer = name.split(".layers.")
            index, count = inner.setdefault(block, copies())
            if layer == "0.weight":
                value.copy_(jittered(given[index][:, stream] / stream_count))
            elif layer == "3.weight":
                value.copy_(jittered(given[stream][:, index] / count))
            elif given.dim():
                value.copy_(given[index if layer.startswith("1.") else stream])
            else:
                value.copy_(given)
        elif name in ("head.weight", "spread.weight", "gate.weight", "bends.weight"):
            value.copy_(given[:, stream] / stream_count)
        else:
            value.copy_(given)
    if "gate.weight" not in other:
        own["head.weight"].view(joints, 4, -1)[:, :2] *= 0.5
        own["head.bias"].view(joints, 4)[:, :2] *= 0.5
        for name in ("per_edge.1.weight", "per_edge.1.bias"):
            if name in own:
                own[name][:, :2] *= 0.5
