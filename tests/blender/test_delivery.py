"""A lift from the button to the scene: one undo step, nothing left behind, the right scene."""

import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import pytest

from blender_lift_addon import delivery, opened_clips, prepared, runs
from blender_lift_addon.armature import make_armature
from blender_lift_addon.clip_source import lift_options, source_of, why_not
from blender_lift_addon.runs import State
from blender_lift_addon.tags import curves_of

from .synthetic_take import synthetic_take
from .test_engine import alive, dies, grandchild

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
        "takes": [(take.name, take.path) for take in scene.lift.takes],
        "hidden": sorted(ob.name for ob in scene.objects if ob.hide_get() or ob.hide_render),
        "active": bpy.context.view_layer.objects.active.name,
        "selected": sorted(ob.name for ob in bpy.context.view_layer.objects.selected),
    }


OVER = (State.DONE, State.FAILED, State.CANCELLED)
BLOCKS = (
    *("actions", "armatures", "cameras", "collections", "images", "lights", "materials", "meshes", "movieclips"),
    *("objects", "scenes", "worlds", "texts", "node_groups"),
)
PASSING = {
    "colorspace_settings",
    "tool_settings",
    "shading",
    "session_uid",
    "rna_type",
    "original",
    "bl_rna",
    "is_evaluated",
    "is_runtime_data",
    "users",
    "id_data",
}


def everything() -> dict[str, Any]:
    """Every property of every data block that a file keeps (windows aside), by path."""
    found: dict[str, Any] = {}
    for kind in BLOCKS:
        for block in getattr(bpy.data, kind):
            record(f"{kind}[{block.name}]", block, found, 5)
            found[f"{kind}[{block.name}] custom"] = {
                key: value.to_dict() if hasattr(value, "to_dict") else str(value) for key, value in block.items()
            }
    return found


def record(path: str, struct: Any, found: dict[str, Any], depth: int) -> None:
    for member in struct.bl_rna.properties:
        name = member.identifier
        if name in PASSING or depth == 0:
            continue
        try:
            value = getattr(struct, name)
        except Exception:
            continue
        if member.type == "COLLECTION":
            found[f"{path}.{name}"] = len(value)
            for index, item in enumerate(value):
                if not isinstance(item, bpy.types.ID):
                    record(f"{path}.{name}[{index}]", item, found, depth - 1)
        elif member.type == "POINTER":
            if value is None or isinstance(value, bpy.types.ID):
                found[f"{path}.{name}"] = value and value.name
            else:
                record(f"{path}.{name}", value, found, depth - 1)
        else:
            array = getattr(member, "is_array", False)
            found[f"{path}.{name}"] = [str(part) for part in value] if array else value


def choose(tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    clip.touch()  # empty, unless the test wrote it
    bpy.context.scene.lift.clip = str(clip)
    bpy.ops.ed.undo_push(message="Choose Clip")


def begin(tmp_path: Path, name: str) -> runs.Run:
    choose(tmp_path, name)
    scene = bpy.context.scene
    source = source_of(scene, scene.lift)
    return delivery.lift_source(scene, source, lift_options(scene.lift, source), True)


def half_made() -> list[str]:
    """The names of the actions that are being prepared."""
    return [action.name for action in bpy.data.actions if action.name.startswith(prepared.PREFIX)]


def curves_half_made() -> int:
    """The number of F-curves in them."""
    return sum(len(curves_of(bpy.data.actions[name]).fcurves) for name in half_made())


class Work(NamedTuple):
    """What a step of the timer did: runs started, runs ended, curves written of takes that are being prepared."""

    started: int
    ended: int
    curves: int


def tick_to_the_end(until_waiting: bool = False) -> list[Work]:
    """Does what Blender's timer does; returns what each step did.

    How long steps take is measured by benchmarks/keyframes.py.
    """
    steps: list[Work] = []
    while runs.busy() and len(steps) < 5000:
        before, curves = [(run, run.state) for run in runs.runs], curves_half_made()
        runs.tick()
        started = sum(state is State.WAITING and run.state is State.RUNNING for run, state in before)
        ended = sum(run.over and state not in OVER for run, state in before)
        steps.append(Work(started, ended, max(curves_half_made() - curves, 0)))
        if until_waiting and any(run.waiting_for for run in runs.runs):
            return steps
        time.sleep(0.01)
    assert not runs.busy()
    return steps


def test_one_undo_takes_it_all_back(tmp_path: Path, fake_engine: Path, clip: Path) -> None:
    bpy.context.scene.lift.clip = str(clip)
    bpy.ops.ed.undo_push(message="Choose Clip")
    before, before_all = snapshot(), everything()
    assert len(before_all) > 2000
    assert bpy.ops.lift.video_to_armature() == {"FINISHED"}
    after = snapshot()
    assert {name for name, value in everything().items() if before_all.get(name) != value}
    assert "walk person 1" in after["objects"] and after["movieclips"] and after["rate"] == (30, 1.0)
    assert after["active"] == "walk person 1"
    bpy.ops.ed.undo()
    after_all = everything()
    assert {name: (before_all.get(name), after_all.get(name)) for name in before_all | after_all
            if before_all.get(name) != after_all.get(name)} == {}  # fmt: skip
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
    assert runs.runs[0].state is State.FAILED
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
    assert snapshot() == before and not runs.busy()
    assert "ValueError: broken" in runs.runs[0].outcome.log


def test_the_take_waits_for_the_end_of_edit_mode(tmp_path: Path, fake_engine: Path) -> None:
    run = begin(tmp_path, "good.mp4")
    bpy.ops.object.mode_set(mode="EDIT")
    tick_to_the_end(until_waiting=True)
    assert run.waiting_for == "Edit Mode"
    bpy.ops.object.mode_set(mode="OBJECT")
    tick_to_the_end()
    assert "good person 1" in bpy.data.objects


def test_the_take_goes_to_its_scene(tmp_path: Path, fake_engine: Path) -> None:
    run = begin(tmp_path, "good.mp4")
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    tick_to_the_end()
    assert bpy.data.scenes["Scene"].camera.name == "good camera"
    assert len(other.collection.children) == 0 and not len(other.lift.takes)
    assert "in scene Scene" in run.outcome.text


def test_the_queue_goes_on_by_itself_in_order(tmp_path: Path, fake_engine: Path) -> None:
    queue = [begin(tmp_path, name) for name in ("one.mp4", "damaged.mp4", "gone.mp4", "two.mp4")]
    assert [run.state for run in queue] == [State.RUNNING, State.WAITING, State.WAITING, State.WAITING]
    bpy.ops.lift.remove_run(index=2)
    steps = tick_to_the_end()
    assert max(step.started + step.ended for step in steps) == 1, "an end and a start are work enough for a step each"
    assert [run.state for run in queue] == [State.DONE, State.FAILED, State.CANCELLED, State.DONE]
    assert [take.name for take in bpy.context.scene.lift.takes] == ["one", "two"]
    assert "gone camera" not in bpy.data.objects and bpy.context.scene.camera.name == "two camera"


def test_no_movie_is_opened_when_a_take_arrives(tmp_path: Path, fake_engine: Path, clip: Path) -> None:
    shutil.copyfile(clip, tmp_path / "again.avi")
    before = snapshot()
    queue = [begin(tmp_path, name) for name in ("walk.avi", "again.avi")]
    assert snapshot() == before and not bpy.data.libraries, "nothing waits in the file"
    opened = opened_clips._open.cache_info().misses
    tick_to_the_end()
    assert [run.state for run in queue] == [State.DONE, State.DONE] and opened_clips._open.cache_info().misses == opened
    assert [clip.name for clip in bpy.data.movieclips] == ["again.avi", "walk.avi"] and not bpy.data.libraries
    assert tuple(bpy.data.movieclips[0].size) == (320, 180) and bpy.data.movieclips[0].frame_duration == 40
    assert Path(bpy.data.movieclips[0].filepath) == tmp_path / "again.avi" and bpy.data.movieclips[0].users == 1


def test_several_clips_at_a_time(tmp_path: Path, fake_engine: Path) -> None:
    bpy.context.preferences.addons["blender_lift_addon"].preferences.processes = 2
    try:
        queue = [begin(tmp_path, name) for name in ("one.mp4", "two.mp4", "three.mp4")]
        assert [run.state for run in queue] == [State.RUNNING, State.RUNNING, State.WAITING]
        tick_to_the_end()
        assert len(bpy.context.scene.lift.takes) == 3
    finally:
        bpy.context.preferences.addons["blender_lift_addon"].preferences.processes = 1


def test_cancel_leaves_nothing(tmp_path: Path, fake_engine: Path) -> None:
    before = snapshot()
    run, waiting = begin(tmp_path, "hang.mp4"), begin(tmp_path, "next.mp4")
    child = grandchild(run.engine)
    assert bpy.ops.lift.cancel() == {"FINISHED"}
    assert not alive(run.engine.pid) and dies(child) and waiting.engine is None
    assert not run.engine.folder.exists() and snapshot() == before
    assert not bpy.ops.lift.cancel.poll()


def test_loading_a_file_ends_the_lift(tmp_path: Path, fake_engine: Path) -> None:
    run = begin(tmp_path, "hang.mp4")
    child = grandchild(run.engine)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert dies(run.engine.pid) and dies(child)
    assert not run.engine.folder.exists() and not runs.runs


def test_the_button_is_grey_with_a_reason(tmp_path: Path) -> None:
    scene = bpy.context.scene
    settings = scene.lift
    assert "Choose a video" in why_not(scene)
    settings.clip = str(tmp_path / "gone.mp4")
    assert "no file" in why_not(scene)
    assert not bpy.ops.lift.video_to_armature.poll()
    (tmp_path / "gone.mp4").touch()
    assert why_not(scene) == "" and bpy.ops.lift.video_to_armature.poll()
    settings.use_range, settings.start = True, 20
    assert "end after" in why_not(scene)
    settings.use_range, settings.whom = False, "PICKED"
    assert "Click on the person" in why_not(scene)
    settings.clip = str(tmp_path / "other.mp4")
    assert settings.whom == "MAIN", "who was picked was in the other clip"


def test_only_the_untouched_default_cube_is_hidden(tmp_path: Path, fake_engine: Path) -> None:
    cube = bpy.data.objects["Cube"]
    begin(tmp_path, "one.mp4")
    tick_to_the_end()
    assert cube.hide_get() and cube.hide_render
    cube = bpy.data.objects["Cube"]
    cube.hide_set(False)
    cube.data.vertices[0].co.x = -1.5
    begin(tmp_path, "two.mp4")
    tick_to_the_end()
    assert not bpy.data.objects["Cube"].hide_get()


def test_dropped_clips(tmp_path: Path, fake_engine: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        (tmp_path / name).touch()
    bpy.ops.lift.add_clips("EXEC_DEFAULT", directory=str(tmp_path), files=[{"name": "one.mp4"}])
    assert Path(bpy.context.scene.lift.clip) == tmp_path / "one.mp4" and not runs.runs
    bpy.ops.lift.add_clips("EXEC_DEFAULT", directory=str(tmp_path), files=[{"name": "one.mp4"}, {"name": "two.mp4"}])
    assert [take.name for take in bpy.context.scene.lift.takes] == ["one", "two"]


def test_the_lifted_armature_is_offered_for_retargeting_to_the_default_kind_of_rig(
    tmp_path: Path, fake_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bpy.data.objects.new("Prop", bpy.data.armatures.new("Prop"))
    rig = make_armature(synthetic_take(), 0, "Character")
    for thing in (other, rig):
        bpy.context.scene.collection.objects.link(thing)
    monkeypatch.setattr("blender_lift_addon.delivery.default_rig", lambda: "LIFT")
    begin(tmp_path, "good.mp4")
    tick_to_the_end()
    choices = bpy.context.scene.lift_retarget
    assert choices.source is not None
    assert choices.source.name.startswith("good")
    assert choices.target == rig
