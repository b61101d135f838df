"""The page Teach: eight chapters without a series, each from an address, with true formulas, an export, and a presenter."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from amad import inspection
from amad.workspace import Workspace
from app.parts import teach, teach_export, teach_hand, teach_inject, teach_pair, teach_river, teach_train
from app.parts.teach_words import CHAPTERS

Open = Callable[..., AppTest]
METHOD = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
LESSONS = {
    lesson.words.number: lesson
    for part in (teach_river, teach_hand, teach_pair, teach_inject, teach_train)
    for lesson in part.LESSONS
}


def chart(page: AppTest) -> dict:
    found = page.get("plotly_chart")
    assert len(found) == 1
    assert len(found[0].proto.alt) > 40
    return json.loads(found[0].proto.spec)


@pytest.mark.parametrize("words", CHAPTERS, ids=lambda words: words.name)
def test_formulas_are_those_of_the_method(words) -> None:
    assert words.formulas
    assert [plain for plain, _ in words.formulas if plain not in METHOD] == []


@pytest.mark.parametrize("words", CHAPTERS, ids=lambda words: words.name)
def test_a_chapter_opens_from_its_address_without_a_series(words, open_page: Open, store: Workspace) -> None:
    page = open_page("teach", chapter=words.name)
    assert not page.exception
    assert not page.error
    assert [element.value for element in page.subheader] == [words.title]
    assert chart(page)["data"]
    said = "\n".join(str(element.value) for element in page.markdown)
    assert all(re.sub(r"[_\\]", "", sentence) in re.sub(r"[_\\]", "", said) for sentence in words.sentences)
    questions = [element for element in page.get("expander") if element.label == words.question]
    assert len(questions) == 1
    assert not questions[0].proto.expanded
    assert store.series() == []  # nothing was put into the workspace


def test_controls_are_restored_from_the_address(open_page: Open) -> None:
    page = open_page("teach", chapter="2 Attention", rhythm="24", query="10")
    assert page.slider(key="rhythm").value == 24
    assert "step 10" in page.get("plotly_chart")[0].proto.alt
    page.slider(key="query").set_value(30).run()
    assert "step 30" in page.get("plotly_chart")[0].proto.alt


@pytest.mark.parametrize("wrong", [{"chapter": "99"}, {"chapter": "5 Game", "moves": "<script>"}, {"query": "-5"}])
def test_a_broken_address_opens_the_page_all_the_same(open_page: Open, wrong: dict[str, str]) -> None:
    page = open_page("teach", **wrong)
    assert not page.exception
    assert chart(page)["data"]


def test_the_game_is_played_by_hand_and_kept_in_the_address(open_page: Open) -> None:
    page = open_page("teach", chapter="5 Game")
    page.button(key="game-mins").click().run()
    page.button(key="game-max").click().run()
    assert page.query_params["moves"] in ("m10x", ["m10x"])
    assert "11 moves (10 min, 1 max)" in "\n".join(str(element.value) for element in page.markdown)
    page.button(key="game-again").click().run()
    assert "moves" not in page.query_params
    assert "No move yet" in "\n".join(str(element.value) for element in page.markdown)


def test_a_presenter_sees_picture_sentence_and_question_and_turns_the_page(open_page: Open) -> None:
    page = open_page("teach", chapter="3 Rotation", present="true")
    assert not page.exception
    assert not page.subheader
    assert chart(page)["layout"]["font"]["size"] >= 16
    page.button(key="teach-next").click().run()
    assert page.get("expander")[0].label == CHAPTERS[3].question
    assert page.button(key="teach-next").proto.shortcut.lower() == "pagedown"


def test_all_five_kinds_are_found_or_the_page_says_which_are_not(open_page: Open) -> None:
    page = open_page("teach", chapter="7 Inject")
    table = page.dataframe[0].value
    assert table["Kind"].tolist() == list(inspection.KINDS)
    level = teach_inject.threshold("percentile:0.99")
    verdicts = dict(zip(table["Kind"], table.iloc[:, 2], strict=True))
    assert verdicts == {
        kind: "found" if score >= round(level, 2) else "missed"
        for kind, score in zip(table["Kind"], table["Score"], strict=True)
    }
    assert verdicts["Spike"] == verdicts["Level shift"] == verdicts["Changed rhythm"] == "found"
    missed = [kind.lower() for kind, verdict in verdicts.items() if verdict == "missed"]
    captions = "\n".join(str(element.value) for element in page.caption)
    assert f"Missed here: {', '.join(missed)}." in captions


def test_the_guide_to_teaching_gives_the_scores_of_the_page(open_page: Open) -> None:
    page = open_page("teach", chapter="7 Inject")
    found = dict(zip(page.dataframe[0].value["Kind"], page.dataframe[0].value["Score"], strict=True))
    guide = re.sub(r"\s+", " ", (Path(__file__).parents[2] / "docs" / "teaching.md").read_text(encoding="utf-8"))
    words = r"finds spike \(score ([\d.]+)\), level shift \(([\d.]+)\) and changed rhythm \(([\d.]+)\), and misses frozen sensor " \
        r"\(([\d.]+)\) and broken relation \(([\d.]+)\) under its threshold of (\d+\.\d+)"  # fmt: skip
    said = re.search(words, guide)
    assert said is not None
    named = [float(said[place]) for place in (1, 2, 4, 3, 5)]  # in the order of inspection.KINDS
    assert named == pytest.approx([found[kind] for kind in inspection.KINDS], abs=0.06)
    assert float(said[6]) == pytest.approx(teach_inject.threshold("percentile:0.99"), abs=0.006)
    everywhere = float(re.search(r"the frozen sensor reaches ([\d.]+)", guide)[1])  # type: ignore[index]
    places = tuple(range(len(teach_inject.names())))
    frozen = teach_inject.answered("Frozen sensor", teach_inject.FIRST, places, 4.0, "percentile:0.99")[1]
    assert everywhere == pytest.approx(frozen.peak, abs=0.06)
    usual = float(re.search(r"at 95 % of training \(([\d.]+)\) all five are found", guide)[1])  # type: ignore[index]
    assert usual == pytest.approx(teach_inject.threshold("percentile:0.95"), abs=0.006)
    assert min(found.values()) >= usual
    assert not frozen.found


def test_chapter_8_counts_rows_as_chapter_7_does(open_page: Open) -> None:
    figure = chart(open_page("teach", chapter="8 Train"))
    assert figure["layout"]["xaxis4"]["title"]["text"] == "row of the river"
    first, last = teach_inject.ROWS[0] + teach_inject.FIRST[0], teach_inject.ROWS[0] + teach_inject.FIRST[1]
    assert (first, last - 1) in {(shape.get("x0"), shape.get("x1")) for shape in figure["layout"]["shapes"]}


def test_as_it_was_the_river_stays_under_the_threshold(open_page: Open) -> None:
    page = open_page("teach", chapter="7 Inject", asitwas="true")
    assert any("As it was: the score reaches" in str(element.value) for element in page.markdown)
    values, found = teach_inject.answered(teach_inject.NONE, (260, 324), (0, 3), 4.0, "percentile:0.99")
    assert not found.found
    assert found.scores.score.max() < teach_inject.threshold("percentile:0.95")
    assert values is not None


@pytest.mark.parametrize(
    ("number", "state", "states"),
    [
        (2, {"rhythm": 16, "noise": 0.1, "sharpness": 1.0, "query": 50}, 16),
        (5, {"moves": "m3x2", "row": 4}, 6),
        (8, {"kind": "Spike", "span": (260, 324), "channels": (0, 3), "strength": 4.0}, 1),
    ],
)
def test_a_chapter_exports_as_one_file_that_asks_for_nothing(store: Workspace, number, state, states) -> None:
    lesson = LESSONS[number]
    written = teach_export.page(lesson, state, "light").decode("utf-8")
    assert written.startswith("<!doctype html>")
    own = written.replace(written[written.index("<script>") :], "")  # before plotly.js and ours
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", own)
    assert all(html.escape(sentence) in written for sentence in lesson.words.sentences)
    block = re.search(r'<script type="application/json" id="states">(.*?)</script>', written, flags=re.DOTALL)
    assert block is not None
    found = json.loads(block[1])
    assert len(found) == states
    assert all(one["alt"] and one["remark"] and one["figure"]["data"] for one in found)


def test_names_of_the_chapters_fit_their_lessons() -> None:
    assert sorted(LESSONS) == list(range(1, 9))
    assert tuple(words.name for words in CHAPTERS) == teach.NAMES
