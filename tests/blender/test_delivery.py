"""A lift from the button to the scene: one undo step, nothing left behind, the right scene."""

import sys
import time
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_lift_addon import delivery

from .test_engine import dies, grandchild

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


def snapshot() -> dict[str, Any]:
    """What a lift may change."""
    scene = bpy.data.scenes["Scene"]
    render = scene.render
    names = ("objects", "armatures", "actions", "cameras", "movieclips", "collections", "scenes")
    return {name: sorted(block.name for block in getattr(bpy.data, name)) for name in names} | {
        "rate": (render.fps, round(render.fps_base, 6)),
        "size": (render.resolution_x, render.resolution_y, render.pixel_aspect_x, render.pixel_aspect_y),
        "range": (scene.frame_start, scene.frame_end, scene.frame_current),
        "camera": scene.camera.name,
        "active": bpy.context.view_layer.objects.active.name,
        "selected": sorted(ob.name for ob in bpy.context.view_layer.objects.selected),
    }


def choose(tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    clip.touch()
    bpy.context.scene.lift.clip = str(clip)
    bpy.ops.ed.undo_push(message="Choose Clip")


def begin(tmp_path: Path, name: str, program: Path) -> delivery.Lift:
    choose(tmp_path, name)
    from blender_lift_addon.properties import clip_path, lift_options

    settings = bpy.context.scene.lift
    return delivery.begin(bpy.context.scene, clip_path(settings), lift_options(settings), True, str(program))


def tick_to_the_end(until_waiting: bool = False) -> None:
    """Does what Blender's timer does."""
    end = time.monotonic() + 20
    while delivery.current is not None and time.monotonic() < end:
        delivery._tick()
        if until_waiting and delivery.current is not None and delivery.current.waiting_for:
            return
        time.sleep(0.01)
    assert delivery.current is None


def test_one_undo_takes_it_all_back(tmp_path: Path, fake_engine: Path, clip: Path) -> None:
    bpy.context.scene.lift.clip = str(clip)
    bpy.ops.ed.undo_push(message="Choose Clip")
    before = snapshot()
    assert bpy.ops.lift.video_to_armature() == {"FINISHED"}
    after = snapshot()
    assert "walk person 1" in after["objects"] and after["movieclips"] and after["rate"] == (30, 1.0)
    assert after["active"] == "walk person 1"
    bpy.ops.ed.undo()
    assert snapshot() == before
    bpy.ops.ed.redo()
    assert snapshot() == after


@pytest.mark.parametrize("name", ["damaged.mp4", "crash.mp4"])
def test_a_failure_leaves_the_scene_alone(tmp_path: Path, fake_engine: Path, name: str) -> None:
    choose(tmp_path, name)
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"choose another|stopped unexpectedly"):
        bpy.ops.lift.video_to_armature()
    assert snapshot() == before
    assert delivery.outcome is not None and delivery.outcome.failed
    assert bpy.ops.lift.show_log() == {"FINISHED"}
    assert "options --detector heavy" in bpy.data.texts["Lift engine log"].as_string()


def test_a_take_that_cannot_be_built_leaves_the_scene_alone(
    tmp_path: Path, fake_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(scene: bpy.types.Scene, *args: Any) -> None:
        bpy.data.objects.new("half", None)
        scene.frame_end = 7
        raise ValueError("broken")

    monkeypatch.setattr(delivery, "add_take", half)
    choose(tmp_path, "good.mp4")
    before = snapshot()
    with pytest.raises(RuntimeError, match="could not be made"):
        bpy.ops.lift.video_to_armature()
    assert snapshot() == before and delivery.current is None
    assert delivery.outcome is not None and "ValueError: broken" in delivery.outcome.log


def test_the_take_waits_for_the_end_of_edit_mode(tmp_path: Path, fake_engine: Path) -> None:
    begin(tmp_path, "good.mp4", fake_engine)
    bpy.ops.object.mode_set(mode="EDIT")
    tick_to_the_end(until_waiting=True)
    assert delivery.current is not None and delivery.current.waiting_for == "Edit Mode"
    bpy.ops.object.mode_set(mode="OBJECT")
    tick_to_the_end()
    assert "good person 1" in bpy.data.objects


def test_the_take_goes_to_its_scene(tmp_path: Path, fake_engine: Path) -> None:
    begin(tmp_path, "good.mp4", fake_engine)
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    tick_to_the_end()
    assert bpy.data.scenes["Scene"].camera.name == "good camera"
    assert len(other.collection.children) == 0
    assert delivery.outcome is not None and "in scene Scene" in delivery.outcome.text


def test_cancel_leaves_nothing(tmp_path: Path, fake_engine: Path) -> None:
    lift = begin(tmp_path, "hang.mp4", fake_engine)
    before = snapshot()
    child = grandchild(lift.engine)
    assert not bpy.ops.lift.video_to_armature.poll()
    assert bpy.ops.lift.cancel() == {"FINISHED"}
    assert dies(lift.engine.pid) and dies(child)
    assert not lift.engine.folder.exists() and snapshot() == before
    assert not bpy.ops.lift.cancel.poll()


def test_loading_a_file_ends_the_lift(tmp_path: Path, fake_engine: Path) -> None:
    lift = begin(tmp_path, "hang.mp4", fake_engine)
    child = grandchild(lift.engine)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert dies(lift.engine.pid) and dies(child)
    assert not lift.engine.folder.exists() and delivery.current is None


def test_the_button_is_grey_with_a_reason(tmp_path: Path) -> None:
    from blender_lift_addon.properties import why_not

    settings = bpy.context.scene.lift
    assert "Choose a video" in why_not(settings)
    settings.clip = str(tmp_path / "gone.mp4")
    assert "no file" in why_not(settings)
    assert not bpy.ops.lift.video_to_armature.poll()
    (tmp_path / "gone.mp4").touch()
    assert why_not(settings) == "" and bpy.ops.lift.video_to_armature.poll()
    settings.use_range, settings.start = True, 20
    assert "end after" in why_not(settings)
