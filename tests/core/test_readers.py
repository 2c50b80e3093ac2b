"""Users' own motion files: BVH, ASF/AMC and takes come out as the joints of the skeleton, in metres, Y up."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifter_core.errors import BadInputError
from lifter_core.export.bvh import write_bvh
from lifter_core.rotations import about
from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.take import save_take
from lifter_core.training.readers import read_amc, read_asf, read_bvh, read_folder
from lifter_core.training.readers.animation import euler
from lifter_core.training.readers.joint_names import find_joints, split_side

from .test_export import tumbling_take

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 0 0 0 0 0 0
0 0 0 90 0 0 0 0 90
"""

# a body in centimetres, named as MotionBuilder and CMU do; y up, facing +z
BODY = {
    "Hips": ("", (0, 95, 0)), "Spine": ("Hips", (0, 20, 0)), "Spine1": ("Spine", (0, 20, 0)),
    "Neck": ("Spine1", (0, 15, 0)), "Head": ("Neck", (0, 10, 0)), "LeftShoulder": ("Spine1", (4, 10, 0)),
    "LeftArm": ("LeftShoulder", (14, 0, 0)), "LeftForeArm": ("LeftArm", (28, 0, 0)),
    "LeftHand": ("LeftForeArm", (26, 0, 0)), "LeftUpLeg": ("Hips", (9, -4, 0)), "LeftLeg": ("LeftUpLeg", (0, -42, 0)),
    "LeftFoot": ("LeftLeg", (0, -41, 0)), "LeftToeBase": ("LeftFoot", (0, -6, 12)),
}  # fmt: skip


def mirrored(
    body: dict[str, tuple[str, tuple[float, float, float]]],
) -> dict[str, tuple[str, tuple[float, float, float]]]:
    other = {
        n.replace("Left", "Right"): (p.replace("Left", "Right"), (-x, y, z))
        for n, (p, (x, y, z)) in body.items()
        if "Left" in n
    }
    return body | other


def bvh_text(body: dict[str, tuple[str, tuple[float, float, float]]], frames: list[dict[str, float]]) -> str:
    """A BVH with one Xrotation angle a joint and frame, from {joint: angle}."""
    order: list[str] = []

    def block(name: str, indent: str) -> list[str]:
        order.append(name)
        key = "ROOT" if not body[name][0] else "JOINT"
        offset = " ".join(str(v) for v in body[name][1])
        lines = [f"{key} {name}", "{", f"OFFSET {offset}", "CHANNELS 3 Zrotation Xrotation Yrotation"]
        for child in [n for n, (p, _) in body.items() if p == name]:
            lines += block(child, indent + " ")
        return [*lines, "}"]

    root = next(n for n, (p, _) in body.items() if not p)
    lines = ["HIERARCHY", *block(root, ""), "MOTION", f"Frames: {len(frames)}", "Frame Time: 0.0333333"]
    lines += [" ".join(f"0 {frame.get(name, 0)} 0" for name in order) for frame in frames]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_bvh_positions_in_closed_form(tmp_path):
    animation = read_bvh(write(tmp_path / "arm.bvh", ARM))
    assert animation.names == ("Hips", "Arm", "Arm_end")
    assert animation.fps == pytest.approx(25)
    np.testing.assert_allclose(animation.positions[0], [[1, 2, 3], [1, 12, 3], [6, 12, 3]])
    # the root turned 90 degrees about z: up becomes -x; the arm 90 about its own y: +x becomes -z
    np.testing.assert_allclose(animation.positions[1], [[0, 0, 0], [-10, 0, 0], [-10, 0, -5]], atol=1e-9)


def test_channels_turn_in_the_order_in_which_they_are_listed():
    z, x = euler("z", np.array([30.0])), euler("x", np.array([40.0]))
    np.testing.assert_allclose(euler("zx", np.array([30.0, 40.0])), z @ x)
    np.testing.assert_allclose(euler("z", np.array([90.0])) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_a_body_in_centimetres_is_read_in_metres(tmp_path):
    write(tmp_path / "walk.bvh", bvh_text(mirrored(BODY), [{}, {"LeftUpLeg": -90}, {}]))
    (clip,) = read_folder(tmp_path)
    at = {name: clip.joints[:, JOINT[name]] for name in JOINT_NAMES}
    assert clip.info["fps"] == pytest.approx(30, rel=1e-4)
    np.testing.assert_allclose(at["left_hip"][0], [0.09, 0.91, 0], atol=1e-6)
    np.testing.assert_allclose(at["pelvis"][0], [0, 0.91, 0], atol=1e-6)
    np.testing.assert_allclose(at["right_wrist"][0], [-0.72, 1.45, 0], atol=1e-6)
    np.testing.assert_allclose(at["neck"][0], [0, 1.60, 0], atol=1e-6)
    # the thigh turned forward: knee before the hip, shin on ahead, the toes' tip above
    np.testing.assert_allclose(at["left_knee"][1], [0.09, 0.91, 0.42], atol=1e-6)
    np.testing.assert_allclose(at["left_ankle"][1], [0.09, 0.91, 0.83], atol=1e-6)
    assert at["left_toe"][1, 1] > at["left_ankle"][1, 1] + 0.1
    assert at["nose"][0, 2] > 0.1 and at["left_ear"][0, 0] > 0.05 and at["left_heel"][0, 2] < -0.05
    assert np.isfinite(clip.joints).all()


@pytest.mark.parametrize("unit", [1.0, 0.01, 0.3937, 10.0, 7.7])
def test_units_do_not_matter(tmp_path, unit):
    scaled = {n: (p, tuple(unit * v for v in o)) for n, (p, o) in mirrored(BODY).items()}
    write(tmp_path / "a.bvh", bvh_text(scaled, [{}] * 2))
    (clip,) = read_folder(tmp_path)
    leg = np.linalg.norm(clip.joints[0, JOINT["left_knee"]] - clip.joints[0, JOINT["left_ankle"]])
    assert leg == pytest.approx(0.41, rel=0.03)


def test_z_up_files_come_out_y_up(tmp_path):
    turned = {n: (p, (-x, z, y)) for n, (p, (x, y, z)) in mirrored(BODY).items()}  # z up, facing +y: left is -x
    write(tmp_path / "a.bvh", bvh_text(turned, [{}] * 2))
    (clip,) = read_folder(tmp_path)
    up = clip.joints[0, JOINT["head"]] - clip.joints[0, JOINT["pelvis"]]
    assert up[1] > 0.75 and abs(up[0]) < 0.02
    left = clip.joints[0, JOINT["left_hip"]] - clip.joints[0, JOINT["right_hip"]]
    ahead = clip.joints[0, JOINT["nose"]] - clip.joints[0, JOINT["neck"]]
    assert np.linalg.det([left, up, ahead]) > 0  # left is left still


NAMES = {
    "mixamo": "mixamorig:Hips mixamorig:LeftUpLeg mixamorig:LeftLeg mixamorig:LeftFoot mixamorig:LeftToeBase "
    "mixamorig:LeftShoulder mixamorig:LeftArm mixamorig:LeftForeArm mixamorig:LeftHand mixamorig:Head",
    "bandai": "Hips UpperLeg_L LowerLeg_L Foot_L Toes_L Shoulder_L UpperArm_L LowerArm_L Hand_L Head",
    "biped": "Bip01 Bip01_L_Thigh Bip01_L_Calf Bip01_L_Foot Bip01_L_Toe0 Bip01_L_Clavicle Bip01_L_UpperArm "
    "Bip01_L_Forearm Bip01_L_Hand Bip01_Head",
    "biovision": "Hips LeftHip LeftKnee LeftAnkle LeftToe LeftCollar LeftShoulder LeftElbow LeftWrist Head",
    "smpl": "Pelvis L_Hip L_Knee L_Ankle L_Foot L_Collar L_Shoulder L_Elbow L_Wrist Head",
    "acclaim": "root lfemur ltibia lfoot ltoes lclavicle lhumerus lradius lwrist head",
    "daz": "hip lThigh lShin lFoot lToe lCollar lShldr lForeArm lHand head",
    "genesis": "hip lThighBend lShin lFoot lToe lCollar lShldrBend lForearmBend lHand head",
    "unreal": "pelvis thigh_l calf_l foot_l ball_l clavicle_l upperarm_l lowerarm_l hand_l head",
    "lift": "pelvis left_thigh left_shin left_foot left_toes left_clavicle left_upper_arm left_forearm left_hand head",
}


@pytest.mark.parametrize("program", NAMES)
def test_joints_are_found_by_the_names_programs_use(program):
    left = NAMES[program].split()
    swaps = [("Left", "Right"), ("_L_", "_R_"), ("_L", "_R"), ("_l", "_r"), ("left", "right"), ("L_", "R_")]
    right = []
    for name in left[1:-1]:
        a, b = next(((a, b) for a, b in swaps if a in name), ("", ""))
        right.append(name.replace(a, b) if a else "r" + name[1:])
    found = find_joints((*left, *right))
    order = ("hip", "knee", "ankle", "ball", None, "shoulder", "elbow", "wrist")
    for i, joint in enumerate(order):
        if joint:
            assert found[f"left_{joint}"] == 1 + i, joint
            assert found[f"right_{joint}"] == len(left) + i, joint
    assert found["head"] == 9


def test_sides_are_told_from_names_and_the_middle_has_none():
    assert split_side("mixamorig:LeftUpLeg") == ("left", "upleg")
    assert split_side("Bip01 R Thigh") == ("right", "thigh")
    assert split_side("rradius") == ("right", "radius")
    assert split_side("LowerBack") == ("", "lowerback")
    assert split_side("root") == ("", "root")


ASF = """:version 1.10
:name test
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name upper
    direction 0 1 0
    length 4
    axis 0 0 90 XYZ
    dof rx ry rz
    limits (-180 180)
           (-180 180)
           (-180 180)
  end
  begin
    id 2
    name fore
    direction 0 1 0
    length 3
    axis 0 0 0 XYZ
    dof rx
    limits (-180 180)
  end
:hierarchy
  begin
    root upper
    upper fore
  end
"""
AMC = ":FULLY-SPECIFIED\n:DEGREES\n1\nroot 1 2 3 0 0 0\nupper 0 0 0\nfore 0\n2\nroot 0 0 0 0 0 90\nupper 90 0 0\nfore 90\n"


def test_acclaim_positions_in_closed_form(tmp_path):
    skeleton = read_asf(write(tmp_path / "a.asf", ASF))
    animation = read_amc(write(tmp_path / "a.amc", AMC), skeleton)
    assert animation.names == ("root", "upper", "fore", "fore_end")
    np.testing.assert_allclose(animation.positions[0], [[1, 2, 3], [1, 2, 3], [1, 6, 3], [1, 9, 3]], atol=1e-9)
    # frame 2: the root turns y to -x. The upper bone turns 90 about its own x axis, which its axes (90 about z) make the
    # root's y: its direction y stays. The forearm turns 90 about x: y to z, carried by both.
    turn = about(np.array([0, 0, 1.0]), np.array(np.pi / 2)) @ about(np.array([0, 1.0, 0]), np.array(np.pi / 2))
    elbow = np.array([-4.0, 0, 0])
    np.testing.assert_allclose(animation.positions[1, 2], elbow, atol=1e-9)
    np.testing.assert_allclose(animation.positions[1, 3], elbow + turn @ [0, 0, 3], atol=1e-9)


def test_an_amc_finds_its_skeleton_by_name(tmp_path):
    write(tmp_path / "01.asf", ASF)
    write(tmp_path / "02.asf", ASF)
    write(tmp_path / "03_01.amc", AMC)
    with pytest.raises(BadInputError, match=r"03_01\.amc needs its skeleton beside it, an \.asf called 03\.asf"):
        list(read_folder(tmp_path))


@settings(max_examples=5, deadline=None)
@given(frames=st.integers(8, 40), fps=st.sampled_from([24.0, 25.0, 29.97, 60.0]))
def test_our_own_bvh_comes_back_with_every_joint_in_place(tmp_path_factory, frames, fps):
    folder = tmp_path_factory.mktemp("bvh")
    take = tumbling_take(frames, fps)
    write_bvh(take, folder / "a.bvh")
    save_take(take, folder / "b.npz")
    read, own = read_folder(folder)
    assert read.info["fps"] == pytest.approx(fps)
    seen = read.joints[2:]  # the take's first two frames are absent; BVH holds a pose there
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        for side in ("left", "right"):
            i = JOINT[f"{side}_{joint}"]
            np.testing.assert_allclose(seen[:, i], own.joints[:, i], atol=1e-3, err_msg=f"{side} {joint}")
    # the points that have no bone of their own in a BVH are put where they mostly are
    apart = np.linalg.norm(seen - own.joints, axis=-1).max(0)
    assert apart.max() < 0.13, dict(zip(JOINT_NAMES, apart.round(3), strict=True))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("Frame Time: 0.04", "Frame Time: nought"), r"line 18: 'nought' is not a number"),
        (("0 0 0 90 0 0 0 0 90", "0 0 0 90 0 0 0 0"), r"line 20: the frame has 8 values, the hierarchy 9 channels"),
        (("Frames: 2", "Frames: 3"), r"it ends after 2 of 3 frames"),
        (("OFFSET 0 10 0", "OFFSET 0 10"), r"line 8: an OFFSET has three numbers"),
        (("CHANNELS 3 Z", "CHANNELS 2 Z"), r"line 9: CHANNELS must give their number"),
        (("HIERARCHY", "hello"), r"line 1: it does not begin with HIERARCHY"),
        (("      OFFSET 5 0 0\n    }", "      OFFSET 5 0 0"), r"MOTION comes before the hierarchy is closed"),
    ],
)
def test_a_broken_bvh_is_told_with_its_line(tmp_path, change, sentence):
    assert change[0] in ARM
    with pytest.raises(BadInputError, match=sentence):
        read_bvh(write(tmp_path / "a.bvh", ARM.replace(*change)))


def test_names_nobody_knows_and_empty_folders_are_told(tmp_path):
    with pytest.raises(BadInputError, match=r"has no \.bvh, \.amc or \.npz files"):
        list(read_folder(tmp_path))
    write(tmp_path / "a.bvh", ARM)
    with pytest.raises(BadInputError, match=r"a\.bvh cannot be used: no node is called like a left hip"):
        list(read_folder(tmp_path))
    (tmp_path / "a.bvh").unlink()
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(BadInputError, match=r"neither a take nor packed mocap"):
        list(read_folder(tmp_path))
