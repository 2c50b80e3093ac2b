# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking a person: a picture of the clip fills the 3D view, the user clicks on somebody."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import gpu

from .. import drawing, pictures
from ..clip_source import SourceError, source_of
from ..properties.lift_settings import settings_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

MARGIN = 56  # px at interface scale 1, above and below the picture: the headers, the help
STEP = 1.0  # s from one picture to the next
LEAVE = {"ESC", "RIGHTMOUSE"}
FORWARD, BACK = {"RIGHT_ARROW", "WHEELDOWNMOUSE"}, {"LEFT_ARROW", "WHEELUPMOUSE"}
HELP = "Click on the person to lift    Left/Right or wheel: another moment    Esc: cancel"


class LIFT_OT_pick_person(bpy.types.Operator):
    """Shows the clip's picture in the 3D view and takes a click."""

    bl_idname = "lift.pick_person"
    bl_label = "Pick Person"
    bl_description = "Click on the person to lift in a picture of the clip, which is shown in place of the 3D view"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a clip, in a 3D view."""
        assert context.scene is not None
        try:
            source_of(context.scene, settings_of(context.scene), exact=False)
        except SourceError as error:
            cls.poll_message_set(str(error))
            return False
        if context.area is None or context.area.type != "VIEW_3D":
            cls.poll_message_set("Use it in a 3D view")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Shows the first picture."""
        assert context.scene is not None and context.area is not None and context.window_manager is not None
        source = source_of(context.scene, settings_of(context.scene))
        self._clip, self._first, self._last = source.path, source.start or 0.0, source.end
        self._time = self._first
        self._area = context.area
        self._region: Any = next(region for region in context.area.regions if region.type == "WINDOW")
        self._texture: Any = None
        self._file: Path | None = None
        self._handler = bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
        self._timer = context.window_manager.event_timer_add(0.1, window=context.window)
        context.window_manager.modal_handler_add(self)
        self._area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Waits for a click."""
        self._load()
        if event.type == "TIMER" or event.value != "PRESS":
            self._area.tag_redraw()
            return {"PASS_THROUGH"} if event.type == "TIMER" else {"RUNNING_MODAL"}
        if event.type in LEAVE or pictures.failed(self._clip, self._first):
            self._close(context)
            return {"CANCELLED"}
        if event.type in FORWARD | BACK:
            time = self._time + (STEP if event.type in FORWARD else -STEP)
            self._time = max(self._first, time if self._last is None else min(time, self._last))
        elif event.type == "LEFTMOUSE" and (place := self._place(event)) is not None:
            settings = settings_of(context.scene)
            settings.person, settings.whom = (*place, self._time), "PICKED"
            self._close(context)
            return {"FINISHED"}
        return {"RUNNING_MODAL"}

    def _load(self) -> None:
        file = pictures.picture(self._clip, self._time)
        if file is None or file == self._file:
            return
        image = bpy.data.images.load(str(file), check_existing=False)
        try:
            self._texture = gpu.texture.from_image(image)
        finally:
            bpy.data.images.remove(image)
        self._file = file
        self._area.tag_redraw()

    def _frame(self) -> tuple[float, float, float, float]:
        """Where the picture is in the region: x, y, width, height."""
        assert bpy.context.preferences is not None
        system = bpy.context.preferences.system
        margin = MARGIN * system.ui_scale
        # The tool bar and the sidebar may lie over the view.
        over = {region.type: region.width for region in self._area.regions} if system.use_region_overlap else {}
        left, right = over.get("TOOLS", 0), over.get("UI", 0)
        width, height = max(1, self._region.width - left - right), self._region.height - 2 * margin
        ratio = self._texture.width / self._texture.height
        w = min(width, height * ratio)
        return left + (width - w) / 2, margin + (height - w / ratio) / 2, w, w / ratio

    def _place(self, event: bpy.types.Event) -> tuple[float, float] | None:
        """Where in the picture the mouse is, 0 to 1 from its upper left corner."""
        if self._texture is None:
            return None
        x, y, w, h = self._frame()
        u = (event.mouse_x - self._region.x - x) / w
        v = 1 - (event.mouse_y - self._region.y - y) / h
        return (u, v) if 0 <= u <= 1 and 0 <= v <= 1 else None

    def _draw(self) -> None:
        if bpy.context.area != self._area:
            return
        width, height = self._region.width, self._region.height
        drawing.rectangle(0, 0, width, height, (0.1, 0.1, 0.1, 1.0))
        if self._texture is None:
            lost = pictures.failed(self._clip, self._time)
            drawing.text("This clip cannot be read" if lost else "Reading the clip...", width / 2, height / 2)
            return
        drawing.texture(self._texture, *self._frame())
        drawing.text(f"{self._time:.1f} s    {HELP}", width / 2, 24, shade=0.75)

    def _close(self, context: bpy.types.Context) -> None:
        bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
        assert context.window_manager is not None
        context.window_manager.event_timer_remove(self._timer)
        self._texture = None
        self._area.tag_redraw()


CLASSES = (LIFT_OT_pick_person,)
