"""Bodies drawn as people are: means of the survey, ratios that cover people, left and right alike."""

import numpy as np

from lifter_core import anthropometry
from lifter_core.skeleton import JOINT, JOINT_MIRROR, JOINT_NAMES
from lifter_core.solve.body import STANDARD
from lifter_core.training import bodies

LENGTHS = anthropometry.draw_lengths(20000, np.random.default_rng(0))
LEG = LENGTHS[:, JOINT["left_knee"]] + LENGTHS[:, JOINT["left_ankle"]]
TRUNK = LENGTHS[:, JOINT["spine"]] + LENGTHS[:, JOINT["thorax"]]


def spread(ratio):
    return np.quantile(ratio, [0.025, 0.5, 0.975])


def test_ratios_cover_people_short_and_long_legged_broad_and_narrow():
    low, middle, high = spread(LENGTHS[:, JOINT["left_ankle"]] / LENGTHS[:, JOINT["left_knee"]])
    assert 0.85 < low < 0.92 and 0.98 < middle < 1.06 and 1.15 < high < 1.25, "shin / thigh"
    low, middle, high = spread(LEG / TRUNK)
    assert 1.25 < low < 1.38 and 1.6 < middle < 1.7 and 1.8 < high < 2.1, "leg / trunk"
    low, middle, high = spread(LENGTHS[:, JOINT["left_hip"]] / LENGTHS[:, JOINT["left_shoulder"]])
    assert low < 0.42 and 0.45 < middle < 0.55 and high > 0.62, "hips / shoulders"


def test_sizes_run_from_children_to_tall_adults():
    small, _, tall = spread(LEG + TRUNK + LENGTHS[:, JOINT["neck"]] + LENGTHS[:, JOINT["head"]])
    assert small < 1.1 and tall > 1.8


def test_left_and_right_differ_by_less_than_a_twentieth_and_not_on_average():
    difference = np.log(LENGTHS / LENGTHS[:, JOINT_MIRROR])[:, 1:]
    assert np.abs(difference).max() < 0.05
    assert np.abs(difference.mean(0)).max() < 2e-3


def test_means_are_those_of_the_survey():
    men_and_women = np.sqrt(np.multiply(anthropometry.MEN, anthropometry.WOMEN))
    adults = LENGTHS[LEG + TRUNK > 1.15]  # nearly all
    for joint, measure in (("left_knee", "thigh"), ("left_ankle", "shin"), ("left_elbow", "upper_arm")):
        expected = men_and_women[anthropometry.MEASURES.index(measure)]
        assert abs(np.median(adults[:, JOINT[joint]]) / expected - 1) < 0.03, joint


def test_a_rows_parts_add_up_to_the_stature_it_says():
    row = {
        "acromionradialelength": 335.0, "trochanterionheight": 901.0, "tibialheight": 466.0, "acromialheight": 1441.0,
        "lateralfemoralepicondyleheight": 488.0, "lateralmalleolusheight": 73.0, "stature": 1756.0,
        "tragiontopofhead": 131.0, "bicristalbreadth": 273.0, "footlength": 270.0, "biacromialbreadth": 416.0,
        "radialestylionlength": 268.0, "handlength": 193.0,
    }  # fmt: skip
    made = np.exp(anthropometry.from_survey({name: np.array([value]) for name, value in row.items()}))[0]
    parts = dict(zip(anthropometry.MEASURES, made, strict=True))
    height = 0.073 + parts["shin"] + parts["thigh"] + parts["trunk"] / 1.01 + parts["crown"]
    np.testing.assert_allclose(height, 1.756, atol=1e-9)
    np.testing.assert_allclose(made, anthropometry.MEN, rtol=0.03)


def test_four_in_five_sequences_get_a_body_of_the_survey_the_others_one_like_their_own():
    giants = 4 * np.repeat(STANDARD[None, None, : len(JOINT_NAMES)], 4000, 0).astype(np.float32)
    lengths = bodies.bone_lengths(bodies.resize(giants, np.random.default_rng(1)))
    assert 0.77 < (lengths[:, 0, JOINT["left_knee"]] < 0.8).mean() < 0.83
