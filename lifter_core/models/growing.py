"""Initial weights from a trained network: for a temporal network from a residual MLP or from a narrower temporal network."""

import torch
from torch import Tensor

State = dict[str, Tensor]

_JITTER = 0.05  # noise on duplicated units, relative to the weights' standard deviation, so that they can diverge


def from_residual_mlp(own: State, other: State, joints: int, channels: int) -> None:
    """Copies a residual MLP of the same width and blocks into ``own``, the state of a Temporal, in place.

    The result initially lifts the middle frame from 2D; weights of other frames and inputs start small.

    Raises:
        KeyError, RuntimeError: not such a network's state.
    """
    for name, value in other.items():
        if name.startswith(("stem.1", "blocks")):
            own[name].copy_(value)
    stem, learned = own["stem.0.weight"], other["stem.0.weight"]
    plain = learned.shape[1] // (joints + 1)  # channels of a joint, equal to the number of globals
    middle = stem.shape[1] - 2 - (joints + 1) * channels
    columns = [middle + j * channels + c for j in range(joints + 1) for c in range(plain)]
    stem[:, :middle] *= 0.3
    stem[:, middle:] = 0.02 * torch.randn_like(stem[:, middle:])
    stem[:, columns] = learned
    own["head.weight"].view(joints, 4, -1)[:, :3] = other["head.weight"].view(joints, 3, -1)
    own["head.weight"].view(joints, 4, -1)[:, 3] = 0
    own["head.bias"].view(joints, 4)[:, :3] = other["head.bias"].view(joints, 3)
    own["gate.bias"][:joints] = -20  # gate closed: the output is that of the MLP; training opens it
    own["gate.weight"].zero_()


def from_narrower(own: State, other: State, joints: int) -> None:
    """Takes over a Temporal of the same inputs, blocks and per-edge layers whose trunk is at most as wide: some units are
    duplicated and share the outgoing weight (Chen et al., Net2Net, ICLR 2016). In place, in ``own``.

    If ``other`` has no back-projection (gate), that starts with half of the output. If it has no classes of bends, the layer
    for them keeps its initial weights.

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
