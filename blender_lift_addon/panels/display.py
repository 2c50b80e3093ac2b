# SPDX-License-Identifier: GPL-3.0-or-later
"""How the take is shown over its footage."""

from typing import Any

import bpy

from ..properties.lift_settings import active_take, settings_of
from ..tags import armatures, camera


class LIFT_PT_look(bpy.types.Panel):
    """The footage and what is drawn over it."""

    bl_label = "Display"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_parent_id = "LIFT_PT_takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a take."""
        return active_take(context.scene) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the switches."""
        layout, take = self.layout, active_take(context.scene)
        settings: Any = settings_of(context.scene)
        assert layout is not None and take is not None and context.scene is not None
        layout.use_property_split = True
        layout.use_property_decorate = False
        if len(settings.takes) > 1:
            layout.prop(settings, "solo")
        eye = camera(take.uid)
        data = eye.data if eye is not None else None
        if isinstance(data, bpy.types.Camera) and len(data.background_images):
            footage = data.background_images[0]
            row = layout.row(heading="Footage")
            row.prop(data, "show_background_images", text="")
            value = row.row()
            value.active = data.show_background_images
            value.prop(footage, "alpha", text="Opacity", slider=True)
            layout.row().prop(footage, "display_depth", text="Depth", expand=True)
        made = armatures(take.uid)
        if made and isinstance(made[0].data, bpy.types.Armature):
            layout.prop(made[0].data, "display_type", text="Armature")
        drawn = layout.column(heading="Camera View")
        drawn.prop(settings, "show_keypoints")
        drawn = layout.column(heading="Timeline")
        drawn.prop(settings, "show_contacts")
        drawn.prop(settings, "show_lost")
        if eye is not None and context.scene.camera != eye:
            layout.label(text="Another camera is the scene's camera", icon="INFO")


CLASSES = (LIFT_PT_look,)
