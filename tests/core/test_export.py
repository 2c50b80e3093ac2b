"""Exports: a BVH read back puts every joint where the take says; the previews show footage and skeleton."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lifter_core.errors import BadInputError
from lifter_core.export.bvh import write_bvh
from lifter_core.export.preview import write_preview, write_preview_picture
from lifter_core.skeleton import (
    BONE,
    BONE_NAMES,
    BONE_PARENTS,
    BONES,
    JOINT,
    TAKE_JOINT_BONES,
    TAKE_JOINT_NAMES,
    TAKE_JOINT_PARENTS,
)
from lifter_core.take import Take
from lifter_core.video import probe, read_frames

from .conftest import MakeVideo

REST = {  # a T-pose facing -Y, metres; sided ones are the left's, mirrored for the right
    "pelvis": (0, 0, 1.0), "back": (0, 0, 1.1), "waist": (0, 0, 1.2), "spine": (0, 0, 1.3),
    "thorax": (0, 0, 1.4), "neck": (0, 0, 1.55), "head": (0, 0, 1.75),
    "nose": (0, -0.1, 1.6), "ear": (0.07, 0, 1.62), "hip": (0.1, 0, 0.95), "knee": (0.1, 0, 0.5),
    "ankle": (0.1, 0, 0.08), "heel": (0.1, 0.05, 0.02), "ball": (0.1, -0.1, 0.02), "toe": (0.1, -0.18, 0.02),
    "shoulder": (0.18, 0, 1.42),
    "elbow": (0.45, 0, 1.42), "wrist": (0.7, 0, 1.42), "hand": (0.8, 0, 1.42),
}  # fmt: skip


def rest_position(joint: str) -> NDArray[np.float64]:
    side, _, part = joint.rpartition("_")  # the lower back is the middle's
    return np.array(REST[part]) * np.array([-1 if side == "right" else 1, 1, 1])


def matrix(q: NDArray[np.float64]) -> NDArray[np.float64]:
    w, v = q[0], q[1:]
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def tumbling_take(frames: int = 12, fps: float = 25.0) -> Take:
    """One person, every bone turning about an axis of its own, walking along +X; the first two frames are absent."""
    rng = np.random.default_rng(3)
    axes = rng.normal(size=(len(BONES), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    heads = np.array([rest_position(b.head) for b in BONES])
    rest = np.array([heads[i] - heads[p] if p >= 0 else np.zeros(3) for i, p in enumerate(BONE_PARENTS)])
    offsets = np.array([rest_position(j) - heads[b] for j, b in zip(TAKE_JOINT_NAMES, TAKE_JOINT_BONES, strict=True)])
    rotations = np.full((frames, len(BONES), 4), np.nan)
    positions = np.full((frames, len(TAKE_JOINT_NAMES), 3), np.nan)
    roots = np.full((frames, 3), np.nan)
    for t in range(2, frames):
        half = 0.03 * t
        rotations[t] = np.column_stack([np.full(len(BONES), np.cos(half)), np.sin(half) * axes])
        roots[t] = (0.05 * t, 0.0, 1.0)
        turned: list[Any] = []
        placed: list[Any] = []
        for b, parent in enumerate(BONE_PARENTS):
            local = matrix(rotations[t, b])
            turned.append(turned[parent] @ local if parent >= 0 else local)
            placed.append(placed[parent] + turned[parent] @ rest[b] if parent >= 0 else roots[t])
        positions[t] = [placed[b] + turned[b] @ o for b, o in zip(TAKE_JOINT_BONES, offsets, strict=True)]
    camera = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # looks along +Y from 4 m before the person
    return Take(
        fps=fps, timestamps=np.arange(frames) / fps,
        joint_names=TAKE_JOINT_NAMES, joint_parents=np.array(TAKE_JOINT_PARENTS, np.int32),
        joint_bones=np.array(TAKE_JOINT_BONES, np.int32), joint_offsets=offsets[None].astype(np.float32),
        positions=positions[None].astype(np.float32),
        bone_names=BONE_NAMES, bone_parents=np.array(BONE_PARENTS, np.int32),
        rotations=rotations[None].astype(np.float32), rest_offsets=rest[None].astype(np.float32),
        root_positions=roots[None].astype(np.float32),
        keypoint_names=("nose",), keypoints=np.zeros((1, frames, 1, 3), np.float32),
        observed=np.isfinite(roots[None, :, 0]), contacts=np.zeros((1, frames, 2), np.bool_),
        image_size=(320, 240), camera_matrix=np.array([[240.0, 0, 160], [0, 240, 120], [0, 0, 1]]),
        camera_rotation=np.repeat(camera[None], frames, 0),
        camera_translation=np.repeat((-camera @ np.array([0.3, -4.0, 1.0]))[None], frames, 0),
    )  # fmt: skip


def read_bvh(path: Path) -> tuple[list[str], list[int], NDArray[np.float64], NDArray[np.float64], float]:
    """Names, parents, offsets (N, 3), channel values (T, C), frame time; end sites are called ``<parent>/end``."""
    words = iter(path.read_text().split())
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    open_nodes: list[int] = []
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            name = next(words)
            names.append(f"{names[open_nodes[-1]]}/end" if word == "End" else name)
            parents.append(open_nodes[-1] if open_nodes else -1)
            open_nodes.append(len(names) - 1)
        elif word == "OFFSET":
            offsets.append([float(next(words)) for _ in range(3)])
        elif word == "CHANNELS":
            channels = [next(words) for _ in range(int(next(words)))]
            assert channels[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
        elif word == "}":
            open_nodes.pop()
        elif word == "Frames:":
            count = int(next(words))
        elif word == "Time:":
            frame_time = float(next(words))
            break
    values = np.array([float(w) for w in words]).reshape(count, -1)
    return names, parents, np.array(offsets), values, frame_time


def pose_bvh(path: Path) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Each node's (T, 3) positions in the take's world, metres."""

    def about(axis: int, degrees: float) -> NDArray[np.float64]:
        q = np.zeros(4)
        q[0], q[1 + axis] = np.cos(np.radians(degrees) / 2), np.sin(np.radians(degrees) / 2)
        return matrix(q)

    names, parents, offsets, values, frame_time = read_bvh(path)
    result: dict[str, NDArray[np.float64]] = {name: np.zeros((len(values), 3)) for name in names}
    for t, row in enumerate(values):
        turned: list[Any] = []
        placed: list[Any] = []
        at = 3
        for node, parent in enumerate(parents):
            if names[node].endswith("/end"):
                local = np.eye(3)
            else:
                z, x, y = row[at : at + 3]
                local = about(2, z) @ about(0, x) @ about(1, y)
                at += 3
            turned.append(turned[parent] @ local if parent >= 0 else local)
            placed.append(placed[parent] + turned[parent] @ offsets[node] if parent >= 0 else offsets[node] + row[:3])
            x, y, z = placed[-1] / 100
            result[names[node]][t] = (x, -z, y)
    return result, frame_time


def test_bvh_puts_the_joints_where_the_take_says(tmp_path: Path) -> None:
    take = tumbling_take()
    write_bvh(take, tmp_path / "a.bvh")
    posed, frame_time = pose_bvh(tmp_path / "a.bvh")
    assert frame_time == pytest.approx(1 / 25)
    joints = {bone.name: bone.head for bone in BONES}
    for side in ("left", "right"):
        joints |= {f"{side}_toes/end": f"{side}_toe", f"{side}_hand/end": f"{side}_hand"}
    joints["head/end"] = "head"
    assert set(posed) == set(joints)
    for node, joint in joints.items():
        error = np.linalg.norm(posed[node][2:] - take.positions[0, 2:, JOINT[joint]], axis=1)
        assert error.max() < 1e-3, node
        assert np.allclose(posed[node][:2], posed[node][2])  # before the person comes, the first pose is held


def test_bvh_has_an_even_clock_for_uneven_frames(tmp_path: Path) -> None:
    take = tumbling_take()
    uneven = replace(take, timestamps=take.timestamps * np.linspace(1, 2, 12))
    write_bvh(uneven, tmp_path / "a.bvh")
    posed, frame_time = pose_bvh(tmp_path / "a.bvh")
    assert len(posed["pelvis"]) == round(uneven.timestamps[-1] * 25) + 1
    clock = np.arange(len(posed["pelvis"])) * frame_time
    expected = np.interp(clock, uneven.timestamps[2:], take.root_positions[0, 2:, 0])
    assert np.abs(posed["pelvis"][:, 0] - expected).max() < 1e-3


def test_bvh_angles_do_not_jump(tmp_path: Path) -> None:
    take = tumbling_take(120)
    write_bvh(take, tmp_path / "a.bvh")
    values = read_bvh(tmp_path / "a.bvh")[3]
    turning = values[:, 3 + 3 * list(BONE).index("spine_1") :]
    assert np.abs(np.diff(turning, axis=0)).max() < 180


def test_bvh_of_nobody_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    take = tumbling_take(2)
    for person in (0, 1):
        with pytest.raises(BadInputError):
            write_bvh(take, tmp_path / "a.bvh", person)
    assert not list(tmp_path.iterdir())


def footage(make_video: MakeVideo, take: Take, ticks: list[int] | None = None) -> Path:
    pictures = [np.full((240, 320, 3), 90, np.uint8)] * len(take.timestamps)
    return make_video(pictures, ticks or [round(1000 * t) for t in take.timestamps])


def coloured(image: NDArray[np.uint8], name: str) -> NDArray[np.bool_]:
    red, blue = image[..., 0].astype(int), image[..., 2].astype(int)
    difference = blue - red if name == "left" else red - blue
    return np.asarray(difference > 60, np.bool_)


def test_preview_shows_the_skeleton_on_the_footage_and_from_the_side(make_video: MakeVideo, tmp_path: Path) -> None:
    times = np.array([0, 40, 80, 200, 240, 280, 320, 360, 400, 500, 540, 580]) / 1000
    take = replace(tumbling_take(), timestamps=times)
    write_preview(take, footage(make_video, take), tmp_path / "p.mp4")
    frames = list(read_frames(tmp_path / "p.mp4"))
    assert [f.time for f in frames] == pytest.approx(list(take.timestamps), abs=2e-3)
    info = probe(tmp_path / "p.mp4")
    width, height = 640, 480  # the footage, enlarged twice
    assert (info.width, info.height) == (width + height * 3 // 4, height)
    for side in ("left", "right"):
        assert not coloured(frames[0].image, side).any()  # nobody there yet
        assert coloured(frames[3].image[:, width:], side).any()
    # The person faces the camera, so their left wrist is on the picture's right.
    wrist = take.positions[0, 3, JOINT["left_wrist"]] @ take.camera_rotation[3].T + take.camera_translation[3]
    x, y = ((take.camera_matrix @ wrist)[:2] / wrist[2] * 2).round().astype(int)
    assert x > width / 2
    assert coloured(frames[3].image[y - 6 : y + 7, x - 6 : x + 7], "left").any()


def test_preview_picture_is_a_strip_of_frames_with_the_person(make_video: MakeVideo, tmp_path: Path) -> None:
    take = tumbling_take()
    write_preview_picture(take, footage(make_video, take), tmp_path / "p.png")
    strip = np.asarray(Image.open(tmp_path / "p.png"))
    assert strip.shape == (360 + 480, 4 * 480, 3)
    for column in range(4):
        assert coloured(strip[:360, column * 480 : (column + 1) * 480], "left").any()


def test_preview_with_another_clip_is_refused_and_leaves_no_file(make_video: MakeVideo, tmp_path: Path) -> None:
    take = tumbling_take()
    clip = footage(make_video, take, [30 * i for i in range(12)])
    take = replace(take, timestamps=take.timestamps + 0.0155)
    for write, name in ((write_preview, "p.mp4"), (write_preview_picture, "p.png")):
        with pytest.raises(BadInputError, match="none of the take's frames"):
            write(take, clip, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]
