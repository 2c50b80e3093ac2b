# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of takes."""

from typing import TYPE_CHECKING, Any

import bpy

from .. import store
from ..properties.settings import settings_of
from ..properties.takes import take_file

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


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
        takes: list[Any] = [take for scene in bpy.data.scenes for take in settings_of(scene).takes]
        freed = store.clear_cache(file for take in takes if (file := take_file(take)) is not None)
        self.report({"INFO"}, f"{freed / 1e6:.1f} MB freed")
        return {"FINISHED"}


CLASSES = (LIFT_OT_clear_cache,)
