"""Small real things for the engine's tests: made videos, the shared clips, the detector's models."""

import contextlib
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from lifter_core.detect.models import find_model
from lifter_core.errors import BadInputError

MakeVideo = Callable[..., Path]

settings.register_profile("lift", deadline=None)  # the first call pays for imports, a busy machine for the rest
settings.load_profile("lift")
# two threads waiting for each other on a busy machine make small networks many times slower
with contextlib.suppress(ImportError):
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def shared() -> Path:
    """The folder of shared clips; the test is skipped where it is absent."""
    folder = Path(os.environ.get("LIFT_SHARED") or Path(__file__).parents[2].parent / "shared")
    if not (folder / "clips").is_dir():
        pytest.skip("no shared clips here (set LIFT_SHARED to their folder)")
    return folder


@pytest.fixture
def detector() -> str:
    """The name of the quickest detector whose model is here; the test is skipped where there is none."""
    for name in ("lite", "full", "heavy"):
        try:
            find_model(name)
        except BadInputError:
            continue
        return name
    pytest.skip("no detector model here (run: lifter setup)")


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Encodes (h, w, 3) uint8 pictures; ``ticks`` are their timestamps in 1/1000 s."""

    def make(
        pictures: list[NDArray[np.uint8]],
        ticks: list[int],
        name: str = "clip.mp4",
        codec: str = "mpeg4",
        rotation: int = 0,
        aspect: Fraction | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if rotation:
                stream.set_display_rotation(rotation)
            for picture, tick in zip(pictures, ticks, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = tick, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
