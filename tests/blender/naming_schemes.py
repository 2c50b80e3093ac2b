"""How studios and programs that no data file knows name their bones, on one body: what the guess must make sense of."""

from typing import Any

import numpy as np

from blender_lift_addon.retarget.kinds import BoneMap, parse_kind
from blender_lift_addon.retarget.roles import BODY

from .target_rigs import Bones, bones_of_kind

LIMBS = ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toes")


def scheme(
    sides: str, trunk: str, limbs: str, leaves: dict[str, str] | None = None, fingers: str = ""
) -> dict[str, Any]:
    """Sides "L R"; trunk "hips spine|spine2 neck head"; limbs in LIMBS' order, "-" for none; ``*`` is the side, ~ a space.

    Fingers: five names with {} for the number of the phalanx. Leaves: helper bones, to their parents.
    """
    hips, spine, neck, head = (part.replace("~", " ") for part in trunk.split())
    bones: dict[str, list[str]] = {"hips": [hips], "spine": spine.split("|"), "neck": neck.split("|"), "head": [head]}
    bones |= {role: [name.replace("~", " ")] for role, name in zip(LIMBS, limbs.split(), strict=True) if name != "-"}
    for finger, name in zip(("thumb", "index", "middle", "ring", "pinky"), fingers.split(), strict=False):
        bones |= {f"{finger}_{k}": [name.format(k).replace("~", " ")] for k in (1, 2, 3)}
    data = {
        "sides": [side.replace("~", "") for side in sides.split()],
        "bones": {k: v for k, v in bones.items() if v != ["-"]},
    }
    return {"data": data, "leaves": leaves or {}}


SCHEMES = {
    "Maya, joints": scheme(
        "L R", "pelvis_JNT spine_01_JNT|spine_02_JNT|spine_03_JNT neck_01_JNT head_JNT",
        "*_Clavicle_JNT *_UpperArm_JNT *_LowerArm_JNT *_Hand_JNT *_UpperLeg_JNT *_LowerLeg_JNT *_Foot_JNT *_Toe_JNT",
        {"*_UpperArm_Twist_JNT": "*_UpperArm_JNT", "head_end_JNT": "head_JNT", "*_Hand_IK_JNT": "pelvis_JNT"},
        "*_Thumb_0{}_JNT *_Index_0{}_JNT *_Middle_0{}_JNT *_Ring_0{}_JNT *_Pinky_0{}_JNT"),
    "Maya, by anatomy": scheme(
        "l r", "cog_jnt spine_a_jnt|spine_b_jnt|spine_c_jnt neck_jnt skull_jnt",
        "*_arm_clavicle_jnt *_arm_shoulder_jnt *_arm_elbow_jnt *_arm_wrist_jnt *_leg_hip_jnt *_leg_knee_jnt *_leg_ankle_jnt "
        "*_leg_ball_jnt", {"*_leg_toe_end_jnt": "*_leg_ball_jnt"}),
    "suffix DEF": scheme(
        "L R", "hips.DEF spine.DEF|chest.DEF neck.DEF head.DEF",
        "shoulder.*.DEF upperarm.*.DEF lowerarm.*.DEF hand.*.DEF thigh.*.DEF calf.*.DEF foot.*.DEF toe.*.DEF",
        {"hand_ik.*": "hips.DEF", "knee_pole.*": "hips.DEF"}),
    "3ds Max Biped": scheme(
        "L R", "Bip01~Pelvis Bip01~Spine|Bip01~Spine1|Bip01~Spine2 Bip01~Neck Bip01~Head",
        "Bip01~*~Clavicle Bip01~*~UpperArm Bip01~*~Forearm Bip01~*~Hand Bip01~*~Thigh Bip01~*~Calf Bip01~*~Foot Bip01~*~Toe0",
        {"Bip01 * Toe0Nub": "Bip01 * Toe0", "Bip01 HeadNub": "Bip01 Head", "Bip01 Footsteps": "Bip01 Pelvis"}),
    "Poser": scheme(
        "l r", "hip abdomen|chest neck head", "*Collar *Shldr *ForeArm *Hand *Thigh *Shin *Foot *Toe",
        {"leftEye": "head", "rightEye": "head"}, "*Thumb{} *Index{} *Mid{} *Ring{} *Pinky{}"),
    "numbered": scheme(
        "Left Right", "Hips_01 Spine_01|Spine1_01 Neck_01 Head_01",
        "*Shoulder_01 *Arm_01 *ForeArm_01 *Hand_01 *UpLeg_01 *Leg_01 *Foot_01 *ToeBase_01"),
    "MMD": scheme(
        "左 右", "下半身 上半身|上半身2 首 頭", "*肩 *腕 *ひじ *手首 *足 *ひざ *足首 *つま先",
        {"*足ＩＫ": "下半身", "*つま先ＩＫ": "*足ＩＫ", "*腕捩": "*腕", "*手捩": "*ひじ", "両目": "頭", "*目": "頭",
         "*肩P": "上半身2"},
        "*親指{} *人指{} *中指{} *薬指{} *小指{}"),
    "Source engine": scheme(
        "L R", "ValveBiped.Bip01_Pelvis ValveBiped.Bip01_Spine|ValveBiped.Bip01_Spine1|ValveBiped.Bip01_Spine2 "
        "ValveBiped.Bip01_Neck1 ValveBiped.Bip01_Head1",
        "ValveBiped.Bip01_*_Clavicle ValveBiped.Bip01_*_UpperArm ValveBiped.Bip01_*_Forearm ValveBiped.Bip01_*_Hand "
        "ValveBiped.Bip01_*_Thigh ValveBiped.Bip01_*_Calf ValveBiped.Bip01_*_Foot ValveBiped.Bip01_*_Toe0",
        {"ValveBiped.Anim_Attachment_*H": "ValveBiped.Bip01_*_Hand", "ValveBiped.forward": "ValveBiped.Bip01_Head1"}),
    "Roblox R15": scheme(
        "Left Right", "LowerTorso UpperTorso - Head",
        "- *UpperArm *LowerArm *Hand *UpperLeg *LowerLeg *Foot -"),
    "SMPL": scheme(
        "left right", "pelvis spine1|spine2|spine3 neck head",
        "*_collar *_shoulder *_elbow *_wrist *_hip *_knee *_ankle *_foot", {"jaw": "head", "*_eye_smplhf": "head"},
        "*_thumb{} *_index{} *_middle{} *_ring{} *_pinky{}"),
    "Second Life": scheme(
        "Left Right", "mPelvis mTorso|mChest mNeck mHead",
        "mCollar* mShoulder* mElbow* mWrist* mHip* mKnee* mAnkle* mFoot*", {"mToe*": "mFoot*", "mSkull": "mHead"}),
    "Xsens": scheme(
        "Left Right", "Pelvis L5|L3|T12|T8 Neck Head",
        "*Shoulder *UpperArm *ForeArm *Hand *UpperLeg *LowerLeg *Foot *Toe"),
    "Kinect": scheme(
        "Left Right", "SpineBase SpineMid|SpineShoulder Neck Head",
        "- Shoulder* Elbow* Wrist* Hip* Knee* Ankle* Foot*"),
    "OptiTrack": scheme(
        "L R", "Hip Ab|Chest Neck Head", "*Shoulder *UArm *FArm *Hand *Thigh *Shin *Foot *Toe"),
    "Cascadeur": scheme(
        "l r", "pelvis stomach|chest neck head", "clavicle_* arm_* forearm_* hand_* thigh_* calf_* foot_* toe_*"),
    "low-poly kit": scheme(
        "L R", "Hips Abdomen|Torso Neck Head",
        "Shoulder.* UpperArm.* LowerArm.* Palm.* UpperLeg.* LowerLeg.* Foot.* -", {"PoleTarget.*": "Hips", "IK.*": "Hips"}),
    "German": scheme(
        "L R", "Becken Wirbelsäule1|Wirbelsäule2|Brust Hals Kopf",
        "Schulter.* Oberarm.* Unterarm.* Hand.* Oberschenkel.* Unterschenkel.* Fuß.* Zehen.*",
        fingers="Daumen{}.* Zeigefinger{}.* Mittelfinger{}.* Ringfinger{}.* Kleinfinger{}.*"),
    "French": scheme(
        "G D", "bassin colonne1|colonne2|torse cou tete",
        "clavicule_* bras_* avantbras_* main_* cuisse_* tibia_* pied_* orteils_*"),
    "Spanish": scheme(
        "izq der", "pelvis columna1|columna2|pecho cuello cabeza",
        "clavicula_* brazo_* antebrazo_* mano_* muslo_* pantorrilla_* pie_* dedos_*"),
    "numbers only, sides told": scheme(
        "L R", "torso_joint_1 torso_joint_2|torso_joint_3 neck_joint_1 neck_joint_2",
        "arm_joint_*_1 arm_joint_*_2 arm_joint_*_3 arm_joint_*_4 leg_joint_*_1 leg_joint_*_2 leg_joint_*_3 leg_joint_*_5"),
}  # fmt: skip

UNSEEN = {  # written down after the guess was made, and the guess left as it was
    "3ds Max CAT": scheme(
        "L R", "CATRigPelvis CATRigSpine1|CATRigSpine2|CATRigSpine3 CATRigNeck CATRigHead",
        "CATRig*Collarbone CATRig*UpperArm CATRig*ForeArm CATRig*Palm CATRig*Thigh CATRig*Calf CATRig*Ankle "
        "CATRig*Toe1"),
    "AdvancedSkeleton": scheme(
        "L R", "Root_M Spine1_M|Spine2_M|Chest_M Neck_M Head_M",
        "Scapula_* Shoulder_* Elbow_* Wrist_* Hip_* Knee_* Ankle_* Toes_*",
        {"HeadEnd_M": "Head_M", "ToesEnd_*": "Toes_*", "Eye_*": "Head_M"},
        "ThumbFinger{}_* IndexFinger{}_* MiddleFinger{}_* RingFinger{}_* PinkyFinger{}_*"),
    "mGear": scheme(
        "L R", "spine_C0_pelvis_jnt spine_C0_01_jnt|spine_C0_02_jnt|spine_C0_03_jnt neck_C0_0_jnt "
        "neck_C0_head_jnt",
        "shoulder_*0_shoulder_jnt arm_*0_0_jnt arm_*0_1_jnt arm_*0_end_jnt leg_*0_0_jnt leg_*0_1_jnt "
        "leg_*0_end_jnt foot_*0_0_jnt"),
    "Source, TF2": scheme(
        "L R", "bip_pelvis bip_spine_0|bip_spine_1|bip_spine_2 bip_neck bip_head",
        "bip_collar_* bip_upperArm_* bip_lowerArm_* bip_hand_* bip_hip_* bip_knee_* bip_foot_* bip_toe_*",
        {"weapon_bone_*": "bip_hand_*", "prp_helmet": "bip_head"}),
    "Rokoko": scheme(
        "Left Right", "Hips Spine|Spine2|Spine3|Spine4 Neck Head",
        "*Shoulder *Arm *ForeArm *Hand *Thigh *Shin *Foot *Toe"),
    "100STYLE": scheme(
        "Left Right", "Hips Chest|Chest2|Chest3|Chest4 Neck Head",
        "*Collar *Shoulder *Elbow *Wrist *Hip *Knee *Ankle *Toe"),
    "FFXIV": scheme(
        "l r", "j_kosi j_sebo_a|j_sebo_b|j_sebo_c j_kubi j_kao",
        "j_sako_* j_ude_a_* j_ude_b_* j_te_* j_asi_a_* j_asi_b_* j_asi_d_* j_asi_e_*"),
    "bone_ before": scheme(
        "Left Right", "bone_Pelvis bone_Waist|bone_Chest bone_Neck bone_Head",
        "bone_Shoulder* bone_Arm* bone_ForeArm* bone_Hand* bone_Thigh* bone_Calf* bone_Foot* bone_Toe*"),
    "low and up": scheme(
        "lf rt", "c_hip c_spineLow|c_spineMid|c_spineTop c_neckBase c_headBase",
        "*_clav *_armUp *_armLo *_palm *_legUp *_legLo *_foot *_toes"),
    "Italian": scheme(
        "sx dx", "bacino colonna1|petto collo testa",
        "clavicola_* braccio_* avambraccio_* mano_* coscia_* polpaccio_* piede_* dita_*"),
}  # fmt: skip


def scheme_rig(name: str) -> tuple[Bones, BoneMap]:
    """The bones of a scheme on a body, helpers among them, and the right map of its body."""
    entry = (SCHEMES | UNSEEN)[name]
    kind = parse_kind(name, entry["data"])
    bones = bones_of_kind(kind)
    for leaf, parent in entry["leaves"].items():
        for side in entry["data"]["sides"]:
            helper, above = leaf.replace("*", side), parent.replace("*", side)
            head = np.array(bones[above][1]) + (0.0, 0.02, 0.0)
            bones[helper] = [above, head.tolist(), (head + (0.0, 0.05, 0.0)).tolist(), 0.0, 0]
    return bones, {role: names for role, names in kind.bones.items() if role in BODY}


def nameless(bones: Bones, truth: BoneMap) -> tuple[Bones, BoneMap]:
    """The same with names that say nothing: Bone, Bone.001..."""
    new = {name: f"Bone.{k:03d}" if k else "Bone" for k, name in enumerate(bones)}
    renamed = {new[name]: [new.get(bone[0], ""), *bone[1:]] for name, bone in bones.items()}
    return renamed, {role: [new[name] for name in names] for role, names in truth.items()}
