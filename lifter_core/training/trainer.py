"""Trains one network from a config; can be stopped at any time and resumed with the same command."""

import copy
import json
import time
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..files import replaced
from ..models import build
from ..normalise import Encoded
from ..skeleton import EDGES, JOINT, JOINT_MIRROR, JOINT_NAMES
from .evaluate import Predict, score, validation_set
from .mocap import load_poses
from .samples import draw

_CHUNK = 4096  # samples drawn together
_WARM_UP = 200_000  # samples
_CHECKPOINT_SECONDS = 120.0
_EMA = 0.9995

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

    @classmethod
    def read(cls, path: Path) -> "Config":
        """The config in ``path``; unknown or missing keys raise TypeError."""
        return cls(**tomllib.loads(path.read_text()))

    def network_arguments(self) -> dict[str, Any]:
        """The network's constructor arguments, the skeleton's included."""
        return dict(self.arguments, joints=len(JOINT_NAMES), **skeleton_arguments(self.network))

    def build(self) -> nn.Module:
        """The network with fresh weights."""
        return build(self.network, **self.network_arguments())


# pairs of joints that say something of each other though no bone joins them
_PAIRS = [(JOINT[f"left_{part}"], JOINT[f"right_{part}"]) for part in ("hip", "shoulder", "ear")]
_LIMBS = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "heel", "toe"))


def skeleton_arguments(network: str) -> dict[str, Any]:
    """What a network of that name has to know of this house's skeleton, beside the number of joints."""
    if network == "residual_mlp":
        return {}
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


def tensors(encoded: Encoded) -> tuple[Tensor, Tensor]:
    """Network input as torch tensors."""
    return torch.from_numpy(encoded.nodes), torch.from_numpy(encoded.globals)


def predictor(network: nn.Module, batch: int = 2048) -> Predict:
    """The network as a function on Encoded, in evaluation mode."""

    def predict(encoded: Encoded) -> Any:
        network.eval()
        nodes, flat = tensors(encoded)
        with torch.inference_mode():
            parts = [network(nodes[i : i + batch], flat[i : i + batch]) for i in range(0, len(nodes), batch)]
        return torch.cat(parts).numpy()

    return predict


def _schedule(seen: int, total: int) -> float:
    if seen < _WARM_UP:
        return seen / _WARM_UP
    x = min(1.0, (seen - _WARM_UP) / max(1, total - _WARM_UP))
    return 0.5 * (1 + float(np.cos(np.pi * x))) * 0.99 + 0.01


def train(config: Config, data: Path, out: Path) -> nn.Module:
    """Runs or resumes a training; returns the averaged network.

    Args:
        data: folder with cmu_60.npz and cmu_full_30.npz (and hdm05_60.npz for a second validation).
        out: folder of the run: ``checkpoint.pt`` and ``log.jsonl``.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    out.mkdir(parents=True, exist_ok=True)
    network = config.build()
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=1e-4)
    seen, spent = 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        seen, spent = state["seen"], state["spent"]
    sets = {
        "cmu noisy": validation_set(data / "cmu_60.npz", clean=False),
        "cmu clean": validation_set(data / "cmu_60.npz", clean=True),
    }
    if (data / "hdm05_60.npz").exists():
        sets["hdm05 noisy"] = validation_set(data / "hdm05_60.npz", clean=False)
    poses = load_poses(data)
    weights = torch.tensor([_WEIGHTS.get(name.split("_")[-1], 1.0) for name in JOINT_NAMES])[:, None]
    weights /= weights.mean()

    def save() -> None:
        state = {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "seen": seen,
            "spent": spent,
        }
        with replaced(checkpoint) as temporary:
            torch.save(state, temporary)
        figures = {name: score(predictor(average), s) for name, s in sets.items()}
        line: dict[str, Any] = {"samples": seen, "seconds": round(spent), "loss_mm": round(running * 1000, 1)}
        line |= {name: f"{f.pa_mpjpe:.1f} / {f.mpjpe:.1f}" for name, f in figures.items()}
        with open(out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    running, last, began = 0.0, time.monotonic(), time.monotonic()
    while seen < config.samples:
        # a chunk's random numbers depend on where it stands only, so a resumed run goes on as if never stopped
        chunk = seen // _CHUNK
        samples = draw(poses, _CHUNK, np.random.default_rng([config.seed, chunk]))
        torch.manual_seed(config.seed * 1_000_003 + chunk)  # the order of the batches, and dropout
        nodes, flat = tensors(samples.encoded)
        target = torch.from_numpy(samples.target)
        order = torch.randperm(_CHUNK)
        network.train()
        for i in range(0, _CHUNK, config.batch):
            rows = order[i : i + config.batch]
            for group in optimiser.param_groups:
                group["lr"] = config.rate * _schedule(seen, config.samples)
            error = torch.linalg.vector_norm(network(nodes[rows], flat[rows]) - target[rows], dim=-1, keepdim=True)
            loss = (error * weights).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            seen += len(rows)
            running = 0.99 * running + 0.01 * loss.item() if running else loss.item()
            _follow(average, network, min(_EMA, 1 - 10 * config.batch / max(seen, 10 * config.batch)))
        now = time.monotonic()
        spent += now - began
        began = now
        if now - last > _CHECKPOINT_SECONDS or seen >= config.samples:
            save()
            last = began = time.monotonic()
    average.eval()
    return average


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for a, b in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(b, 1 - decay)
        else:
            a.copy_(b)
