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
DEFAULT_MODEL = "temporal"
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
        backend: ``torch``, ``onnxruntime``, or ``auto`` = torch where all that it needs can be imported.

    Raises:
        BadInputError: no such network, or the device is not there.
    """
    cards = shipped()
    if name not in cards:
        raise BadInputError(f"There is no model {name}; choose one of: {', '.join(cards)}.")
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
