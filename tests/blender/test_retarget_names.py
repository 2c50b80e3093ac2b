"""Rigs that no data file names are mapped by their bones' names and rest pose; what is not sure is marked.

python -m tests.blender.test_retarget_names    prints the table in docs/retargeting.md
"""

from collections.abc import Mapping

import bpy
import pytest
from mathutils import Matrix, Vector

from blender_lift_addon.retarget.kinds import BoneMap, fit, kinds, recognise
from blender_lift_addon.retarget.lexicon import words
from blender_lift_addon.retarget.propose import Proposal, propose
from blender_lift_addon.retarget.retarget_settings import describe, map_of, retarget_of, unsure_of
from blender_lift_addon.retarget.roles import BODY

from . import target_rigs
from .naming_schemes import SCHEMES, UNSEEN, nameless, scheme_rig
from .target_rigs import Bones
from .vendor_rigs import VENDORS, vendor_rig


def proposed(bones: Bones) -> Proposal:
    return propose({name: bone[0] for name, bone in bones.items()}, {name: bone[1] for name, bone in bones.items()})


def wrong(bones: BoneMap, truth: BoneMap) -> list[str]:
    """Roles mapped to a bone that is not theirs."""
    return [role for role in BODY if role in bones and bones[role][0] != truth.get(role, [""])[0]]


def missing(bones: BoneMap, truth: BoneMap) -> list[str]:
    return [role for role in BODY if role in truth and role not in bones]


@pytest.mark.parametrize("name", SCHEMES)
def test_studios_names_are_understood(name: str) -> None:
    bones, truth = scheme_rig(name)
    found = proposed(bones)
    assert not wrong(found.bones, truth) and not missing(found.bones, truth)
    if name != "numbers only, sides told":
        assert not found.unsure  # the user has nothing to check


@pytest.mark.parametrize("name", SCHEMES)
def test_names_that_say_nothing_are_mapped_by_shape_and_marked(name: str) -> None:
    bones, truth = nameless(*scheme_rig(name))
    found = proposed(bones)
    assert not wrong(found.bones, truth) and not missing(found.bones, truth)
    assert found.unsure == set(truth)


def test_names_that_the_guess_was_not_made_for_are_hardly_ever_wrong_and_never_silently() -> None:
    right = total = 0
    for name in UNSEEN:
        bones, truth = scheme_rig(name)
        found = proposed(bones)
        assert set(wrong(found.bones, truth)) <= found.unsure
        total += len(truth)
        right += len(truth) - len(wrong(found.bones, truth) + missing(found.bones, truth))
    assert right >= 0.97 * total


def _fixture(name: str) -> tuple[Bones, BoneMap]:
    bones = target_rigs.fixture(name)
    ordered: Bones = {}

    def add(bone: str) -> None:
        if bone and bone not in ordered:
            add(bones[bone][0])
            ordered[bone] = bones[bone]

    for bone in bones:
        add(bone)
    kind = {"default": "mpfb_default", "cmu_mb": "cmu"}.get(name, name)
    return ordered, {r: n for r, n in fit(kinds()[kind], list(bones)).bones.items() if r in BODY}


@pytest.mark.parametrize("name", target_rigs.FIXTURES)
def test_real_rigs_without_their_names_are_mapped_by_shape(name: str) -> None:
    bones, truth = nameless(*_fixture(name))
    found = proposed(bones)
    assert set(wrong(found.bones, truth)) <= {"toes.L", "toes.R"}  # any of five toes will do
    assert not missing(found.bones, truth)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("turn", [0.0, 1.5708, 3.1416])
def test_vendors_rigs_without_their_names_are_mapped_whatever_way_they_face(name: str, turn: float) -> None:
    """Helper bones, A-poses, data that lies on its back: only places and parents are looked at."""
    rig = vendor_rig(name)
    there = [bone.name for bone in rig.data.bones]
    new = {bone: f"Bone.{k:03d}" for k, bone in enumerate(there)} | {"": ""}
    truth = {role: [new[n] for n in names] for role, names in fit(kinds()[VENDORS[name].kind], there).bones.items()}
    turned = Matrix.Rotation(turn, 4, "Z") @ rig.matrix_world
    parents = {new[bone.name]: new[bone.parent.name if bone.parent else ""] for bone in rig.data.bones}
    heads: Mapping[str, Vector] = {new[bone.name]: turned @ bone.head_local for bone in rig.data.bones}
    found = propose(parents, heads)
    assert not wrong(found.bones, truth)
    assert not missing(found.bones, {role: names for role, names in truth.items() if role in BODY})


def test_of_a_rig_of_controls_only_bones_that_keys_move_are_proposed() -> None:
    rig = target_rigs.rigify_rig()
    held = {bone.name for bone in rig.pose.bones if any(not constraint.mute for constraint in bone.constraints)}
    found = propose(
        {bone.name: bone.parent.name if bone.parent else "" for bone in rig.data.bones},
        {bone.name: tuple(bone.head_local) for bone in rig.data.bones},
        held,
    )
    assert found.bones["thigh.L"] == ["thigh_fk.L"] and found.bones["forearm.R"] == ["forearm_fk.R"]
    assert not held & {name for names in found.bones.values() for name in names}
    assert found.unsure == set(found.bones)


def test_the_panel_marks_what_to_check_until_it_is_changed() -> None:
    bones, _ = nameless(*scheme_rig("Poser"))
    rig = target_rigs.build("Stranger", bones)
    settings = retarget_of(bpy.context.scene)
    settings.target = rig
    assert len(map_of(settings.target_rig)) == len(BODY) == unsure_of(settings.target_rig)
    assert settings.target_rig.show_map and "20 to check" in describe(settings.target_rig)
    row = next(row for row in settings.target_rig.bones if row.role == "head")
    row.bone = row.bone
    assert unsure_of(settings.target_rig) == len(BODY) - 1


def test_a_known_rig_with_a_few_bones_renamed_is_completed() -> None:
    bones, _ = scheme_rig("low-poly kit")
    assert recognise(list(bones)).kind is not None
    settings = retarget_of(bpy.context.scene)
    settings.target = target_rigs.build("Kit", bones)
    assert map_of(settings.target_rig)["hand.L"] == ["Palm.L"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("LeftUpLeg01", ["left", "up", "leg", "01"]),
        ("LUArm", ["l", "u", "arm"]),
        ("Fuß.L", ["fuss", "l"]),
        ("左足首", ["left", "ankle"]),
        ("ns:r_lowArm", ["r", "low", "arm"]),
    ],
)
def test_words(name: str, told: list[str]) -> None:
    assert words(name) == told


def table() -> None:
    """Prints how many of the 20 parts of the body come out right, with names and without."""
    print("| naming | right | to check | wrong | right without names |")
    print("|---|---|---|---|---|")
    for name in (*SCHEMES, *UNSEEN):
        bones, truth = scheme_rig(name)
        cells = []
        for own, right in ((bones, truth), nameless(bones, truth)):
            found = proposed(own)
            bad = wrong(found.bones, right) + missing(found.bones, right)
            cells.append((f"{len(right) - len(bad)}/{len(right)}", len(found.unsure), len(wrong(found.bones, right))))
        print(f"| {name} | {cells[0][0]} | {cells[0][1]} | {cells[0][2]} | {cells[1][0]} |")


if __name__ == "__main__":
    table()
