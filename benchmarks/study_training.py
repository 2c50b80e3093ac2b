"""The training of the study's networks (benchmarks/study.py is its command line): samples drawn once, equal compute, and
the figures of each run.
"""

import copy
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifter_core.files import replaced
from lifter_core.normalise import Encoded
from lifter_core.runtime import window
from lifter_core.training import metrics
from lifter_core.training.evaluate import validation_set
from lifter_core.training.export import example_input
from lifter_core.training.mocap import load_motion
from lifter_core.training.noise import FITTED, fitted
from lifter_core.training.samples import Sequences, draw, window_rows
from lifter_core.training.trainer import Config, multiplies_bf16, predictor

MARKS = (2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000)
CHECKPOINT_SECONDS = 30.0  # of training steps
WARM_UP = 50  # steps
SEQUENCES, EACH = 192, 24  # of a chunk of samples, and samples of each
VALIDATION = 160  # sequences,
ANSWERED = range(39, 51)  # frames of each that are answered for, of 90
GCN: dict[str, Any] = {"width": 128, "blocks": 4}
TAPS = (-40, -31, -25, -20, -16, -13, -10, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 31, 40)
OURS: dict[str, Any] = {"embed": 128, "width": 640, "refine": 16}  # half the flagship's trunk: learns faster at first
PLAIN: dict[str, Any] = OURS | {"channels": 3, "global_channels": 3}

# name in the table -> (network, arguments, samples a step: some 250 poses)
SYSTEMS: dict[str, tuple[str, dict[str, Any], int]] = {
    "residual MLP (Martinez 2017)": ("residual_mlp", {"width": 1024, "blocks": 2}, 256),
    "GCN, Eq. 1 (full sharing)": ("gcn", GCN | {"sharing": "full"}, 256),
    "full, decoupled": ("gcn", GCN | {"sharing": "full", "decoupled": True}, 256),
    "pre-aggregation": ("gcn", GCN | {"sharing": "pre"}, 256),
    "pre-aggregation, decoupled": ("gcn", GCN | {"sharing": "pre", "decoupled": True}, 256),
    "post-aggregation": ("gcn", GCN | {"sharing": "post"}, 256),
    "post-aggregation, decoupled": ("gcn", GCN | {"sharing": "post", "decoupled": True}, 256),
    "convolution style": ("gcn", GCN | {"sharing": "convolution"}, 256),
    "no sharing (per edge)": ("gcn", GCN | {"sharing": "none"}, 256),
    "locally connected, k = 3 (Ci 2019)": ("locally_connected", {"width": 64, "blocks": 3, "hops": 3}, 256),
    "spatial-temporal, 1 frame (Cai 2019)": ("spatial_temporal", {"frames": 1}, 256),
    "spatial-temporal, 3 frames": ("spatial_temporal", {"frames": 3}, 84),
    "spatial-temporal, 7 frames": ("spatial_temporal", {"frames": 7}, 36),
    "ours, one frame, 2D only": ("temporal", PLAIN | {"taps": [0]}, 256),
    "ours, 27 frames, 2D only": ("temporal", PLAIN | {"taps": TAPS}, 256),
    "ours, 27 frames, own 3D and up": ("temporal", OURS | {"taps": TAPS, "channels": 6, "global_channels": 6}, 256),
}


class Chunk(NamedTuple):
    """Samples: (C * T, ...) frames, their joints, (C, T) which are there, and (N, 2) the sequence and frame of each sample."""

    nodes: NDArray[Any]
    flat: NDArray[Any]
    target: NDArray[Any]
    there: NDArray[np.bool_]
    centres: NDArray[Any]


class Data:
    """The samples of all runs, drawn when first asked for and kept on disk; the validation sets."""

    def __init__(self, mocap: Path, out: Path) -> None:
        self.mocap, self.place = mocap, out / "samples"
        noise = out / "noise.npz"  # a fit made meanwhile must not divide the runs
        if not noise.exists():
            with replaced(noise) as temporary:
                shutil.copyfile(FITTED, temporary)
        self.detector = fitted(noise)
        self.validation = {
            label: validation_set(mocap / "cmu_60.npz", clean, self.detector, VALIDATION)
            for label, clean in (("noisy", False), ("clean", True))
        }

    def chunk(self, seed: int, number: int) -> Chunk:
        """Chunk ``number`` of that seed."""
        path = self.place / str(seed) / f"{number}.npz"
        if not path.exists():
            rng = np.random.default_rng([seed, number])
            drawn = draw(load_motion(self.mocap), SEQUENCES, self.detector, rng)
            frames = np.argsort(np.where(drawn.there, rng.random(drawn.there.shape), 2), axis=1)[:, :EACH]
            centres = np.stack([np.repeat(np.arange(SEQUENCES), EACH), frames.reshape(-1)], 1)
            centres = rng.permutation(centres[drawn.there[centres[:, 0], centres[:, 1]]])
            half = [x.astype(np.float16) for x in drawn.encoded[:2]]
            target = np.round(drawn.target * 1e4).astype(np.int16)
            with replaced(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, *half, target, drawn.there, centres.astype(np.int16))
        with np.load(path) as z:
            nodes, flat, target, there, centres = z.values()
        return Chunk(
            nodes.astype(np.float32),
            flat.astype(np.float32),
            target.astype(np.float32) * 1e-4,
            there,
            centres.astype(int),
        )


def measure(network: nn.Module, config: Config, sequences: Sequences, step: int = 1) -> list[float]:
    """PA-MPJPE, MPJPE (mm), and with ``step`` 1 MPJVE (mm a frame) and acceleration error (mm a frame^2) at 30 fps, over every
    step-th of the ANSWERED frames of the sequences that have them all; limb joints about the hips, true body size.
    """
    frames = np.array(ANSWERED[::step])
    rows = np.flatnonzero(sequences.there[:, frames].all(1))
    centres = np.stack([np.repeat(rows, len(frames)), np.tile(frames, len(rows))], 1)
    at = centres[:, 0] * sequences.there.shape[1] + centres[:, 1]
    taps, predict = config.taps(), predictor(network, config.network_arguments())
    if taps:
        out = predict(sequences.encoded, window_rows(sequences.there, taps, centres))
    else:
        out = predict(Encoded(*(x[at] for x in sequences.encoded)), None)
    size, view = sequences.size[at, None, None], sequences.encoded.view[at]
    got, true = out[..., :3] * size, sequences.target[at] * size
    figures = [float(metric(got, true).mean()) for metric in (metrics.pa_mpjpe, metrics.mpjpe)]
    if step == 1:  # motion is compared in the camera's axes, which stand still
        clips = [(x @ view.swapaxes(1, 2)).reshape(len(rows), len(frames), -1, 3) for x in (got, true)]
        for metric in (metrics.mpjve, metrics.acceleration_error):
            figures.append(float(np.mean([metric(a, b).mean() for a, b in zip(*clips, strict=True)])))
    return [round(x, 1) for x in figures]


def poses_a_second(network: nn.Module, config: Config, batch: int, seconds: float = 1.0) -> float:
    """Poses a second of processor time, one thread, without flip averaging."""
    example = example_input(config, batch)
    network.eval()
    with torch.inference_mode():
        network(*(x[: min(batch, 64)] for x in example))
        began, done = time.process_time(), 0
        while time.process_time() - began < seconds:
            network(*example)
            done += batch
    return done / (time.process_time() - began)


class Run:
    """One network of one seed: trains, and writes checkpoint.pt, log.jsonl and result-SECONDS.json."""

    def __init__(self, name: str, seed: int, out: Path) -> None:
        self.name, self.seed = name, seed
        network, arguments, self.batch = SYSTEMS[name]
        self.config = Config(network, arguments, 10**9, self.batch, 1e-3, seed)
        self.place = out / re.sub(r"\W+", "-", name.lower()).strip("-") / str(seed)
        self.place.mkdir(parents=True, exist_ok=True)

    def done(self, seconds: float) -> bool:
        """Whether it was trained for that long."""
        return (self.place / f"result-{seconds:g}.json").exists()

    def _start(self) -> None:
        torch.manual_seed(self.seed)
        self.half = multiplies_bf16(torch.device("cpu"))
        self.network = self.config.build()
        self.average = copy.deepcopy(self.network)
        # the fused step is one pass over the weights
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=self.config.rate, weight_decay=1e-4, fused=True
        )
        self.seen, self.steps, self.chunk, self.first, self.spent = 0, 0, 0, 0, 0.0
        path = self.place / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            for part in ("network", "average", "optimiser"):
                getattr(self, part).load_state_dict(state[part])
            self.seen, self.steps, self.chunk, self.first, self.spent = state["counts"]

    def _save(self) -> None:
        state = {part: getattr(self, part).state_dict() for part in ("network", "average", "optimiser")}
        with replaced(self.place / "checkpoint.pt") as temporary:
            torch.save(state | {"counts": (self.seen, self.steps, self.chunk, self.first, self.spent)}, temporary)

    def _log(self, data: Data) -> None:
        self._save()
        line = {
            "samples": self.seen, "seconds": round(self.spent, 1),
            "noisy": measure(self.average, self.config, data.validation["noisy"], 3),
        }  # fmt: skip
        with open(self.place / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        print(f"{self.name}, seed {self.seed}: {json.dumps(line)}", flush=True)

    def _result(self, data: Data, seconds: float) -> None:
        result: dict[str, Any] = {
            "name": self.name, "seed": self.seed, "seconds": seconds, "samples": self.seen, "batch": self.batch,
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "speed": [round(poses_a_second(self.average, self.config, n)) for n in (1, 1024)],
        }  # fmt: skip
        result |= {label: measure(self.average, self.config, s) for label, s in data.validation.items()}
        with replaced(self.place / f"result-{seconds:g}.json") as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n")

    def train(self, data: Data, seconds: float, at_least: int) -> None:
        """Trains for ``seconds`` in all, then up to ``at_least`` samples."""
        self._start()
        middle = self.config.taps().index(0) if self.config.taps() else 0
        saved = self.spent
        while not (finished := self.done(seconds)) or self.seen < at_least:
            chunk = data.chunk(self.seed, self.chunk)
            rows = window_rows(chunk.there, self.config.taps() or (0,), chunk.centres)
            self.network.train()
            while self.first < len(rows):
                began = time.process_time()
                wanted = rows[self.first : self.first + self.batch]
                self._step(chunk, wanted, middle)
                self.spent += time.process_time() - began
                before, self.seen, self.first = self.seen, self.seen + len(wanted), self.first + self.batch
                if any(before < mark <= self.seen for mark in MARKS):
                    self._log(data)
                    self.network.train()
                if not finished and self.spent >= seconds:
                    self._log(data)
                    self._result(data, seconds)
                    break
                if self.spent - saved > CHECKPOINT_SECONDS:
                    self._save()
                    saved = self.spent
                if finished and self.seen >= at_least:
                    break
            else:
                self.chunk, self.first = self.chunk + 1, 0

    def _step(self, chunk: Chunk, rows: NDArray[np.intp], middle: int) -> None:
        arguments = self.config.arguments
        nodes = window(chunk.nodes[..., : arguments.get("channels", 3)], rows)
        flat = window(chunk.flat[..., : arguments.get("global_channels", 3)], rows)
        if not self.config.taps():
            nodes, flat = nodes[:, 0], flat[:, 0]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            answer = self.network(torch.from_numpy(nodes), torch.from_numpy(flat)).float()
        if answer.dim() == 4:  # networks that answer for every frame of the window learn from every frame
            answer, wanted = answer[torch.from_numpy(rows >= 0)], rows[rows >= 0]
        else:
            wanted = rows[:, middle]
        loss = torch.linalg.vector_norm(answer[..., :3] - torch.from_numpy(chunk.target[wanted]), dim=-1).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * min(1.0, (self.steps + 1) / WARM_UP)
        self.optimiser.step()
        self.steps += 1
        _follow(self.average, self.network, min(0.999, 1 - 10 / max(self.steps, 10)))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Moves the running average on; counters are copied."""
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    floats: list[tuple[Tensor, Tensor]] = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - decay)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)


def train(mocap: Path, out: Path, seconds: float, at_least: int, seeds: list[int], names: list[str]) -> None:
    """All the runs, one after the other; prints what is left."""
    torch.set_num_threads(1)
    runs = [Run(name, seed, out) for seed in seeds for name in names]
    waiting = [run for run in runs if not run.done(seconds)]
    data = Data(mocap, out)
    began, count = time.monotonic(), 0
    for run in runs:
        todo = run in waiting
        run.train(data, seconds, at_least)
        count += todo
        if todo:
            left = (time.monotonic() - began) / count * (len(waiting) - count)
            print(f"{count} of {len(waiting)} runs done, about {left / 60:.0f} minutes left", flush=True)
