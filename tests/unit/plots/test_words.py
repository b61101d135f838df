"""The stated rules behind the sentences on the two attentions, and the numbers of one step against literal sums."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad import plots
from amad.errors import InputError
from amad.plots.words import Verdict, attention_reach, divergence_words, reach_words, step_facts

LENGTH = 20
FULL = math.log(LENGTH)


def judge(start, end, *, local=0.8, global_=0.9, near=5.0, far=8.0, records=21, blocks=2):
    shape = (records, blocks, 3)
    cad = np.broadcast_to(np.linspace(start, end, records)[:, None, None], shape)
    flat = [np.full(shape, value) for value in (local * FULL, global_ * FULL, near, far)]
    return divergence_words(cad, *flat, length=LENGTH)


@pytest.mark.parametrize(
    ("start", "end", "kind", "sentence"),
    [
        (0.05, 0.10, "part", "The two attentions part: CAD went from 0.0513 to 0.0988 nats."),
        (0.10, 0.05, "come together", "The two attentions come closer together: CAD went from 0.0988 to 0.0513 nats."),
        (0.10, 0.101, "hold", "The two attentions keep their distance: CAD went from 0.1 to 0.101 nats."),
        (0.004, 0.0045, "coincide", "The two attentions coincide: CAD went from 0.00401 to 0.00449 nats."),
        (0.1, 0.0, "coincide", "The two attentions coincide: CAD went from 0.0975 to 0.0025 nats."),
        (0.006, 0.0085, "hold", "The two attentions keep their distance: CAD went from 0.00606 to 0.00844 nats."),
    ],
)
def test_the_trend_of_cad_decides(start, end, kind, sentence):
    verdict = judge(start, end)
    assert (verdict.kind, verdict.sentence, verdict.warnings) == (kind, sentence, ())


def test_uniform_and_one_hot_maps_are_a_collapse_whatever_cad_does():
    uniform = judge(0.05, 0.1, global_=0.995, blocks=1)
    assert uniform.kind == "collapse"
    assert uniform.warnings == (
        "Global G of block 1 is uniform (99.5\u2009% of ln L): it no longer says where to look.",
    )
    single = judge(0.05, 0.1, local=0.05, blocks=1)
    assert single.warnings[0].startswith("Local P of block 1 looks at single steps (5\u2009% of ln L)")
    assert len(judge(0.05, 0.1, local=0.05, global_=0.999, blocks=2).warnings) == 4


def test_a_local_branch_that_reaches_farther_is_said():
    verdict = judge(0.05, 0.1, near=9.0, far=8.0)
    assert verdict.kind == "part"
    assert verdict.warnings == (
        "Here the local attention reaches farther than the global one (9 against 8 steps on average): "
        "read P as the masked branch, not as the near one.",
    )
    assert reach_words(8.0, 8.0) is None
    assert reach_words(33.42, 33.39) is None  # both are written 33.4
    assert reach_words(33.46, 33.44) is not None
    assert reach_words(float("nan"), 8.0) is None


def test_one_record_is_too_early():
    assert judge(0.1, 0.1, records=1).kind == "too early"


def test_shapes_and_length_are_checked():
    shape = (4, 1, 1)
    with pytest.raises(InputError, match=r"^entropy_local: shape \(3, 1, 1\) does not fit; give \(4, 1, 1\)\.$"):
        divergence_words(np.zeros(shape), np.zeros((3, 1, 1)), *[np.zeros(shape)] * 3, length=LENGTH)
    with pytest.raises(InputError, match="length: 1 is too short"):
        divergence_words(*[np.zeros(shape)] * 5, length=1)


@given(length=st.integers(1, 14), data=st.data())
def test_step_facts_are_the_literal_sums(length, data):
    draw = np.random.default_rng(data.draw(st.integers(0, 99)))
    p, g = (values / values.sum(axis=1, keepdims=True) for values in draw.random((2, length, length)) + 1e-3)
    step = data.draw(st.integers(0, length - 1))
    near = data.draw(st.integers(0, 9))
    event = (data.draw(st.integers(-3, length)), data.draw(st.integers(0, length + 3)))
    cad, series = draw.random(length), draw.random(30)
    found = step_facts(p, g, step, near=near, event=event, cad=cad, series_cad=series)
    assert found.local_near == pytest.approx(sum(p[step, k] for k in range(length) if abs(k - step) <= near))
    inside = [k for k in range(length) if event[0] <= k < event[1]]
    assert found.global_event == (pytest.approx(sum(g[step, k] for k in inside)) if inside else None)
    assert found.cad == cad[step]
    assert found.cad_rank == pytest.approx(sum(value >= cad[step] for value in series) / 30)
    assert found.reach_global == pytest.approx(sum(g[step, k] * abs(k - step) for k in range(length)))
    assert attention_reach(p) == pytest.approx(
        sum(p[q, k] * abs(q - k) for q in range(length) for k in range(length)) / length
    )


def test_what_is_not_known_is_none():
    found = step_facts(np.eye(3), np.eye(3), 1)
    assert (found.global_event, found.cad, found.cad_rank, found.mixing) == (None, None, None, None)
    assert step_facts(np.eye(3), np.eye(3), 1, cad=[1, 2, 3], series_cad=[np.nan]).cad_rank is None


def test_rank_of_a_row_is_that_of_its_own_value_in_the_series():
    series = [0.4, 0.1, 0.3, np.nan, 0.2]
    facts = [
        step_facts(np.eye(3), np.eye(3), 1, cad=[9, 9, 9], series_cad=series, row=row).cad_rank for row in range(5)
    ]
    assert facts == [0.25, 1.0, 0.5, None, 0.75]


def test_a_step_outside_the_window_is_refused():
    with pytest.raises(InputError, match=r"^step: 3 lies outside the window; give 0 to 2\.$"):
        step_facts(np.eye(3), np.eye(3), 3)
    with pytest.raises(InputError, match=r"^weights: shape \(2, 3\) does not fit; give \(L, L\)\.$"):
        attention_reach(np.zeros((2, 3)))


SETTINGS = {"k_min": 0.1, "k_max": 0.0, "form": "sum", "banks": 8, "positions": True}


@pytest.mark.parametrize(
    ("kind", "warnings", "changed", "said"),
    [
        ("part", (), {}, None),
        ("hold", (), {}, None),
        ("too early", (), {}, None),
        ("coincide", (), {}, "k_min=0.2"),
        ("come together", (), {"k_max": 0.1}, "k_max=0"),
        ("collapse", ("Local P of block 1 looks at single steps (3 % of ln L): it no longer says.",), {}, "k_min=0.05"),
        ("collapse", ("Global G of block 1 is uniform (100 % of ln L): it no longer says.",), {"positions": False}, "positions=true"),
        ("collapse", ("Global G of block 1 is uniform (100 % of ln L): it no longer says.",), {}, "fewer heads"),
    ],
)  # fmt: skip
def test_a_setting_to_try_follows_stated_rules(kind, warnings, changed, said):
    found = plots.setting_to_try(Verdict(kind, "A sentence.", warnings), {**SETTINGS, **changed})
    assert found is None if said is None else said in found


def test_a_local_map_that_reaches_far_has_a_setting_to_try():
    verdict = Verdict("part", "A sentence.", ())
    assert "form=relative" in plots.setting_to_try(verdict, SETTINGS, 30.0, 20.0)
    assert "banks=16" in plots.setting_to_try(verdict, {**SETTINGS, "form": "relative"}, 30.0, 20.0)
    assert plots.setting_to_try(verdict, SETTINGS, 10.0, 20.0) is None
