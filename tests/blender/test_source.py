"""What is to be lifted: files, movie clips, strips and their trims."""

import warnings
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_lift_addon.clip_source import SourceError, source_of

from .conftest import write_clip


def add_strip(clip: Path, start: int) -> Any:
    editor = bpy.context.scene.sequence_editor_create()
    new = editor.strips if hasattr(editor, "strips") else editor.sequences
    return new.new_movie("shot", str(clip), 1, start)


def trim(strip: Any, left: int, right: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 5.2 has new names for them
        strip.frame_offset_start, strip.frame_offset_end = left, right


def test_a_movie_clip_of_the_file(clip: Path) -> None:
    settings = bpy.context.scene.lift
    settings.source = "CLIP"
    with pytest.raises(SourceError, match="Choose a movie clip"):
        source_of(bpy.context.scene, settings)
    settings.movie_clip = bpy.data.movieclips.load(str(clip))
    source = source_of(bpy.context.scene, settings)
    assert (source.path, source.start, source.end, source.name) == (clip, None, None, "walk")


def test_a_strip_gives_the_part_it_shows_and_its_place(clip: Path) -> None:
    scene, settings = bpy.context.scene, bpy.context.scene.lift
    strip = add_strip(clip, 101)  # 40 frames, 30 a second
    settings.source, settings.strip = "STRIP", strip.name
    source = source_of(scene, settings)
    assert (source.start, source.end, source.first_frame) == (None, None, 101)
    trim(strip, 10, 6)
    source = source_of(scene, settings)
    assert source.start == pytest.approx(10 / 30) and source.end == pytest.approx(34 / 30)
    assert source.first_frame == 111 and source.name == "shot"


def test_what_cannot_be_lifted_is_said(tmp_path: Path, clip: Path) -> None:
    scene, settings = bpy.context.scene, bpy.context.scene.lift
    settings.source = "STRIP"
    with pytest.raises(SourceError, match="Choose a movie strip"):
        source_of(scene, settings)
    other = write_clip(tmp_path / "other.avi", frames=2, size=(16, 16))
    settings.strip = add_strip(other, 1).name
    other.unlink()
    with pytest.raises(SourceError, match="strip's path"):
        source_of(scene, settings)
