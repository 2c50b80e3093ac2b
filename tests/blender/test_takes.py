"""The list of takes: applied again, solved anew, saved with the file; what the user made is never overwritten."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_lift_addon import live_clean_up, runs, seen_keypoints, store
from blender_lift_addon.arguments import solve_arguments
from blender_lift_addon.delivery import remarks
from blender_lift_addon.properties.option_properties import option_values
from blender_lift_addon.properties.takes import take_file
from blender_lift_addon.tags import curves_of
from lifter_core.declare import Place
from lifter_core.take import load_take, save_take

from .synthetic_take import synthetic_take
from .test_delivery import snapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


def keys(name: str) -> np.ndarray:
    curves = curves_of(bpy.data.actions[name])
    return np.array([[point.co[1] for point in curve.keyframe_points] for curve in curves.fcurves])


def camera_at(name: str) -> np.ndarray:
    return np.array(bpy.data.objects[name].location)


def test_a_take_is_listed_with_its_file(lifted: Any, own_cache: Path) -> None:
    assert (lifted.name, lifted.frames, lifted.first_frame, lifted.rate) == ("walk", 20, 1, 30.0)
    file = take_file(lifted)
    assert file is not None and file.is_relative_to(own_cache)
    assert load_take(file).positions.shape[:2] == (1, 20)


def test_solving_anew_renews_the_keys_in_place_in_one_undo_step(lifted: Any) -> None:
    before, file, view = keys("walk motion"), take_file(lifted), camera_at("walk camera")
    scene = snapshot()
    assert bpy.ops.lift.solve_take() == {"FINISHED"}
    after = keys("walk motion")
    assert np.abs(after - before).max() > 0.1
    assert len(bpy.data.actions) == 2, "no new action: armature and camera have one each"
    assert not np.allclose(camera_at("walk camera"), view)
    bpy.ops.ed.undo()
    entry = bpy.context.scene.lift.takes[0]
    assert np.array_equal(keys("walk motion"), before) and snapshot() == scene
    assert take_file(entry) == file and file.is_file()
    bpy.ops.ed.redo()
    assert np.array_equal(keys("walk motion"), after)


def test_keys_changed_by_the_user_are_kept(lifted: Any) -> None:
    action = bpy.data.actions["walk motion"]
    curve = curves_of(action).fcurves[3]
    curve.keyframe_points[4].co[1] += 0.25
    mine = keys("walk motion")
    bpy.data.objects["walk camera"].data.lens = 99
    assert bpy.ops.lift.solve_take() == {"FINISHED"}
    assert np.array_equal(keys("walk motion"), mine)
    new = bpy.data.objects["walk"].animation_data.action
    assert new != action and new.use_fake_user and action.use_fake_user
    assert bpy.data.objects["walk camera"].data.lens == 99
    warning = runs.runs[-1].outcome.warning
    assert new.name in warning and "camera" in warning
    name = new.name
    bpy.ops.lift.solve_take()
    assert bpy.data.objects["walk"].animation_data.action.name == name and len(bpy.data.actions) == 3, "no third one"


def test_all_users_of_the_action_follow_a_clean_up(lifted: Any) -> None:
    action = bpy.data.actions["walk motion"]
    action["mine"] = "kept"
    other = bpy.data.objects["walk"].copy()
    bpy.context.scene.collection.objects.link(other)
    strip = other.animation_data.nla_tracks.new().strips.new("walk", 1, action)
    if hasattr(action, "slots"):
        strip.action_slot = action.slots[0]
    before = keys("walk motion")
    assert bpy.ops.lift.solve_take() == {"FINISHED"}
    new = bpy.data.actions["walk motion"]
    assert np.abs(keys("walk motion") - before).max() > 0.1 and new["mine"] == "kept" and new.use_fake_user
    strip = other.animation_data.nla_tracks[0].strips[0]
    assert strip.action == new and other.animation_data.action == new
    if hasattr(new, "slots"):
        slot = new.slots[0]
        assert strip.action_slot == slot and other.animation_data.action_slot == slot
        assert bpy.data.objects["walk"].animation_data.action_slot == slot and slot.identifier == "OBwalk"
    else:
        assert new.id_root == "OBJECT"


def test_what_the_user_added_to_the_action_stays_in_a_clean_up(lifted: Any) -> None:
    action = bpy.data.actions["walk motion"]
    curves_of(action).fcurves[3].modifiers.new("NOISE")
    curves_of(action).groups[1].mute = True
    before = keys("walk motion")
    assert bpy.ops.lift.solve_take() == {"FINISHED"}
    assert bpy.data.objects["walk"].animation_data.action == action and len(bpy.data.actions) == 2
    assert len(curves_of(action).fcurves[3].modifiers) == 1 and curves_of(action).groups[1].mute
    assert np.abs(keys("walk motion") - before).max() > 0.1


def test_other_bone_lengths_move_the_bones(lifted: Any, tmp_path: Path) -> None:
    take = synthetic_take(frames=20, people=1)
    taller = replace(take, rest_offsets=take.rest_offsets * 1.1, joint_offsets=take.joint_offsets * 1.1)
    save_take(taller, tmp_path / "solved.npz")
    data = bpy.data.objects["walk"].data
    before = data.bones["shin.L"].length
    bpy.ops.lift.solve_take()
    assert data.bones["shin.L"].length == pytest.approx(1.1 * before, rel=1e-4)
    assert bpy.context.mode == "OBJECT" and len(bpy.data.scenes) == 1


def test_settings_reach_the_engine(lifted: Any) -> None:
    clean_up = lifted.clean_up
    clean_up.smooth, clean_up.by_part, clean_up.smooth_hands = 0.25, True, 0.75
    clean_up.root, clean_up.turn, clean_up.facing = "IN_PLACE", True, np.pi / 2
    words = " ".join(solve_arguments(Path("a"), Path("b"), option_values(clean_up, Place.CLEAN_UP)))
    assert "--smooth 0.25 --smooth-body 0.5 --smooth-hands 0.75 --smooth-feet 0.5 --smooth-root 0.5" in words
    assert "--in-place --facing 90" in words
    assert bpy.ops.lift.reset_clean_up() == {"FINISHED"}
    words = " ".join(solve_arguments(Path("a"), Path("b"), option_values(clean_up, Place.CLEAN_UP)))
    assert "--smooth-hands 0.5" in words and "--no-in-place --facing keep" in words


def test_live_solves_once_after_a_drag(lifted: Any) -> None:
    before = keys("walk motion")
    bpy.context.scene.lift.live = True
    for value in (0.1, 0.2, 0.3):
        lifted.clean_up.smooth = value
    assert bpy.app.timers.is_registered(live_clean_up._start) and not runs.busy()
    bpy.app.timers.unregister(live_clean_up._start)
    live_clean_up._start()
    assert len([run for run in runs.runs if run.take_uid]) == 1
    lifted.clean_up.foot_lock = 0.5
    live_clean_up._start()
    assert len([run for run in runs.runs if run.take_uid]) == 1, "the run before is stopped"
    runs.wait_all()
    assert np.abs(keys("walk motion") - before).max() > 0.1


def test_apply_to_a_new_armature_and_to_the_active_one(lifted: Any) -> None:
    mine = bpy.data.objects["walk"].animation_data.action
    assert bpy.ops.lift.apply_take("EXEC_DEFAULT", target="ACTIVE") == {"FINISHED"}
    armature = bpy.data.objects["walk"]
    assert armature.animation_data.action != mine and mine.use_fake_user and not armature.animation_data.nla_tracks
    active = armature.animation_data.action
    assert bpy.ops.lift.apply_take("EXEC_DEFAULT", target="ACTIVE", as_strip=True) == {"FINISHED"}
    assert armature.animation_data.action == active
    (track,) = armature.animation_data.nla_tracks
    assert track.strips[0].action not in (mine, active) and track.strips[0].frame_start == 1
    assert bpy.ops.lift.apply_take("EXEC_DEFAULT", target="NEW") == {"FINISHED"}
    assert "walk.001" in bpy.data.objects and "walk.001" in bpy.data.collections
    bpy.ops.lift.solve_take()
    assert np.array_equal(keys(mine.name), keys(mine.name)) and bpy.data.objects["walk"].animation_data.action == active
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    with pytest.raises(RuntimeError, match="Make an armature"):
        bpy.ops.lift.apply_take("EXEC_DEFAULT", target="ACTIVE")


def test_saving_takes_the_files_along_and_paths_stay_relative(lifted: Any, tmp_path: Path, own_cache: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "a.blend"))
    assert lifted.path.startswith("//lift_takes/walk-") and lifted.clip.startswith("//")
    assert take_file(lifted).parent == folder / "lift_takes"
    bpy.ops.lift.solve_take()
    assert take_file(lifted).is_relative_to(own_cache), "what is not saved yet is not next to the file"
    solved = load_take(take_file(lifted)).rotations
    bpy.ops.wm.save_mainfile()
    assert len(list((folder / "lift_takes").iterdir())) == 1
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "a.blend"))
    entry = bpy.context.scene.lift.takes[0]
    assert np.array_equal(load_take(take_file(entry)).rotations, solved)
    assert not list(own_cache.rglob("*.npz")), "saved takes leave the cache when the file is closed"
    assert bpy.ops.lift.apply_take("EXEC_DEFAULT", target="NEW") == {"FINISHED"}


def test_save_as_elsewhere_and_save_a_copy(lifted: Any, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "c" / "copy.blend"), copy=True)
    assert take_file(lifted) is not None and not lifted.path.startswith("//")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a" / "a.blend"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "b" / "b.blend"))
    for name in ("a/a", "b/b", "c/copy"):
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / f"{name}.blend"))
        entry = bpy.context.scene.lift.takes[0]
        assert take_file(entry).parent == tmp_path / name[0] / "lift_takes"
        assert Path(bpy.path.abspath(entry.clip)).resolve() == (tmp_path / "walk.avi").resolve()


def test_undo_past_a_save_still_finds_the_file(lifted: Any, tmp_path: Path) -> None:
    bpy.ops.lift.solve_take()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.ed.undo()
    entry = bpy.context.scene.lift.takes[0]
    assert np.array_equal(load_take(take_file(entry)).rotations, synthetic_take(frames=20, people=1).rotations, True)


def test_clearing_the_cache_spares_the_open_file(lifted: Any, own_cache: Path) -> None:
    other = own_cache / "lift_cache" / "old-12345678-1.npz"
    other.write_bytes(b"0" * 1000)
    assert store.cache_size() > 1000
    assert bpy.ops.lift.clear_cache() == {"FINISHED"}
    assert not other.exists() and take_file(lifted) is not None


def test_footage_of_the_take(lifted: Any) -> None:
    seen = seen_keypoints.keypoints_of(lifted)
    assert seen is not None and seen.size == (1280, 720)
    assert [seen.at(lifted, frame) for frame in (-5, 1, 10.4, 10.6, 20, 25)] == [None, 0, 9, 10, 19, None]
    assert seen_keypoints.keypoints_of(lifted) is seen, "read once"


def test_what_the_user_should_know_is_said() -> None:
    take = synthetic_take(frames=60, people=1)
    observed = np.zeros((1, 60), bool)
    observed[0, 30:40] = observed[0, 50:60] = True
    assert (
        remarks(replace(take, observed=observed))
        == "The person was lost in 33 % of the frames between the first and the last"
    )
    observed[0, 40:50] = True
    take = replace(take, observed=observed)
    assert (
        remarks(replace(take, meta=replace(take.meta, damaged=3)))
        == "The clip is damaged: 3 pictures could not be read and are missing"
    )
    assert remarks(take) == "", "walking in and out is nothing to worry about"
