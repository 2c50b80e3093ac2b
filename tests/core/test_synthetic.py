"""Rendered training clips: what needs neither Blender nor the body's data. Pairs, plan, motion, camera, film, figures."""

import json
from pathlib import Path

import numpy as np
import pytest

from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.errors import BadInputError
from lifter_core.rotations import about
from lifter_core.skeleton import JOINT, JOINT_NAMES, KEYPOINT_SOURCES
from lifter_core.solve.body import STANDARD
from lifter_core.training.synthetic import analyse, body_animation, camera_placement, film, plan
from lifter_core.training.synthetic.__main__ import main
from lifter_core.training.synthetic.pairs import Pair, pack, read_pairs
from lifter_core.training.synthetic.textures import FABRICS, WALLS, fabric, surface
from lifter_core.video import probe, read_frames

FRAMES = 60
STANDING = STANDARD[: len(JOINT_NAMES)]  # a T-pose, Z up, facing -Y
MATRIX = np.array([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]])


def shot(**changes: object) -> plan.Shot:
    usual = plan.Shot(3, "train", "cmu_60.npz", 0, 0.0, 30.0, (640, 480), 0.0, 0.5, False, False, False, 0.0)
    return usual._replace(**changes)  # type: ignore[arg-type]


def pair(offset: tuple[float, float] = (0, 0), split: str = "train", **info: object) -> Pair:
    """Somebody 4 m before the camera who sways; the detector is off by ``offset`` px everywhere."""
    sway = 0.1 * np.sin(np.arange(FRAMES) / 5)[:, None, None] * np.array([1.0, 0, 0])
    upright = (STANDING - STANDING[0]) @ np.array(
        [[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]
    ).T  # camera axes: y down, faces it
    joints = upright * [1, -1, 1] @ np.diag([1.0, 1, -1]) + sway + np.array([0, 0, 4.0])
    seen = joints @ MATRIX.T
    pixels = seen[..., :2] / seen[..., 2:]
    points = np.repeat(pixels[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    for j, name in enumerate(JOINT_NAMES):
        for source in KEYPOINT_SOURCES.get(name, (name,)):
            if source in KEYPOINT_NAMES:
                points[:, KEYPOINT_NAMES.index(source)] = pixels[:, j]
    world = np.zeros((FRAMES, len(KEYPOINT_NAMES), 3), np.float32)
    for j, name in enumerate(JOINT_NAMES):
        if name in KEYPOINT_NAMES:
            world[:, KEYPOINT_NAMES.index(name)] = joints[:, j]
    facts = {
        "id": 1, "split": split, "fps": 30.0, "size": [640, 480], "camera_matrix": MATRIX.tolist(), "occluder": False,
        "cropped": False, "moving": False, "body": {"height": 1.7}, "found": 1.0, "category": "walk",
    }  # fmt: skip
    confidence = np.ones(points.shape[:2], np.float32)
    up = np.tile(np.float32([0, -1, 0]), (FRAMES, 1))
    return Pair(KEYPOINT_NAMES, points + np.array(offset), confidence, world, joints, MATRIX, up, 30.0, facts | info)


def save(made: Pair, path: Path) -> None:
    """As ``detections.detect`` writes a clip: its joints in an order of its own, with more than the skeleton has."""
    names = [*reversed(JOINT_NAMES), "left_ball"]
    joints = np.concatenate([made.joints[:, ::-1], made.joints[:, :1]], 1)
    meta = json.dumps(made.info | {"keypoints": list(made.names), "joints": names})
    path.parent.mkdir(exist_ok=True)
    np.savez(
        path, points=made.points, confidence=made.confidence, world=made.world, joints=joints, up=made.up, meta=meta
    )


def test_pairs_come_back_from_the_packed_file_in_the_skeletons_order(tmp_path):
    save(pair(), tmp_path / "clips" / "00000.npz")
    save(pair((3, 0), "val"), tmp_path / "clips" / "00001.npz")
    assert pack((tmp_path / "clips").glob("*.npz"), tmp_path / "pairs.npz") == 2
    first, second = read_pairs(tmp_path / "pairs.npz")
    np.testing.assert_allclose(first.joints, pair().joints, atol=1.1e-4)
    np.testing.assert_allclose(second.points, pair((3, 0)).points, atol=0.11)
    np.testing.assert_allclose(second.up, pair().up, atol=1e-4)
    assert first.names == KEYPOINT_NAMES and second.info["split"] == "val"
    assert [p.info["split"] for p in read_pairs(tmp_path / "pairs.npz", "val")] == ["val"]


def test_frames_without_a_person_stay_empty_and_the_least_sure_points_stay_seen(tmp_path):
    made = pair()
    made.points[:5], made.world[:5], made.confidence[:5] = np.nan, np.nan, 0
    made.points[9], made.world[9], made.confidence[9] = np.nan, np.nan, 0
    made.confidence[20, 3] = 1e-5
    save(made, tmp_path / "00000.npz")
    pack([tmp_path / "00000.npz"], tmp_path / "pairs.npz")
    (read,) = read_pairs(tmp_path / "pairs.npz")
    assert (np.isnan(read.points) == np.isnan(made.points)).all() and (
        np.isnan(read.world) == np.isnan(made.world)
    ).all()
    assert ((read.confidence > 0) == (made.confidence > 0)).all()
    np.testing.assert_allclose(read.points[10], made.points[10], atol=0.11)


def test_packed_clips_are_small(tmp_path):
    rng = np.random.default_rng(0)
    made = pair()
    shaken = made._replace(points=made.points + rng.normal(0, 1, made.points.shape))
    save(shaken, tmp_path / "00000.npz")
    pack([tmp_path / "00000.npz"], tmp_path / "pairs.npz")
    assert (tmp_path / "pairs.npz").stat().st_size < 12_000


def test_older_files_of_plain_numbers_can_be_read(tmp_path):
    made = pair()
    meta = {"keypoints": made.names, "joints": JOINT_NAMES, "clips": [made.info | {"start": 0, "len": FRAMES}]}
    arrays = {name: getattr(made, name) for name in ("points", "confidence", "world", "joints", "up")}
    np.savez(tmp_path / "old.npz", meta=json.dumps(meta), **arrays)
    (read,) = read_pairs(tmp_path / "old.npz")
    np.testing.assert_array_equal(read.points, made.points)
    np.testing.assert_array_equal(read.joints, made.joints)
    meta["joints"] = ["third_hand", *JOINT_NAMES[1:]]
    np.savez(tmp_path / "old.npz", meta=json.dumps(meta), **arrays)
    with pytest.raises(BadInputError, match="made for another skeleton"):
        read_pairs(tmp_path / "old.npz")


def test_clips_of_another_skeleton_are_refused(tmp_path):
    save(pair(), tmp_path / "00000.npz")
    with np.load(tmp_path / "00000.npz") as z:
        arrays = dict(z)
    meta = json.loads(str(arrays["meta"]))
    meta["joints"][0] = "third_hand"
    np.savez(tmp_path / "00000.npz", **(arrays | {"meta": json.dumps(meta)}))
    with pytest.raises(BadInputError, match="make it anew"):
        pack([tmp_path / "00000.npz"], tmp_path / "pairs.npz")
    with pytest.raises(BadInputError, match="no finished clips"):
        pack([], tmp_path / "pairs.npz")


def mocap(folder: Path) -> None:
    """Packed mocap files of several subjects and categories, everybody in the T-pose."""
    for name, fps, rotations in (("cmu_60.npz", 60.0, True), ("cmu_full_30.npz", 30.0, False)):
        clips = [
            {"id": f"{s}_{c}", "subject": str(s), "split": "val" if s == 2 else "train", "category": c, "fps": fps,
             "has_rot": rotations, "source": "CMU", "start": 400 * i, "len": 400}
            for i, (s, c) in enumerate((s, c) for s in (1, 2, 3) for c in ("walk", "dance"))
        ]  # fmt: skip
        n = 400 * len(clips)
        meta = {"joints": ["pelvis"], "bones": list(body_animation.BONES), "clips": clips}
        np.savez(
            folder / name, delta=np.zeros((n, 1, 3), np.int16), first=np.zeros((len(clips), 1, 3), np.float32),
            unit=1e-4, meta=json.dumps(meta), quat_delta=np.zeros((n, 17, 4), np.int16),
        )  # fmt: skip


def test_any_beginning_of_the_plan_is_balanced_and_the_same_every_time(tmp_path):
    mocap(tmp_path)
    shots = [plan.shot(n, tmp_path) for n in range(100)]
    assert shots[17] == plan.shot(17, tmp_path)
    assert sum(s.split == "val" for s in shots) == 10
    for part in (shots[:40], shots):
        quarters = np.histogram([s.azimuth for s in part], 4, (0, 2 * np.pi))[0]
        assert quarters.min() > 0.1 * len(part)
        assert 0.05 < np.mean([s.occluded for s in part]) < 0.25
        assert 0.05 < np.mean([s.cropped for s in part]) < 0.22
        assert 0.25 < np.mean([s.moving for s in part]) < 0.45
    assert {s.file for s in shots} == {"cmu_60.npz", "cmu_full_30.npz"}
    assert all(s.fps <= 30 for s in shots if s.file == "cmu_full_30.npz")


def test_rotations_from_joints_are_none_in_the_t_pose_and_follow_a_turn():
    y_up = STANDING @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T
    turn = about(np.array([0, 1.0, 0]), np.array([0.0, 0.7]))
    rest, turned = body_animation.rotations_from_joints(np.einsum("tij,nj->tni", turn, y_up))
    np.testing.assert_allclose(np.linalg.det(rest), 1)
    tilt = np.degrees(np.arccos(np.clip((np.trace(rest, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))
    assert tilt.max() < 20, dict(
        zip(body_animation.BONES, tilt.round(), strict=True)
    )  # a spine is not straight, nor a foot level
    np.testing.assert_allclose(turned, turn[1] @ rest, atol=1e-6)


def test_a_bent_knee_and_elbow_turn_about_the_bodys_own_hinges():
    y_up = STANDING @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T
    bent = y_up.copy()
    shin = np.linalg.norm(y_up[JOINT["left_ankle"]] - y_up[JOINT["left_knee"]])
    step = y_up[JOINT["left_knee"]] + [0, 0, -shin] - y_up[JOINT["left_ankle"]]  # the shin goes back
    for name in ("left_ankle", "left_heel", "left_toe"):
        bent[JOINT[name]] += step
    fore = np.linalg.norm(y_up[JOINT["right_wrist"]] - y_up[JOINT["right_elbow"]])
    bent[JOINT["right_wrist"]] = y_up[JOINT["right_elbow"]] + [0, 0, fore]  # the forearm comes forward
    (turns,) = body_animation.rotations_from_joints(bent[None])
    for bone in ("l_thigh", "l_shin"):
        np.testing.assert_allclose(turns[body_animation.BONES.index(bone)][:, 0], [1, 0, 0], atol=0.1)
    for bone in ("r_upperarm", "r_forearm"):
        np.testing.assert_allclose(turns[body_animation.BONES.index(bone)][:, 1], [0, 1, 0], atol=0.1)


@pytest.mark.parametrize(
    ("changes", "low", "high"), [({}, 0.97, 1.01), ({"cropped": True}, 0.5, 0.93), ({"moving": True}, 0.97, 1.01)]
)
def test_the_camera_sees_the_person_as_the_shot_wants(changes, low, high):
    walk = np.linspace(0, 0.8, FRAMES)[:, None, None] * np.array([0, -1.0, 0])
    points = STANDING + [0, 0, 0.0] - [0, 0, STANDING[:, 2].min()] + walk
    wanted = shot(**changes)
    view = camera_placement.place(wanted, points, np.tile([0.0, -1.0], (FRAMES, 1)), 1.7, np.random.default_rng(5))
    assert view is not None
    np.testing.assert_allclose(
        view.rotation @ view.rotation.transpose(0, 2, 1), np.tile(np.eye(3), (FRAMES, 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(view.rotation), 1)
    pixels = view.project(points)
    inside = ((pixels > 0) & (pixels < wanted.size)).all(-1).mean()
    assert low < inside < high
    assert view.info["height_px"] > 290 and -16 < view.info["pitch"] < 46
    # azimuth 0 is before the person: the left hand is at the picture's right
    assert abs(view.info["azimuth"]) < 60
    assert pixels[30, JOINT["left_wrist"], 0] > pixels[30, JOINT["right_wrist"], 0]
    still = np.ptp(view.rotation, axis=0).max() < 1e-12
    assert still != wanted.moving


def test_blur_smears_what_moves_and_along_its_way():
    names = list(JOINT_NAMES)
    made = pair()
    seen = made.joints @ MATRIX.T
    still = np.repeat((seen[..., :2] / seen[..., 2:])[:1], 5, 0)
    moving = still + np.arange(5)[:, None, None] * np.array([24.0, 0])
    stripes = np.where(np.arange(640) // 6 % 2, 200, 50).astype(np.uint8)
    upright = np.repeat(np.tile(stripes, (480, 1))[..., None], 3, 2)
    level = np.repeat(np.tile(stripes[:480, None], (1, 640))[..., None], 3, 2)
    assert all(np.array_equal(k, upright) for k in film.smear([upright] * 5, still, names, 0.5, 380))
    x, y = still[0, JOINT["thorax"]].astype(int)
    patch = (slice(y - 15, y + 15), slice(x - 15, x + 15))
    (across,), (along,) = (list(film.smear([image], moving, names, 0.5, 380)) for image in (upright, level))
    assert across[patch].std() < 0.4 * upright[patch].std()
    assert along[patch].std() > 0.9 * level[patch].std()
    assert np.array_equal(across[:, :40], upright[:, :40])  # far from the body


def test_film_keeps_size_rate_and_count_and_is_the_same_every_time(tmp_path):
    images = [np.full((120, 160, 3), 30 + i, np.uint8) for i in range(10)]
    developed = list(film.develop(images, np.random.default_rng(2)))
    again = list(film.develop(images, np.random.default_rng(2)))
    assert all(np.array_equal(a, b) for a, b in zip(developed, again, strict=True))
    film.encode(film.enlarge(developed, (320, 240)), tmp_path / "a.mp4", 29.97, 23)
    info = probe(tmp_path / "a.mp4")
    assert (info.width, info.height) == (320, 240) and info.fps == pytest.approx(29.97, rel=1e-3)
    assert sum(1 for _ in read_frames(tmp_path / "a.mp4")) == 10


@pytest.mark.parametrize("kind", sorted(set(WALLS + FABRICS)))
def test_textures_are_pictures(kind):
    rng = np.random.default_rng(1)
    picture = surface(rng, kind, 64) if kind in WALLS else fabric(rng, np.array([0.5, 0.2, 0.1]), kind, 64)
    assert picture.shape == (64, 64, 3) and picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0


def test_a_perfect_detector_has_no_errors_and_a_shifted_one_only_a_constant():
    perfect = analyse.errors(pair())
    assert perfect.valid.all()
    assert np.abs(perfect.error).max() < 0.01
    assert perfect.facing.max() < 10
    shifted = analyse.errors(pair((9, 0)))
    tall = 900 * 1.7 / 4
    np.testing.assert_allclose(shifted.error[..., 0], 100 * 9 / tall, rtol=0.05)
    text = analyse.report([pair((9, 0))])
    assert "| constant" not in text and "constant a clip and joint | 100% |" in text
    assert "swapped, of pairs more than 3 % apart | 0.0% |" in text
    assert "MPJPE about the hips | 0 |" in text


def test_a_detector_that_takes_left_for_right_is_found_out():
    made = pair()
    mirrored = made.points.copy()
    for i, name in enumerate(made.names):
        if name.startswith("left_"):
            j = made.names.index("right_" + name[5:])
            mirrored[:, [i, j]] = mirrored[:, [j, i]]
    crossed = analyse.errors(made._replace(points=mirrored))
    assert crossed.swapped[crossed.apart].all() and crossed.apart.any()


def test_the_command_line_says_in_a_sentence_when_there_is_nothing(tmp_path, capsys):
    assert main(["pack", str(tmp_path)]) == 2
    assert main(["view", str(tmp_path)]) == 2
    assert "no finished clips" in capsys.readouterr().err


def test_view_draws_a_sheet(tmp_path):
    from PIL import Image

    save(pair(), tmp_path / "clips" / "00000.npz")
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (640, 480), (90, 90, 90)).save(tmp_path / "pictures" / "00000_012.jpg")
    assert main(["view", str(tmp_path), "--sheet", str(tmp_path / "s.png")]) == 0
    sheet = np.asarray(Image.open(tmp_path / "s.png")).astype(int)
    green = (sheet[..., 1] > 180) & (sheet[..., 0] < 120)
    red = (sheet[..., 0] > 200) & (sheet[..., 1] < 120)
    assert green.sum() > 50 and red.sum() > 50
    assert np.nonzero(green)[1].mean() > np.nonzero(red)[1].mean()  # who faces the camera has their left at its right
