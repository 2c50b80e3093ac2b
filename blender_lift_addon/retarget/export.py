# SPDX-License-Identifier: GPL-3.0-or-later
"""An armature with its meshes and its motion, to the files that other programs read, in one click."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from bpy.props import EnumProperty, StringProperty

from .bone_motion import curves_of
from .bvh_axes import Y_UP, turned
from .retarget_settings import retarget_of
from .rig import data_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


@dataclass(frozen=True)
class Format:
    """A file format and the settings with which others can use what is written."""

    name: str
    suffix: str
    operator: str  # as in bpy.ops
    addon: str  # that brings the operator; none if Blender has it built in
    settings: dict[str, Any]


FORMATS = {
    "FBX": Format(
        "FBX",
        ".fbx",
        "export_scene.fbx",
        "io_scene_fbx",
        {
            "use_selection": True,
            "object_types": {"ARMATURE", "MESH"},
            "add_leaf_bones": False,  # game engines take them for bones
            "bake_anim": True,
            "bake_anim_use_all_actions": False,
            "bake_anim_use_nla_strips": False,
            "bake_anim_simplify_factor": 0.0,
            "mesh_smooth_type": "FACE",
        },
    ),
    "GLB": Format(
        "glTF",
        ".glb",
        "export_scene.gltf",
        "io_scene_gltf2",
        {
            "export_format": "GLB",
            "use_selection": True,
            "export_animation_mode": "ACTIVE_ACTIONS",
            "export_force_sampling": True,
            "export_frame_range": True,
            "export_skins": True,
        },
    ),
    "BVH": Format("BVH", ".bvh", "export_anim.bvh", "io_anim_bvh", {"rotate_mode": "NATIVE"}),
    "USD": Format(
        "USD",
        ".usdc",
        "wm.usd_export",
        "",
        {
            "selected_objects_only": True,
            "export_animation": True,
            "export_armatures": True,
            "export_textures_mode": "KEEP",
        },
    ),
}
FORM_OF_BUTTON = "lift_export_form"  # in the context: what ``poll`` knows of a button's format
ITEMS = [(key, form.name, f"Write {form.suffix}") for key, form in FORMATS.items()]


def operator_of(form: Format) -> Any:
    """The exporter, or None if it is switched off or was not built in."""
    module, name = form.operator.split(".")
    operator: Any = getattr(getattr(bpy.ops, module), name)
    try:
        operator.get_rna_type()
    except (KeyError, AttributeError):
        return None
    return operator


def file_name(name: str) -> str:
    """A name as a file may be called on any system: letters of all languages stay."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).rstrip(". ") or "_"


def why_missing(form: Format) -> str:
    """What to do where Blender lacks the exporter."""
    if form.addon:
        return f"Blender's {form.name} exporter is off: switch on the add-on {form.addon} in the preferences"
    return f"This Blender was built without {form.name}: choose another format"


def armature_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active armature, else the retargeting's target."""
    active = context.active_object
    if active is not None and active.type == "ARMATURE":
        return active
    target: bpy.types.Object | None = retarget_of(context.scene).target
    return target


def meshes_of(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The meshes that the armature deforms or carries."""
    found = []
    for ob in scene.objects:
        modifiers: Any = ob.modifiers
        deformed = any(m.type == "ARMATURE" and m.object == armature_object for m in modifiers)
        if ob.type == "MESH" and (deformed or ob.parent == armature_object):
            found.append(ob)
    return found


def travels_below_root(armature_object: bpy.types.Object) -> bool:
    """Whether a bone that hangs on another has its location keyed, as the hips of rigs that have a root bone."""
    bones = data_of(armature_object).bones
    keyed = {name for name, channel in curves_of(armature_object) if channel == "location"}
    return any(name in bones and bones[name].parent is not None for name in keyed)


def frame_range(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> tuple[int, int]:
    """First and last frame of the armature's action, else of the scene."""
    animation = armature_object.animation_data
    if animation is None or animation.action is None:
        return scene.frame_start, scene.frame_end
    edges = animation.action.frame_range
    return round(edges[0]), max(round(edges[1]), round(edges[0]))


@contextmanager
def _only(context: bpy.types.Context, objects: list[bpy.types.Object], start: int, end: int) -> Iterator[None]:
    """Only these selected, the first one active, the scene as long as the motion; all as before afterwards."""
    scene, layer = context.scene, context.view_layer
    assert scene is not None and layer is not None
    selected, active = list(layer.objects.selected), layer.objects.active
    hidden = [ob for ob in objects if ob.hide_get(view_layer=layer)]
    frames = scene.frame_start, scene.frame_end, scene.frame_current
    try:
        for ob in selected:
            ob.select_set(False, view_layer=layer)
        for ob in objects:
            ob.hide_set(False, view_layer=layer)
            ob.select_set(True, view_layer=layer)
        layer.objects.active = objects[0]
        scene.frame_start, scene.frame_end = start, end
        yield
    finally:
        scene.frame_start, scene.frame_end = frames[:2]
        scene.frame_set(frames[2])
        for ob in objects:
            ob.select_set(False, view_layer=layer)
        for ob in hidden:
            ob.hide_set(True, view_layer=layer)
        for ob in selected:
            ob.select_set(True, view_layer=layer)
        layer.objects.active = active


def export(context: bpy.types.Context, armature_object: bpy.types.Object, form: Format, path: Path) -> list[str]:
    """Writes the armature, its meshes and its motion. Returns the names of the objects written.

    Raises:
        RuntimeError, ValueError: the exporter could not.
        OSError: the file cannot be written.
    """
    operator, scene = operator_of(form), context.scene
    assert operator is not None and scene is not None
    known = operator.get_rna_type().properties.keys()
    settings = {key: value for key, value in form.settings.items() if key in known}
    start, end = frame_range(armature_object, scene)
    bones = data_of(armature_object).bones
    # A control rig's helpers are no use elsewhere.
    controls = any(bone.use_deform for bone in bones) and not all(bone.use_deform for bone in bones)
    for key in ("use_armature_deform_only", "export_def_bones", "only_deform_bones"):
        if key in known:
            settings[key] = controls
    if form.suffix == ".bvh":  # which is in centimetres, and knows nothing of the object's scale
        settings["global_scale"] = 100.0 * armature_object.matrix_world.median_scale
        settings["root_transform_only"] = not travels_below_root(armature_object)
    if "frame_start" in known:
        settings |= {"frame_start": start, "frame_end": end}
    meshes = [] if form.suffix == ".bvh" else meshes_of(armature_object, scene)
    objects = [armature_object, *meshes]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".lift-") as folder:
        written = Path(folder) / path.name
        with _only(context, objects, start, end):
            operator(filepath=str(written), **settings)
        if form.suffix == ".bvh":
            axes = np.array(armature_object.matrix_world.to_quaternion().to_matrix())
            written.write_text(turned(written.read_text("utf-8"), Y_UP @ axes), "utf-8")
        os.replace(written, path)
    return [ob.name for ob in objects]


class LIFT_OT_export_motion(bpy.types.Operator):
    """Writes the armature for another program."""

    bl_idname = "lift.export_motion"
    bl_label = "Export Motion"
    bl_description = (
        "Write the active armature (or else the target) with its meshes and the motion of its action, "
        "with settings that game engines and other programs expect"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012

    form: EnumProperty(items=ITEMS, name="Format", options={"HIDDEN"})  # type: ignore[valid-type]
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        armature = armature_of(context)
        form = FORMATS.get(getattr(context, FORM_OF_BUTTON, ""))
        if form is not None and operator_of(form) is None:
            cls.poll_message_set(why_missing(form))
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave the present mode: exporting needs Object Mode")
            return False
        if armature is None:
            cls.poll_message_set("Select an armature to export, or choose a target")
            return False
        if context.view_layer is not None and armature.name not in context.view_layer.objects:
            cls.poll_message_set(f"{armature.name} is not in this view layer")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Opens the file browser with the action's name."""
        armature = armature_of(context)
        assert armature is not None and context.window_manager is not None
        animation = armature.animation_data
        name = animation.action.name if animation and animation.action else armature.name
        folder = os.path.dirname(bpy.data.filepath)
        self.filepath = os.path.join(folder, file_name(name) + FORMATS[self.form].suffix)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Exports."""
        form = FORMATS[self.form]
        armature = armature_of(context)
        assert armature is not None
        if operator_of(form) is None:
            self.report({"ERROR"}, why_missing(form))
            return {"CANCELLED"}
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(form.suffix)
        try:
            names = export(context, armature, form, path)
        except (RuntimeError, OSError, ValueError) as error:
            self.report({"ERROR"}, f"{path.name} could not be written: {str(error).strip().splitlines()[-1]}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"Wrote {', '.join(names[:3])}{' ...' if len(names) > 3 else ''} to {path.name}")
        return {"FINISHED"}


CLASSES = (LIFT_OT_export_motion,)
