"""A take that comes in over several timer steps: nothing half-made is seen, kept or left behind, whatever the user does."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_lift_addon import delivery, prepared, runs
from blender_lift_addon.armature import make_armature, rest_of, take_rest
from blender_lift_addon.build import add_take
from blender_lift_addon.motion_curves import motions_of
from blender_lift_addon.runs import Run, State
from blender_lift_addon.tags import curves_of, untouched

from .synthetic_take import synthetic_take
from .test_delivery import begin, curves_half_made, half_made, snapshot, tick_to_the_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


@pytest.fixture(autouse=True)
def one_curve_a_step_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "STEP", 0.0)


def halfway(tmp_path: Path) -> Run:
    """A lift whose keys are being prepared."""
    run = begin(tmp_path, "good.mp4")
    while not half_made() and not run.over:
        runs.tick()
        time.sleep(0.001)
    for _ in range(10):
        runs.tick()
    assert run.arriving and half_made()
    prepared.STEP = 0.01  # the fixture sets it back
    return run


def keys(armature: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    found = {}
    for curve in curves_of(armature.animation_data.action, armature).fcurves:
        points = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", points)
        found[curve.data_path, curve.array_index] = points
    return found


def whole(name: str = "good person 1") -> bool:
    """Whether the take has the keys that it has when a script adds it in one call."""
    armature = bpy.data.objects[name]
    made = keys(armature)
    first = bpy.data.scenes["Scene"].frame_start
    alone = keys(add_take(bpy.data.scenes.new("alone"), synthetic_take(frames=20), first_frame=first).armatures[0])
    assert untouched(armature.animation_data.action, armature)
    return made.keys() == alone.keys() and all(np.allclose(made[curve], alone[curve], atol=1e-5) for curve in made)


def test_nothing_is_seen_or_saved_of_a_take_that_is_being_prepared(tmp_path: Path, fake_engine: Path) -> None:
    before = snapshot()
    run = halfway(tmp_path)
    (action,) = (bpy.data.actions[name] for name in half_made())
    assert action.users == 0 and not action.use_fake_user
    now = snapshot()
    assert {name for name in now if now[name] != before[name]} == {"actions"}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"), copy=True)
    with bpy.data.libraries.load(str(tmp_path / "saved.blend")) as (there, _):
        assert not list(there.actions)
    tick_to_the_end()
    assert run.state is State.DONE and not half_made() and whole()
    action = bpy.data.objects["good person 1"].animation_data.action
    assert action.name == "good person 1 motion" and action.use_fake_user
    if hasattr(action, "slots"):
        assert [slot.name_display for slot in action.slots] == ["good person 1"]


def undo() -> None:
    bpy.ops.ed.undo()


def user_step() -> None:
    bpy.data.objects["Light"].location.x += 1
    bpy.ops.ed.undo_push(message="Move")


def purge() -> None:
    bpy.data.orphans_purge()


def other_start() -> None:
    bpy.context.scene.frame_start = 40


@pytest.mark.parametrize("change", [undo, user_step, purge, other_start])
def test_the_take_comes_in_whole_whatever_is_done_meanwhile(
    tmp_path: Path, fake_engine: Path, change: Callable[[], None]
) -> None:
    for _ in range(3):
        user_step()
    run = halfway(tmp_path)
    change()
    runs.tick()
    change()
    tick_to_the_end()
    assert run.state is State.DONE and whole() and not half_made()


def test_an_undo_to_a_step_from_between_brings_nothing_half_made_back(tmp_path: Path, fake_engine: Path) -> None:
    before = snapshot()
    halfway(tmp_path)
    user_step()
    tick_to_the_end()
    assert "good person 1" in bpy.data.objects
    bpy.ops.ed.undo()
    assert snapshot() == before and bpy.data.objects["Light"].location.x > 4
    bpy.ops.ed.redo()
    assert whole()


def test_cancelling_meanwhile_leaves_nothing(tmp_path: Path, fake_engine: Path) -> None:
    before = snapshot()
    halfway(tmp_path)
    assert bpy.ops.lift.cancel() == {"FINISHED"}
    assert snapshot() == before and not runs.busy()


def test_opening_another_file_meanwhile_leaves_nothing(tmp_path: Path, fake_engine: Path) -> None:
    halfway(tmp_path)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    runs.tick()
    assert not bpy.data.actions and not runs.runs


def test_deleting_the_scene_meanwhile_brings_the_take_into_the_one_on_screen(tmp_path: Path, fake_engine: Path) -> None:
    other = bpy.data.scenes.new("Other")
    run = halfway(tmp_path)
    bpy.context.window.scene = other
    bpy.data.scenes.remove(bpy.data.scenes["Scene"])
    tick_to_the_end()
    assert run.state is State.DONE and bpy.data.scenes["Other"].camera.name == "good camera" and not half_made()


def test_edit_mode_entered_meanwhile_holds_the_last_step_up(tmp_path: Path, fake_engine: Path) -> None:
    run = halfway(tmp_path)
    bpy.ops.object.mode_set(mode="EDIT")
    tick_to_the_end(until_waiting=True)
    assert run.waiting_for == "Edit Mode" and "good person 1" not in bpy.data.objects
    bpy.ops.object.mode_set(mode="OBJECT")
    tick_to_the_end()
    assert whole()


@pytest.mark.parametrize("at", ["blank_action", "write_curve"])
def test_keys_that_cannot_be_made_leave_nothing(
    tmp_path: Path, fake_engine: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def broken(*args: Any) -> None:
        raise ValueError("broken")

    before = snapshot()
    run = begin(tmp_path, "good.mp4")
    monkeypatch.setattr(prepared, at, broken)
    tick_to_the_end()
    assert run.state is State.FAILED and "ValueError: broken" in run.outcome.log and snapshot() == before


def test_a_last_step_that_fails_leaves_nothing(
    tmp_path: Path, fake_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(delivery, "list_take", broken)
    before = snapshot()
    run = halfway(tmp_path)
    before = snapshot() | {"actions": before["actions"]}
    tick_to_the_end()
    assert run.state is State.FAILED and snapshot() == before


def test_a_long_take_holds_blender_up_only_shortly(tmp_path: Path, fake_engine: Path) -> None:
    from lifter_core.take import save_take

    save_take(synthetic_take(frames=3000, people=1), tmp_path / "canned.npz")
    run = begin(tmp_path, "long.mp4")
    steps = tick_to_the_end()
    curves = 4 * len(bpy.data.armatures[0].bones) + 3
    assert run.state is State.DONE and len(keys(bpy.data.objects["long"])) == curves
    assert max(step.curves for step in steps) == 1 and sum(step.curves for step in steps) == curves
    assert steps[-1].ended == 1, "all curves were written before the step that changes the scene"


def test_how_much_a_step_makes_follows_from_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = prepared.Prepared("key", motions_of(synthetic_take(frames=20, people=1), np.arange(1.0, 21.0)))
    assert ready.advance() and curves_half_made() == 1
    monkeypatch.setattr(prepared, "STEP", 60.0)
    assert ready.advance() and not ready.advance(), "all the rest fits into a long step"


def test_the_rest_pose_is_known_before_the_armature_is_made() -> None:
    take = synthetic_take()
    for person in range(2):
        axes, heads = take_rest(take, person)
        real_axes, real_heads = rest_of(make_armature(take, person, "rest"), take.bone_names)
        assert np.abs((axes * real_axes).sum(-1)).min() > 1 - 1e-6
        assert np.abs(np.minimum(np.abs(axes - real_axes), np.abs(axes + real_axes))).max() < 1e-5
        assert np.abs(heads - real_heads).max() < 1e-6
