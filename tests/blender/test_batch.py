"""Clips to .blend files without a window."""

import sys
from pathlib import Path

import bpy
import pytest

from blender_lift_addon import batch
from blender_lift_addon.scene_view import scale

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


def test_a_bad_clip_does_not_stop_the_others(tmp_path: Path, fake_engine: Path, clip: Path) -> None:
    bad, out = tmp_path / "damaged.mp4", tmp_path / "new" / "out"
    assert batch.main([str(bad), str(clip), "--out", str(out), "--quality", "draft"]) == 1
    assert sorted(path.name for path in out.iterdir()) == ["walk.blend", "walk.npz"]
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    assert sorted(ob.name for ob in bpy.data.objects) == ["walk camera", "walk person 1", "walk person 2"]
    assert bpy.data.objects["walk person 1"].animation_data.action is not None
    assert bpy.data.movieclips[0].filepath.startswith("//")
    assert Path(bpy.path.abspath(bpy.data.movieclips[0].filepath)).resolve() == clip.resolve()


def test_clips_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    assert batch._names([Path("a/walk.mp4"), Path("b/walk.mov"), Path("c/run.mp4")]) == ["walk", "walk_2", "run"]


def test_a_blend_from_a_take_at_hand(tmp_path: Path, fake_engine: Path, clip: Path) -> None:
    take = tmp_path / "canned.npz"
    assert batch.main(["--take", str(take), "--clip", str(clip), "--out", str(tmp_path / "out")]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "out" / "walk.blend"))
    areas = [a for s in bpy.data.screens for a in s.areas if a.type == "VIEW_3D"]
    assert areas
    render = bpy.context.scene.render
    for area in areas:
        view = area.spaces.active.region_3d
        assert view.view_perspective == "CAMERA", "the file opens on the footage"
        width, height = next((r.width, r.height) for r in area.regions if r.type == "WINDOW")
        frame = scale(view.view_camera_zoom) * width
        fills = max(frame / width, frame * render.resolution_y / render.resolution_x / height)
        assert 0.6 < fills <= 1.01, "all of it, and not smaller than need be"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--take", "none.npz", "--out", "o"], 2, "cannot be read"),
        (["--out", "o"], 2, "at least one clip"),
        (["--help"], 0, "Example"),
    ],
)
def test_wrong_use_is_explained(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch.main(arguments) == code
    said = capsys.readouterr()
    assert words in said.out + said.err
