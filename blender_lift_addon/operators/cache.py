# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes' files: clearing the cache, and the folder next to the .blend."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from .. import store
from ..properties.lift_settings import settings_of
from ..properties.takes import take_file

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


def _count(files: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}"


class LIFT_OT_clear_cache(bpy.types.Operator):
    """Deletes what no take of this file needs."""

    bl_idname = "lift.clear_cache"
    bl_label = "Clear Cache"
    bl_description = (
        "Delete the takes in the cache folder, but not those of the file that is open. Takes of .blend files that were "
        "saved lie next to those and stay"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if there is something."""
        if not store.cache_size():
            cls.poll_message_set("The cache is empty")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Asks first."""
        assert context.window_manager is not None
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Deletes them."""
        freed = store.clear_cache(_used())
        self.report({"INFO"}, f"{freed / 1e6:.1f} MB freed")
        return {"FINISHED"}


class LIFT_OT_tidy_takes(bpy.types.Operator):
    """Moves away what no take of this file names."""

    bl_idname = "lift.tidy_takes"
    bl_label = "Move Unused Take Files"
    bl_description = (
        "Move the files in the folder lift_takes next to this .blend that none of its takes needs into the cache. "
        "Nothing is deleted until the cache is cleared"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if there are some."""
        if not bpy.data.filepath:
            cls.poll_message_set("Save the file first")
            return False
        if not _unused():
            cls.poll_message_set("Every file in lift_takes belongs to a take of this .blend")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Says what would go, and who else may need it."""
        assert context.window_manager is not None
        return context.window_manager.invoke_props_dialog(self, width=380, confirm_text="Move")

    def draw(self, context: bpy.types.Context) -> None:
        """The dialog."""
        assert self.layout is not None
        column = self.layout.column(align=True)
        files = _unused()
        size = sum(file.stat().st_size for file in files) / 1e6
        column.label(text=f"{_count(len(files))}, {size:.1f} MB, from lift_takes into the cache")
        for file in files[:8]:
            column.label(text=file.name, icon="BLANK1")
        if len(files) > 8:
            column.label(text=f"and {len(files) - 8} more", icon="BLANK1")
        others = [file.name for file in Path(bpy.data.filepath).parent.glob("*.blend")]
        others = [name for name in others if name != Path(bpy.data.filepath).name]
        if others:
            column.label(text=f"{others[0]}{' and others' if others[1:] else ''} beside it may need them", icon="ERROR")

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Moves them."""
        files = _unused()
        try:
            for file in files:
                store.retire(file)
        except OSError as error:
            self.report({"ERROR"}, f"A file could not be moved: {error.strerror}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{_count(len(files))} moved into the cache")
        return {"FINISHED"}


def _used() -> list[Path]:
    """The files that the takes of the open file need."""
    takes: list[Any] = [take for scene in bpy.data.scenes for take in settings_of(scene).takes]
    return [file for take in takes if (file := take_file(take)) is not None]


def _unused() -> list[Path]:
    return store.unused(Path(bpy.data.filepath), _used())


CLASSES = (LIFT_OT_clear_cache, LIFT_OT_tidy_takes)
