"""How long work reports itself: a callable that the stages call, and three ways to show it.

A stage calls ``report(stage, done, total)`` now and then. ``stage`` is read, detect, lift, solve or write; ``total`` is
0 while unknown.
"""

import json
import sys
import time
from typing import Any, Protocol, TextIO


class Report(Protocol):
    """What every long function takes: called with the stage's name, the units done and the units in all (0 = unknown)."""

    def __call__(self, stage: str, done: int, total: int, message: str = "") -> None: ...


def silent(stage: str, done: int, total: int, message: str = "") -> None:
    """Reports nothing."""


class JsonLines:
    """One JSON object a line: stage, done, total, message, and in the middle of a stage fps and eta (seconds).

    The Blender add-on reads these; the last line of a run is ``{"stage": "done", "take": PATH}`` or ``{"error": ...}``.
    """

    def __init__(self, stream: TextIO | None = None, interval: float = 0.1) -> None:
        self._stream = stream or sys.stdout
        self._interval = interval
        self._stage = ""
        self._began = self._last = 0.0

    def __call__(self, stage: str, done: int, total: int, message: str = "") -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._last = stage, now, 0.0
        finished = total > 0 and done >= total
        if not finished and now - self._last < self._interval:
            return
        self._last = now
        line: dict[str, object] = {"stage": stage, "done": done, "total": total, "message": message}
        if done and now > self._began:
            rate = done / (now - self._began)
            line["fps"] = round(rate, 1)
            if total:
                line["eta"] = round((total - done) / rate, 1)
        self.send(line)

    def send(self, line: dict[str, object]) -> None:
        """Writes one object as a line and flushes it."""
        print(json.dumps(line), file=self._stream, flush=True)


class Bar:
    """A tqdm bar a stage, on standard error."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._make = tqdm
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int, message: str = "") -> None:
        if stage != self._stage or self._bar is None:
            self.close()
            self._bar = self._make(total=total or None, desc=f"{stage:>6}", unit="f", dynamic_ncols=True)
            self._stage = stage
        if total and self._bar.total != total:
            self._bar.total = total
        self._bar.update(done - self._bar.n)
        if message:
            self._bar.set_postfix_str(message, refresh=False)

    def close(self) -> None:
        """Leaves the finished bar on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """Plain lines for what is no terminal (a pipe, a file, a build log): one where a stage begins, then one each 10 %.

    While the total is unknown, a line comes each time the units done have doubled from 100 on.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._stage = ""
        self._next = 0

    def __call__(self, stage: str, done: int, total: int, message: str = "") -> None:
        if stage != self._stage:
            self._stage, self._next = stage, 0
        reached = done * 100 // total if total else done
        if reached < self._next:
            return
        self._next = reached // 10 * 10 + 10 if total else max(100, 2 * reached)
        how_far = f"{done}/{total} ({reached} %)" if total else str(done)
        print(f"{stage}: {how_far}{f', {message}' if message else ''}", file=self._stream, flush=True)

    def close(self) -> None:
        """Does nothing: each line is written when it is due."""


def for_people(stream: TextIO | None = None) -> Bar | Lines:
    """A bar where standard error (or ``stream``) is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return Bar() if stream.isatty() else Lines(stream)
