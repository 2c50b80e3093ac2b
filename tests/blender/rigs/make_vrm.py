"""Writes vrm_addon.json beside this: the armature that the VRM add-on makes, from PyPI's `bpy-vrm-format`.

python tests/blender/rigs/make_vrm.py    in an environment with bpy and bpy-vrm-format
"""

import contextlib
import json
import os
from pathlib import Path

import bpy
import io_scene_vrm


def main() -> None:
    """Makes the armature and writes its bones."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with contextlib.suppress(Exception):  # parts of it want a whole Blender; its operators are registered before
        io_scene_vrm.register()
    bpy.ops.icyp.make_basic_armature()
    rig = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = {
        bone.name: [
            bone.parent.name if bone.parent else "",
            [round(x, 4) for x in bone.head],
            [round(x, 4) for x in bone.tail],
            round(bone.roll, 4),
            int(bone.use_connect),
        ]
        for bone in rig.data.edit_bones
        if not bone.name.lower().startswith("eye")
    }
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in bones.items())
    Path(__file__).with_name("vrm_addon.json").write_text(f"{{\n{rows}\n}}\n", "utf-8")
    os._exit(0)  # bpy may crash while Python takes it down


if __name__ == "__main__":
    main()
