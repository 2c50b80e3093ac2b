"""How progress is shown where nobody sees a terminal."""

import io
import subprocess
import sys

import pytest

from lifter_core.progress import Lines


def lines_of(calls: list[tuple[str, int, int]]) -> list[str]:
    stream = io.StringIO()
    report = Lines(stream)
    for stage, done, total in calls:
        report(stage, done, total)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("total", [7, 100, 230, 5000])
def test_a_stage_has_at_most_a_line_each_tenth(total: int):
    lines = lines_of([("detect", done, total) for done in range(total + 1)])
    assert len(lines) == min(total, 10) + 1
    assert lines[0] == f"detect: 0/{total} (0 %)" and lines[-1] == f"detect: {total}/{total} (100 %)"


def test_each_stage_begins_anew():
    calls = [(stage, done, 2) for stage in ("lift", "solve") for done in (1, 2)]
    assert lines_of(calls) == ["lift: 1/2 (50 %)", "lift: 2/2 (100 %)", "solve: 1/2 (50 %)", "solve: 2/2 (100 %)"]


def test_without_a_total_lines_become_rarer():
    assert lines_of([("read", done, 0) for done in range(1000)]) == [
        f"read: {done}" for done in (0, 100, 200, 400, 800)
    ]


def test_into_a_pipe_go_lines_and_no_carriage_returns():
    script = """
from lifter_core.progress import for_people
bar = for_people()
for done in range(3001):
    bar("detect", done, 3000)
bar.close()
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stderr
    assert b"\r" not in said and said.count(b"\n") == 11
