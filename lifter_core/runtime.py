"""Where a network runs: torch (CUDA, MPS, CPU) if it is installed, else ONNX Runtime; the same numbers from both."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError
from .normalise import PLAIN_CHANNELS, Encoded

Array = NDArray[Any]

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_MODEL = "mean"
_BATCH = 256  # poses at a time: what fits the caches is a tenth faster, and long clips need no memory


class Model(NamedTuple):
    """A network ready to run.

    Attributes:
        name: its name; device: where it runs (``torch cuda``, ``onnxruntime cpu``).
        predict: Encoded of M frames and windows (N, W) -> (N, J, 3 or 4) metres at standard size in the virtual camera's
            axes, and the log of the expected error where the network says it. Windows are indices of frames, -1 = none;
            None = every frame by itself.
        taps: what a window holds, in 30ths of a second from the frame that is answered; empty = that frame alone.
        knows_up: whether the direction up is of use to it.
    """

    name: str
    device: str
    predict: Callable[[Encoded, NDArray[np.intp] | None], Array]
    taps: tuple[int, ...] = ()
    knows_up: bool = False


def shipped() -> dict[str, dict[str, Any]]:
    """What is in the package: name -> what its .json says (network, arguments, training, figures)."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(WEIGHTS.glob("*.json"))}


def load(name: str = DEFAULT_MODEL, device: str = "auto", backend: str = "auto") -> Model:
    """A shipped network, ready to run.

    Args:
        device: ``auto`` takes CUDA, else MPS, else the CPU.
        backend: ``torch``, ``onnxruntime``, or ``auto`` = torch where it is installed.

    Raises:
        BadInputError: no such network, or the device is not there.
    """
    cards = shipped()
    if name not in cards:
        raise BadInputError(f"There is no model {name}; choose one of: {', '.join(cards)}.")
    if members := cards[name].get("members"):
        return mean_of(name, [load(member, device, backend) for member in members])
    if backend == "auto":
        with_torch = importlib.util.find_spec("torch") is not None and (WEIGHTS / f"{name}.safetensors").is_file()
        backend = "torch" if with_torch else "onnxruntime"
    if backend == "torch":
        return _with_torch(name, cards[name], device)
    if device not in ("auto", "cpu"):
        raise BadInputError(f"The device {device} needs torch, which is not installed; use --device cpu or install it.")
    return _with_onnxruntime(name, cards[name])


def mean_of(name: str, members: list[Model]) -> Model:
    """Networks that err differently, together: the mean of their joints; the expected error and bends are the first one's.

    The first may look at windows of frames, the others see each frame by itself.
    """
    first = members[0]

    def predict(encoded: Encoded, windows: NDArray[np.intp] | None) -> Array:
        out = first.predict(encoded, windows).copy()
        frames = encoded
        if windows is not None and first.taps:  # the others see the windows' middle frames
            middle = windows[:, first.taps.index(0)]
            frames = Encoded(*(values[middle] for values in encoded))
        others = [member.predict(frames, None)[..., :3] for member in members[1:]]
        out[..., :3] = np.mean([out[..., :3], *others], axis=0)
        return out

    return first._replace(name=name, predict=predict)


def _with_torch(name: str, card: dict[str, Any], device: str) -> Model:
    import torch
    from safetensors.torch import load_file

    from .models import build

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = next(d for d in ("cuda", "mps", "cpu") if there[d])
    if not there.get(device, False):
        raise BadInputError(f"This machine has no device {device} that torch can use; use --device cpu or auto.")
    network = build(card["network"], **card["arguments"])
    network.load_state_dict(load_file(WEIGHTS / f"{name}.safetensors"))
    network.eval().to(device)

    def run(nodes: Array, flat: Array) -> Array:
        with torch.inference_mode():
            out = network(torch.from_numpy(nodes).to(device), torch.from_numpy(flat).to(device))
            result: Array = out.cpu().numpy()
        return result

    return _model(name, f"torch {device}", run, card["arguments"])


def _with_onnxruntime(name: str, card: dict[str, Any]) -> Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the cores to the rest of Blender
    session = onnxruntime.InferenceSession(
        (WEIGHTS / f"{name}.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
    )

    def run(nodes: Array, flat: Array) -> Array:
        result: Array = session.run(None, {"nodes": nodes, "globals": flat})[0]
        return result

    return _model(name, "onnxruntime cpu", run, card["arguments"])


def _model(name: str, device: str, run: Callable[[Array, Array], Array], arguments: dict[str, Any]) -> Model:
    knows_up = arguments.get("global_channels", PLAIN_CHANNELS) > PLAIN_CHANNELS
    return Model(name, device, batched(run, arguments), taps_of(arguments), knows_up)


def taps_of(arguments: dict[str, Any]) -> tuple[int, ...]:
    """Model.taps of a network built with these arguments: its own, or ``frames`` neighbours."""
    half = arguments.get("frames", 1) // 2
    return tuple(arguments.get("taps", range(-half, half + 1) if half else ()))


def window(values: Array, windows: NDArray[np.intp]) -> Array:
    """(N, W, ...) the frames of each window; zeros where it has none. values (M, ...), windows (N, W)."""
    out = values[windows]
    out[windows < 0] = 0
    return out


def batched(
    run: Callable[[Array, Array], Array], arguments: dict[str, Any]
) -> Callable[[Encoded, NDArray[np.intp] | None], Array]:
    """A network's function on a batch of input arrays as Model.predict; ``arguments`` built the network."""
    channels = arguments.get("channels", PLAIN_CHANNELS)
    flat_channels = arguments.get("global_channels", PLAIN_CHANNELS)
    taps, joints = taps_of(arguments), arguments["joints"]

    def part(encoded: Encoded, rows: NDArray[np.intp]) -> Array:
        if not taps:  # frames by themselves: those in the windows' middles come first in ``encoded``
            nodes, flat = encoded.nodes[rows[:, 0]], encoded.globals[rows[:, 0]]
        else:
            nodes, flat = window(encoded.nodes, rows), window(encoded.globals, rows)
        out = run(np.ascontiguousarray(nodes[..., :channels]), np.ascontiguousarray(flat[..., :flat_channels]))
        return out[:, taps.index(0)] if out.ndim == 4 else out  # some networks answer for every frame

    def predict(encoded: Encoded, windows: NDArray[np.intp] | None) -> Array:
        count = len(encoded.nodes) if windows is None else len(windows)
        if windows is None or not taps:
            windows = np.full((count, len(taps) or 1), -1)
            windows[:, taps.index(0) if taps else 0] = np.arange(count)
        parts = [part(encoded, windows[i : i + _BATCH]) for i in range(0, count, _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, joints, 3), np.float32)

    return predict
