"""Trains one network from a config; can be stopped at any time and resumed with the same command."""

import copy
import json
import time
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from ..bends import CLASSES, HINGE_JOINTS, classes_of, flexion
from ..files import replaced
from ..models import build
from ..normalise import Encoded
from ..runtime import WEIGHTS, batched, taps_of, window
from ..skeleton import EDGES, JOINT, JOINT_MIRROR, JOINT_NAMES
from .evaluate import Predict, score, validation_set
from .limbs import repaired, report
from .mocap import Motion, load_motion, with_own
from .noise import Detector, fitted
from .paired import Paired, draw_paired, prepare
from .readers import read_folder
from .samples import Sequences, draw, window_rows
from .synthetic.pairs import read_pairs

_SEQUENCES = 192  # drawn together
_EACH = 32  # samples of each
_WARM_UP = 200_000  # samples
_CHECKPOINT_SECONDS = 120.0
_EMA = 0.999
_PAIRED = 0.15  # of the sequences are rendered pairs, where there are any
_SIGMA_WEIGHT = 0.004  # of the expected error's own loss; it must not pull at the joints
_BEND_WEIGHT = 0.004  # of the cross-entropy of how far knees and elbows are bent

# derived and outer joints count less than the limbs the eye follows
_WEIGHTS = {"nose": 0.5, "ear": 0.4, "heel": 0.6, "toe": 0.6, "hand": 0.6, "spine": 0.6, "head": 0.6}


class Config(NamedTuple):
    """What a training is: read from a TOML file."""

    network: str
    arguments: dict[str, Any]
    samples: int
    batch: int
    rate: float
    seed: int
    start: str = ""  # a shipped network to start from

    @classmethod
    def read(cls, path: Path) -> "Config":
        """The config in ``path``; unknown or missing keys raise TypeError."""
        return cls(**tomllib.loads(path.read_text()))

    def network_arguments(self) -> dict[str, Any]:
        """The network's constructor arguments, the skeleton's included."""
        return dict(self.arguments, joints=len(JOINT_NAMES), **skeleton_arguments(self.network))

    def taps(self) -> tuple[int, ...]:
        """The frames a sample holds, in 30ths of a second from the one that is answered; empty = that one alone."""
        return taps_of(self.arguments)

    def build(self) -> nn.Module:
        """The network with fresh weights, or those it starts from.

        Raises:
            FileNotFoundError: the network to start from is not shipped.
        """
        network = build(self.network, **self.network_arguments())
        if self.start:
            network.start_from(load_file(WEIGHTS / f"{self.start}.safetensors"))  # type: ignore[operator]
        return network


# pairs of joints that say something of each other though no bone joins them
_PAIRS = [(JOINT[f"left_{part}"], JOINT[f"right_{part}"]) for part in ("hip", "shoulder", "ear")]
_LIMBS = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "heel", "toe"))


def skeleton_arguments(network: str) -> dict[str, Any]:
    """What a network of that name has to know of this house's skeleton, beside the number of joints."""
    if network == "residual_mlp":
        return {}
    if network == "temporal":
        return {"edges": [*EDGES, *_PAIRS], "hinges": list(HINGE_JOINTS), "bends": CLASSES}
    if network != "spatial_temporal":
        return {"edges": [*EDGES, *_PAIRS]}
    limbs = [[JOINT[f"{side}_{part}"] for part in parts] for parts in _LIMBS for side in ("left", "right")]
    trunk = [j for j in range(len(JOINT_NAMES)) if not any(j in limb for limb in limbs)]
    return {
        "edges": list(EDGES),
        "symmetric": [(j, int(m)) for j, m in enumerate(JOINT_MIRROR) if j < m],
        "parts": [*limbs, trunk],
        "part_pairs": [(0, 1), (2, 3)],
        "centre": JOINT["spine"],
    }


def predictor(network: nn.Module, arguments: dict[str, Any]) -> Predict:
    """The network as Model.predict, in evaluation mode."""
    device = next(network.parameters()).device

    def run(nodes: Any, flat: Any) -> Any:
        network.eval()
        with torch.inference_mode():
            return network(torch.from_numpy(nodes).to(device), torch.from_numpy(flat).to(device)).cpu().numpy()

    return batched(run, arguments)


class Drawn(NamedTuple):
    """One chunk of training: M frames, which of them each sample sees (N, W), -1 = none, all frames' joints (M, J, 3) and the
    classes of their bends (M, H).
    """

    encoded: Encoded
    rows: NDArray[np.intp]
    target: Tensor
    bends: Tensor


def draw_chunk(motion: Motion, paired: Paired | None, model: Detector, taps: tuple[int, ...], rng: Any) -> Drawn:
    """Fresh sequences (some of them rendered pairs, if there are any) and random frames of them, shuffled."""
    count = round(_SEQUENCES * _PAIRED) if paired else 0
    parts: list[Sequences] = [draw(motion, _SEQUENCES - count, model, rng)]
    if paired:
        parts.append(draw_paired(paired, count, rng))
    encoded = Encoded(*(np.concatenate(a) for a in zip(*(p.encoded for p in parts), strict=True)))
    target = np.concatenate([p.target for p in parts])
    there = np.concatenate([p.there for p in parts])
    # of each sequence as many frames, of those that it has
    order = np.argsort(np.where(there, rng.random(there.shape), 2), axis=1)[:, :_EACH]
    centres = np.stack([np.repeat(np.arange(len(there)), order.shape[1]), order.reshape(-1)], 1)
    centres = rng.permutation(centres[there[centres[:, 0], centres[:, 1]]])
    bends = torch.from_numpy(classes_of(flexion(target)))
    return Drawn(encoded, window_rows(there, taps or (0,), centres), torch.from_numpy(target), bends)


def _schedule(seen: int, total: int) -> float:
    if seen < _WARM_UP:
        return seen / _WARM_UP
    x = min(1.0, (seen - _WARM_UP) / max(1, total - _WARM_UP))
    return 0.5 * (1 + float(np.cos(np.pi * x))) * 0.99 + 0.01


def train(
    config: Config,
    data: Path,
    out: Path,
    pairs: Path | None = None,
    own: Path | None = None,
) -> nn.Module:
    """Runs or resumes a training; returns the averaged network.

    On a CUDA device if there is one, else on one thread of the CPU; in bf16 where that is multiplied faster.

    Args:
        data: folder with cmu_60.npz and cmu_full_30.npz (and hdm05_60.npz for a second validation).
        out: folder of the run: ``checkpoint.pt`` and ``log.jsonl``.
        pairs: a packed file of rendered pairs to mix in (those of training subjects) and to validate on (the others).
        own: a folder of your own .bvh, .amc or .npz files, which get three of ten draws; their limbs are repaired as all are
            (limbs.py), and what was found is printed.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out.mkdir(parents=True, exist_ok=True)
    network = config.build().to(device)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=1e-4)
    forward = torch.compile(network) if device.type == "cuda" else network
    seen, chunk, spent = 0, 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        seen, chunk, spent = state["seen"], state["chunk"], state["spent"]
    model, taps = fitted(), config.taps()
    middle = taps.index(0) if taps else 0
    sets = {
        "cmu noisy": validation_set(data / "cmu_60.npz", False, model),
        "cmu clean": validation_set(data / "cmu_60.npz", True, model),
    }
    if (data / "hdm05_60.npz").exists():
        sets["hdm05 noisy"] = validation_set(data / "hdm05_60.npz", False, model)
    paired = None
    if pairs is not None:
        paired = prepare(read_pairs(pairs, "train"))
        if held_out := read_pairs(pairs, "val"):
            sets["pairs"] = draw_paired(prepare(held_out), 0, np.random.default_rng(0), exact=True)
    motion = load_motion(data)
    if own is not None:
        clips = list(read_folder(own))
        print(f"Your own motion: {report(clips)}", flush=True)
        motion = with_own(motion, repaired(clips))
    weights = torch.tensor([_WEIGHTS.get(name.split("_")[-1], 1.0) for name in JOINT_NAMES], device=device)
    weights /= weights.mean()
    arguments = config.network_arguments()
    channels, flat_channels = arguments.get("channels", 3), arguments.get("global_channels", 3)

    def save() -> None:
        state = {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "seen": seen,
            "chunk": chunk,
            "spent": spent,
        }
        with replaced(checkpoint) as temporary:
            torch.save(state, temporary)
        line: dict[str, Any] = {"samples": seen, "seconds": round(spent), "loss_mm": round(running * 1000, 1)}
        line |= {name: str(score(predictor(average, arguments), s, taps)) for name, s in sets.items()}
        with open(out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    running, last, began = 0.0, time.monotonic(), _clock()
    while seen < config.samples:
        # a chunk's random numbers depend on its number only, so a resumed run goes on as if never stopped
        drawn = draw_chunk(motion, paired, model, taps, np.random.default_rng([config.seed, chunk]))
        torch.manual_seed(config.seed * 1_000_003 + chunk)  # dropout
        nodes, flat = drawn.encoded.nodes[..., :channels], drawn.encoded.globals[..., :flat_channels]
        network.train()
        for i in range(0, len(drawn.rows), config.batch):
            rows = drawn.rows[i : i + config.batch]
            x, g = window(nodes, rows), window(flat, rows)
            if not taps:
                x, g = x[:, 0], g[:, 0]
            for group in optimiser.param_groups:
                group["lr"] = config.rate * _schedule(seen, config.samples)
            with torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bf16(device)):
                answer = forward(torch.from_numpy(x).to(device), torch.from_numpy(g).to(device)).float()
            wanted = torch.from_numpy(rows)
            if answer.dim() == 4:  # networks that answer for every frame of the window learn from every frame
                answer, wanted = answer[wanted >= 0], wanted[wanted >= 0]
            else:
                wanted = wanted[:, middle]
            loss, position = _loss(answer, drawn.target[wanted].to(device), drawn.bends[wanted].to(device), weights)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            seen += len(rows)
            running = 0.99 * running + 0.01 * position if running else position
            _follow(average, network, min(_EMA, 1 - 10 * config.batch / max(seen, 10 * config.batch)))
        chunk += 1
        spent += _clock() - began
        began = _clock()
        if time.monotonic() - last > _CHECKPOINT_SECONDS or seen >= config.samples:
            save()
            last, began = time.monotonic(), _clock()
    average.eval()
    return average


def multiplies_bf16(device: torch.device) -> bool:
    """Whether bf16 makes matrix products faster there: on CUDA devices, and on CPUs with instructions for it."""
    found = torch.cpu.get_capabilities()
    return device.type == "cuda" or any(found.get(name) for name in ("amx_bf16", "avx512_bf16"))


def _clock() -> float:
    """Seconds of work: of the processor itself, so that a busy machine does not count, or of the wall beside a GPU."""
    return time.monotonic() if torch.cuda.is_available() else time.process_time()


def _loss(answer: Tensor, target: Tensor, bends: Tensor, weights: Tensor) -> tuple[Tensor, float]:
    """Weighted mean joint distance; where the network says what error to expect, that as a Laplace likelihood too, and where it
    says how far knees and elbows are bent, the cross-entropy of that.
    """
    error = torch.linalg.vector_norm(answer[..., :3] - target, dim=-1)
    loss = (error * weights).mean()
    position = loss.item()
    if answer.shape[-1] > 3:
        log = answer[..., 3].clamp(-6, 1)
        loss = loss + _SIGMA_WEIGHT * (error.detach() * torch.exp(-log) + log).mean()
    if answer.shape[-1] > 4:
        logits = answer[:, list(HINGE_JOINTS), 4:]
        loss = loss + _BEND_WEIGHT * nn.functional.cross_entropy(logits.flatten(0, 1), bends.flatten())
    return loss, position


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for a, b in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(b, 1 - decay)
        else:
            a.copy_(b)
