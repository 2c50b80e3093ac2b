"""Takes removed: from the list, from the scene, their files; nothing is lost that an undo or another file may need."""

import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_lift_addon import store
from blender_lift_addon.properties.takes import take_file
from blender_lift_addon.tags import curves_of

from .test_delivery import snapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


def test_removing_a_take_leaves_what_it_made(lifted: Any) -> None:
    assert bpy.ops.lift.remove_take() == {"FINISHED"}
    assert not len(bpy.context.scene.lift.takes) and "walk" in bpy.data.objects
    assert not bpy.ops.lift.solve_take.poll()


def test_removing_it_from_the_scene_too(lifted: Any) -> None:
    before = snapshot()
    assert bpy.ops.lift.remove_take("EXEC_DEFAULT", True, from_scene=True) == {"FINISHED"}
    assert {ob.name for ob in bpy.context.scene.objects} == {"Camera", "Cube", "Light"}
    assert not bpy.data.movieclips and not bpy.data.actions and not bpy.data.armatures and len(bpy.data.cameras) == 1
    assert bpy.context.scene.camera.name == "Camera" and "walk" not in bpy.data.collections
    bpy.ops.ed.undo()
    assert snapshot() == before


def test_what_the_user_made_of_it_stays_in_the_scene(lifted: Any) -> None:
    armature = bpy.data.objects["walk"]
    copy = armature.copy()
    prop = bpy.data.objects.new("Prop", None)
    for ob in (copy, prop):
        bpy.data.collections["walk"].objects.link(ob)
    polished = bpy.data.actions["walk motion"].copy()
    polished.use_fake_user = True
    curves_of(polished).fcurves[0].keyframe_points[0].co[1] += 1.0
    assert bpy.ops.lift.remove_take(from_scene=True) == {"FINISHED"}
    assert {"walk.001", "Prop"} == {ob.name for ob in bpy.data.collections["walk"].objects}
    assert {"walk motion", "walk motion.001"} <= {action.name for action in bpy.data.actions}


def test_its_file_leaves_the_folder_but_an_undo_finds_it(lifted: Any, tmp_path: Path, own_cache: Path) -> None:
    blend = tmp_path / "project" / "shot.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.ed.undo_push(message="saved")
    take = bpy.context.scene.lift.takes[0]
    file = take_file(take)
    content = file.read_bytes()
    assert file.parent == blend.parent / store.FOLDER
    assert bpy.ops.lift.remove_take("EXEC_DEFAULT", True, file_too=True) == {"FINISHED"}
    assert not file.exists()
    bpy.ops.ed.undo()
    found = take_file(bpy.context.scene.lift.takes[0])
    assert found is not None and found.is_relative_to(own_cache) and found.read_bytes() == content
    bpy.ops.wm.save_mainfile()
    assert file.read_bytes() == content, "saving brings it back beside the .blend"


def test_unused_files_move_into_the_cache_only(lifted: Any, tmp_path: Path, own_cache: Path) -> None:
    assert not bpy.ops.lift.tidy_takes.poll(), "nothing is saved yet"
    blend = tmp_path / "project" / "shot.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    assert not bpy.ops.lift.tidy_takes.poll(), "all is in use"
    used = take_file(bpy.context.scene.lift.takes[0])
    old = blend.parent / store.FOLDER / "old-12345678.npz"
    old.write_bytes(b"old take")
    assert bpy.ops.lift.tidy_takes() == {"FINISHED"}
    assert not old.exists() and used.exists()
    (moved,) = own_cache.rglob("old-12345678-*.npz")
    assert moved.read_bytes() == b"old take"
