"""One clip made: take, body, clothes, movement, camera; rendered, and its truth written down. Needs bpy."""

import json
import time
from pathlib import Path

import numpy as np

from ...files import replaced
from . import stage
from .body_animation import perform, read_take, skin
from .camera_placement import place
from .human import random_human, true_joints
from .plan import FRAMES, shot
from .wardrobe import dress

_ENOUGH_PX = 270.0


def make(number: int, out: Path, body: Path, mocap: Path) -> str:
    """Renders clip ``number`` to ``NUMBER.mp4`` and writes ``NUMBER_truth.npz``; says in a word how it went.

    A shot for which no camera fits leaves an empty ``NUMBER.none``, so that it is not tried again.
    """
    began = time.process_time()
    wanted = shot(number, mocap)
    rng = wanted.rng
    take = read_take(mocap / wanted.file, wanted.take, wanted.start, wanted.fps, FRAMES)
    human = random_human(body, rng)
    points = true_joints(human, body)
    motion = perform(human, body, take, points, rng)
    names = list(motion.joints)
    joints = np.stack([motion.joints[name] for name in names], 1)
    view = place(wanted, joints, motion.facing, human.info["height"], rng)
    stem = f"{number:05d}"
    if view is None:
        (out / f"{stem}.none").touch()
        return "no camera fits"
    actor = dress(human, body, rng)
    moved = skin(human, body, motion, actor.indices, actor.vertices)
    built = time.process_time()
    video = out / f"{stem}.mp4"
    # the landmarker sees people at 256 px: larger ones are rendered smaller, and scaled up on the film
    scale = float(np.clip(_ENOUGH_PX / view.info["height_px"], 0.35, 1.0))
    stage.render(wanted, actor, moved, view, scale, motion.joints["pelvis"], out / f"{stem}.part.mp4", rng)
    (out / f"{stem}.part.mp4").replace(video)
    done = time.process_time()
    info = {
        "id": number, "split": wanted.split, "source": wanted.file, "mocap": take.info["id"],
        "category": take.info["category"], "start_s": wanted.start, "fps": wanted.fps, "size": wanted.size,
        "occluder": wanted.occluded, "cropped": wanted.cropped, "moving": wanted.moving, "shutter": wanted.shutter,
        "camera_matrix": view.matrix.tolist(), "body": human.info | actor.info, **view.info,
        "render_s": (done - began) / FRAMES, "joints": names, "rendered_at": scale,
    }  # fmt: skip
    with replaced(out / f"{stem}_truth.npz") as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            joints=view.to_camera(joints).astype(np.float32),
            rotation=view.rotation,
            translation=view.translation,
            up=view.rotation[:, :, 2].astype(np.float32),
            meta=np.array(json.dumps(info)),
        )
    cost = f"built {built - began:.1f} s, rendered {done - built:.1f} s"
    return f"{take.info['category']}, {view.info['height_px']:.0f} px, {cost}"
