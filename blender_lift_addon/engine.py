# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a child process: its command, its progress, its end. Knows nothing of bpy.

The child writes one JSON object a line to its standard output (see lifter_core.progress) and its log to standard error.
It ends by itself when its standard input closes, so it cannot outlive Blender, however Blender ends.
"""

import contextlib
import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

MODELS = Path(__file__).parent / "models"
LOG_TAIL = 60  # lines
BAD_CLIP = (2, 3)  # exit codes for what the user can mend; the engine says how


class EngineError(Exception):
    """One sentence for the user."""


@dataclass(frozen=True)
class Progress:
    """The engine's last word: units done and in all (0 = unknown), units a second, seconds left in this stage."""

    stage: str = "start"
    done: int = 0
    total: int = 0
    message: str = ""
    fps: float | None = None
    eta: float | None = None


def find_python(chosen: str = "") -> str:
    """The Python that runs the engine: the chosen one, or this process's own.

    Raises:
        EngineError: the chosen file does not exist, or no Python can be found.
    """
    if chosen:
        if not Path(chosen).is_file():
            raise EngineError(
                f"There is no Python at {chosen}; correct the engine's Python in the add-on's preferences."
            )
        return chosen
    # Some builds of Blender put the system's Python, or Blender itself, into sys.executable.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    places = [Path(sys.prefix, "bin", name) for name in (f"python{version}", "python3", "python.exe")]
    candidates = [sys.executable, *map(str, places), shutil.which(f"python{version}") or ""]
    for candidate in candidates:
        if Path(candidate).name.lower().startswith("python") and Path(candidate).is_file():
            return candidate
    raise EngineError("No Python was found to run the engine; set one in the add-on's preferences.")


def engine_environment(chosen: str = "") -> dict[str, str]:
    """The child's environment. With Blender's own Python it gets the folders where this process finds the packages."""
    environment = dict(os.environ)
    environment |= {"PYTHONUTF8": "1", "LIFTER_WATCH_STDIN": "1"}
    if MODELS.is_dir():
        environment["LIFTER_MODELS"] = str(MODELS)
    if not chosen:
        folders: dict[str, None] = {}
        for package in ("lifter_core", "numpy"):
            spec = importlib.util.find_spec(package)
            if spec is not None and spec.submodule_search_locations:
                folders[str(Path(next(iter(spec.submodule_search_locations))).parent)] = None
        environment["PYTHONPATH"] = os.pathsep.join([*folders, *filter(None, [environment.get("PYTHONPATH")])])
    return environment


def start_child(command: list[str], folder: Path, python: str, log: IO[bytes] | int) -> "subprocess.Popen[bytes]":
    """Starts a command of the engine in a process group of its own.

    Args:
        command: its words, from the Python on.
        folder: where it runs.
        python: the chosen Python, or nothing for Blender's own.
        log: where its standard error goes.

    Raises:
        EngineError: it cannot be started.
    """
    own_group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=engine_environment(python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            **own_group,
        )
    except OSError as error:
        message = f"The engine's Python {command[0]} cannot be started ({error.strerror}); set another."
        raise EngineError(message) from None


def end_child(process: "subprocess.Popen[bytes]") -> None:
    """Ends a child and all that it started, at once. Safe to call twice."""
    # A dead leader's group may live on; a finished child is reaped only by its owner, so the id is still its own.
    if process.returncode is None:
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Engine:
    """One command of the engine under way. ``poll()`` often and from one thread; ``cancel()`` at any time."""

    def __init__(self, arguments: Sequence[str], folder: Path, python: str = "") -> None:
        """Starts the child.

        Args:
            arguments: the engine's command line (see options), without how it shows progress.
            folder: a new, empty one for its log and its take; the caller deletes it.
            python: the Python that runs it, or nothing for Blender's own.

        Raises:
            EngineError: it cannot be started.
        """
        self.progress = Progress()
        self.take: Path | None = None
        self.error = ""
        self.running = True
        self.folder = folder
        self.log = folder / "engine.log"
        command = [find_python(python), "-m", "lifter_core", *arguments, "--progress", "json"]
        with open(self.log, "wb") as log:
            self._process = start_child(command, folder, python, log)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The child's process id, which on POSIX is its group's too."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def poll(self) -> None:
        """Takes in what the child has said since the last call; never waits."""
        while self.running:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                return
            if line is not None:
                self._understand(line)
            elif (code := self._process.poll()) is not None:
                self._finish(code)
            else:  # it has closed its output, but has not ended yet
                self._lines.put(None)
                return

    def wait(self, report: Callable[[Progress], None]) -> None:
        """Blocks until the child ends; calls report at each line. Ctrl-C cancels."""
        try:
            while self.running:
                line = self._lines.get()
                if line is None:
                    self._finish(self._process.wait())
                else:
                    self._understand(line)
                    report(self.progress)
        except KeyboardInterrupt:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Ends the child and all that it started, at once."""
        self.running = False
        end_child(self._process)
        self._close()

    def log_tail(self) -> str:
        """The last lines of the engine's log."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL:])

    def _understand(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return  # some library printed to standard output
        if not isinstance(said, dict):
            return
        if "error" in said:
            self.error = str(said["error"])
        elif said.get("stage") == "done":
            self.take = Path(str(said["take"]))
        elif "stage" in said:
            self.progress = Progress(
                str(said["stage"]),
                int(said.get("done", 0)),
                int(said.get("total", 0)),
                str(said.get("message", "")),
                said.get("fps"),
                said.get("eta"),
            )

    def _finish(self, code: int) -> None:
        self.running = False
        self._close()
        if code == 0 and self.take is not None and self.take.exists():
            self.error = ""
            return
        self.take = None
        if code not in BAD_CLIP or not self.error:
            self.error = f"The engine stopped unexpectedly (exit code {code}); its log tells more."

    def _close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
