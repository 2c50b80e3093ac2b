# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engine: the queue, watched by a timer.

An application timer, not a modal operator: it outlives the window it was started from, and while a modal operator runs
Blender saves no recovery file.
"""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeVar

import bpy
from bpy.app.handlers import persistent

from lifter_core.errors import LiftError
from lifter_core.take import Take, load_take

from . import prepared, status
from .engine import Engine, EngineError
from .preferences import engine_python, processes
from .store import new_uid

INTERVAL = 0.1  # s
BREATH = 0.001  # s from one step to the next where nobody looks on
BETWEEN = 0.02  # s from one step of an arrival to the next
REDRAW = 0.25  # s from one picture of the progress to the next, at least


class State(Enum):
    """Of a run."""

    WAITING = "Waiting"
    RUNNING = "Running"
    READY = "Ready"
    DONE = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, for the user."""

    text: str
    failed: bool = False
    log: str = ""
    warning: str = ""


Steps = Generator[str, None, Outcome]  # each a short step, that yields what must end before the next, or nothing


@dataclass(eq=False)
class Run:
    """One command of the engine that makes a take, and what to do with it.

    Attributes:
        name: for the list.
        words: given the file for the take, the engine's command line.
        deliver: given the take, its file and the key, brings the take into the scene.
        take_uid: the take that is solved anew, nothing for a new one.
        key: by which what is prepared for it is found.
    """

    name: str
    words: Callable[[Path], list[str]]
    deliver: Callable[[Take, Path, str], Steps]
    take_uid: str = ""
    key: str = field(default_factory=new_uid)
    state: State = State.WAITING
    waiting_for: str = ""
    outcome: Outcome = field(default_factory=lambda: Outcome(""))
    engine: Engine | None = None
    loading: "Future[Take] | None" = None
    arrival: Steps | None = None

    @property
    def arriving(self) -> bool:
        """Whether its take is being brought in, and nothing must end first."""
        return self.arrival is not None and not self.waiting_for and not self.over

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in (State.DONE, State.FAILED, State.CANCELLED)

    def start(self) -> None:
        """Starts the engine; a failure to do so is the run's outcome."""
        folder = Path(tempfile.mkdtemp(prefix="lift-", dir=bpy.app.tempdir))
        try:
            self.engine = Engine(self.words(folder / f"{self.name}.npz"), folder, engine_python())
            self.state = State.RUNNING
        except EngineError as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._end(State.FAILED, Outcome(str(error), True))

    def step(self) -> None:
        """Takes in what the engine said, and brings the take in when it is there; never waits."""
        if self.engine is None or self.over:
            return
        self.engine.poll()
        if self.engine.running:
            return
        if self.engine.take is None:
            self._end(State.FAILED, Outcome(self.engine.error, True, self.engine.log_tail()))
        elif self.loading is None:
            self.state = State.READY
            self.loading = _loader.submit(_load, self.engine.take)  # a long take takes its time
        elif self.arrival is not None:
            self._arrive(self.arrival)
        elif self.loading.done():
            try:
                self.arrival = self.deliver(self.loading.result(), self.engine.take, self.key)
            except LiftError as error:
                self._end(State.FAILED, Outcome(str(error), True, self.engine.log_tail()))

    def _arrive(self, steps: Steps) -> None:
        try:
            self.waiting_for = next(steps)
        except StopIteration as end:
            self.waiting_for = ""
            self._end(State.FAILED if end.value.failed else State.DONE, end.value)

    def wait(self) -> None:
        """Blocks until it is over: without a window there is no timer."""
        if self.engine is not None and not self.over:
            self.engine.wait(lambda progress: None)
            while not self.over:
                self.step()
                time.sleep(BREATH)

    def cancel(self) -> None:
        """Stops it at once and removes its files; nothing was added to the scene."""
        if not self.over:
            self._end(State.CANCELLED, Outcome("Cancelled"))

    def stop_engine(self) -> None:
        """Ends the engine and removes its files."""
        if self.engine is not None:
            self.engine.cancel()
            shutil.rmtree(self.engine.folder, ignore_errors=True)

    def _end(self, state: State, outcome: Outcome) -> None:
        self.state, self.outcome = state, outcome
        self.stop_engine()
        _sweep()
        if outcome.failed:
            status.tell(f"{self.name}: {outcome.text}", "WARNING")  # an error would pop up under the mouse
        elif outcome.warning:
            status.tell(f"{self.name}: {outcome.warning}", "WARNING")
        elif state is State.DONE:
            status.tell(f"{self.name}: {outcome.text}", "INFO")


T = TypeVar("T")
runs: list[Run] = []
_loader = ThreadPoolExecutor(1, "lift-load")
_drawn = 0.0


def _load(file: Path) -> Take:
    """The take; and what numpy loads late, at its first median, is loaded here and not when the take is brought in."""
    import numpy.ma  # noqa: F401

    return load_take(file)


def beside(work: Callable[[], T]) -> "Future[T]":
    """Has work that does not touch Blender's data done in a thread."""
    return _loader.submit(work)


def lifts() -> list[Run]:
    """The queue: the runs that make new takes."""
    return [run for run in runs if not run.take_uid]


def solving(uid: str) -> Run | None:
    """The run that solves this take anew: the one under way, or the last."""
    return next((run for run in reversed(runs) if run.take_uid == uid), None)


def busy() -> bool:
    """Whether anything is under way or waiting."""
    return any(not run.over for run in runs)


def add(run: Run) -> Run:
    """Puts a run on the queue; it starts as soon as a process is free. One that solves a take anew starts at once."""
    if run.take_uid:
        for other in [r for r in runs if r.take_uid == run.take_uid]:
            other.cancel()
            runs.remove(other)
    elif all(other.over for other in lifts()):
        clear_over()
    runs.append(run)
    _start_next()
    if not bpy.app.background and not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=INTERVAL, persistent=True)
    status.redraw()
    return run


def remove(run: Run) -> None:
    """Takes a run off the list, and stops it."""
    run.cancel()
    if run in runs:
        runs.remove(run)
    status.redraw()


def clear_over() -> None:
    """Takes off the list what has ended."""
    runs[:] = [run for run in runs if run.take_uid or not run.over]


def cancel_all() -> None:
    """Stops everything at once and empties the queue."""
    for run in runs:
        run.cancel()
    status.redraw()


def wait_all() -> None:
    """Blocks until all is over, for scripts and `blender -b`."""
    while busy():
        _start_next()
        for run in list(runs):
            run.wait()


def _start_next() -> None:
    going = sum(run.state is State.RUNNING for run in lifts())
    for run in list(runs):
        if run.state is State.WAITING and (run.take_uid or going < processes()):
            run.start()
            going += not run.take_uid


def tick() -> float | None:
    """What Blender's timer calls: one step of each run until one has done a piece of work; returns the pause after it.

    None ends the timer: nothing is left to do.
    """
    global _drawn
    before = [run.state for run in runs]
    for run in list(runs):
        if not run.over:
            run.step()
            if run.arriving or run.over:  # one piece of work a step, and a process is started in the next
                break
    else:
        _start_next()
    changed = before != [run.state for run in runs]
    if changed or time.monotonic() - _drawn > REDRAW:
        status.redraw(timelines=changed)
        _drawn = time.monotonic()
    if any(run.arriving for run in runs):
        return BETWEEN
    return INTERVAL if busy() else None


@persistent  # type: ignore[untyped-decorator]
def _before_load(_path: str) -> None:
    _stop()


@persistent  # type: ignore[untyped-decorator]
def _after_change(_path: str) -> None:
    _sweep()  # an undo brings back what was half-made at some user's step


def _sweep() -> None:
    prepared.sweep([run.key for run in runs if not run.over])


def _stop() -> None:
    for run in runs:
        run.cancel()
    runs.clear()


def _at_exit() -> None:
    for run in runs:  # not cancel: Blender's data is gone by now
        run.stop_engine()


def register() -> None:
    """Sees to it that no engine outlives the file or the session."""
    bpy.app.handlers.load_pre.append(_before_load)
    for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post, bpy.app.handlers.load_post):
        handlers.append(_after_change)
    atexit.register(_at_exit)


def unregister() -> None:
    """Stops what is under way."""
    _stop()
    atexit.unregister(_at_exit)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    bpy.app.handlers.load_pre.remove(_before_load)
    for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post, bpy.app.handlers.load_post):
        handlers.remove(_after_change)
