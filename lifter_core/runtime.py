"""Where a network runs: torch (CUDA, MPS, CPU) where it and safetensors can be imported, else ONNX Runtime.

Both give the same numbers.
"""

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
_BATCH = 256  # poses at a time: fits the processor's caches (10 % faster) and bounds the memory for long clips


class Model(NamedTuple):
    """A network that is loaded and can be run.

    Attributes:
        name: its name; device: backend and device (``torch cuda``, ``onnxruntime cpu``).
        predict: takes Encoded of M frames and windows (N, W): indices of frames, -1 = no frame; None = a window for every
            frame that holds that frame alone. Returns (N, J, 3 + ...): joints in metres at standard size in the virtual
            camera's axes; then, if the network gives them, the log of each joint's expected error and the logits of its bends.
        taps: the frames of a window, in 30ths of a second relative to the frame to lift; empty = that frame alone.
        knows_up: whether the network uses the direction up.
    """

    name: str
    device: str
    predict: Callable[[Encoded, NDArray[np.intp] | None], Array]
    taps: tuple[int, ...] = ()
    knows_up: bool = False


def shipped() -> dict[str, dict[str, Any]]:
    """The networks in the package: name -> contents of its .json (network, arguments, training, figures)."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(WEIGHTS.glob("*.json"))}


def load(name: str = DEFAULT_MODEL, device: str = "auto", backend: str = "auto") -> Model:
    """Loads a shipped network.

    Args:
        name: one of shipped(); device: ``auto`` takes CUDA, else MPS, else the CPU.
        backend: ``torch``, ``onnxruntime``, or ``auto`` = torch where all that it needs can be imported.

    Raises:
        BadInputError: no such network, or the device is not available.
    """
    cards = shipped()
    if name not in cards:
        raise BadInputError(f"There is no model {name}; choose one of: {', '.join(cards)}.")
    if members := cards[name].get("members"):
        return mean_of(name, [load(member, device, backend) for member in members], list(members.values()))
    if backend == "auto":
        with_torch = (WEIGHTS / f"{name}.safetensors").is_file() and _torch_can_be_used()
        backend = "torch" if with_torch else "onnxruntime"
    if backend == "torch":
        return _with_torch(name, cards[name], device)
    if device not in ("auto", "cpu"):
        raise BadInputError(
            f"The device {device} needs torch and safetensors, which are not both installed; "
            "use --device cpu or run: pip install torch safetensors"
        )
    return _with_onnxruntime(name, cards[name])


def mean_of(name: str, members: list[Model], weights: list[float]) -> Model:
    """Networks that err differently, together: the weighted mean of their joints; expected error and bends are the first one's.

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
        out[..., :3] = np.average([out[..., :3], *others], axis=0, weights=weights)
        return out

    return first._replace(name=name, predict=predict)


def _torch_can_be_used() -> bool:
    """Whether torch and what reads its weights can be imported: an installed torch may come alone, or be broken."""
    try:
        import safetensors.torch  # noqa: F401
        import torch  # noqa: F401
    except (ImportError, OSError):  # OSError: a library of torch's that cannot be loaded
        return False
    return True


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
    # idle threads must not busy-wait: Blender needs the cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
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
    """Model.taps of a network built with these arguments: its ``taps``, or ``frames`` consecutive frames."""
    half = arguments.get("frames", 1) // 2
    return tuple(arguments.get("taps", range(-half, half + 1) if half else ()))


def window(values: Array, windows: NDArray[np.intp]) -> Array:
    """(N, W, ...) the values of each window's frames, zeros where the index is -1. values (M, ...), windows (N, W)."""
    out = values[windows]
    out[windows < 0] = 0
    return out


def batched(
    run: Callable[[Array, Array], Array], arguments: dict[str, Any]
) -> Callable[[Encoded, NDArray[np.intp] | None], Array]:
    """Model.predict for a network: builds windows and runs it batch by batch.

    Args:
        run: the network on arrays (nodes, globals); arguments: those that the network was built with.
    """
    channels = arguments.get("channels", PLAIN_CHANNELS)
    flat_channels = arguments.get("global_channels", PLAIN_CHANNELS)
    taps, joints = taps_of(arguments), arguments["joints"]

    def part(encoded: Encoded, rows: NDArray[np.intp]) -> Array:
        if not taps:  # the network takes single frames: a window has one index
            nodes, flat = encoded.nodes[rows[:, 0]], encoded.globals[rows[:, 0]]
        else:
            nodes, flat = window(encoded.nodes, rows), window(encoded.globals, rows)
        out = run(np.ascontiguousarray(nodes[..., :channels]), np.ascontiguousarray(flat[..., :flat_channels]))
        return out[:, taps.index(0)] if out.ndim == 4 else out  # some networks return every frame of the window

    def predict(encoded: Encoded, windows: NDArray[np.intp] | None) -> Array:
        count = len(encoded.nodes) if windows is None else len(windows)
        if windows is None or not taps:
            windows = np.full((count, len(taps) or 1), -1)
            windows[:, taps.index(0) if taps else 0] = np.arange(count)
        parts = [part(encoded, windows[i : i + _BATCH]) for i in range(0, count, _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, joints, 3), np.float32)

    return predict
