"""Limits: what a variable may say, what is told of one that cannot be, and that each is documented and shown."""

from pathlib import Path

import pytest

from amad import limits
from amad.cli import main
from amad.errors import ConfigError, InputError

NAMES = list(limits._READERS)
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_only_columns_and_uploads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.described() == (
        ["20,000 channels a series (AMAD_MAX_CHANNELS, not set)", "20 GB a file (AMAD_UPLOAD_MB, not set)"], []
    )  # fmt: skip
    for name in NAMES:
        monkeypatch.setenv(name, " ")  # what a compose file makes of a variable that is not set
    assert limits.described()[1] == []
    assert limits.rows() is limits.memory() is limits.threads() is limits.user_jobs() is None
    limits.check_rows("long", 10**12)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("AMAD_MAX_ROWS", "1000000", "1,000,000 rows a series (AMAD_MAX_ROWS)"),
        ("AMAD_MAX_CHANNELS", "7", "7 channels a series (AMAD_MAX_CHANNELS)"),
        ("AMAD_UPLOAD_MB", "5", "5 MB a file (AMAD_UPLOAD_MB)"),
        ("AMAD_DISK_MB", "50000", "50 GB for the workspace (AMAD_DISK_MB)"),
        ("AMAD_USER_JOBS", "4", "4 jobs a user (AMAD_USER_JOBS)"),
        ("AMAD_JOB_HOURS", "0.5", "0.5 hours a job (AMAD_JOB_HOURS)"),
        ("AMAD_THREADS", " 2 ", "2 threads a job (AMAD_THREADS)"),
        ("AMAD_MEMORY", "8GB", "8 GB of memory a job (AMAD_MEMORY)"),
    ],
)
def test_a_limit_that_is_set_is_shown(name: str, text: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    assert found in limits.described()[0]
    limits.check()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["0", "-3", "many", "nan", "\N{SUPERSCRIPT TWO}", "9" * 30])
def test_what_cannot_be_is_told_and_never_taken_for_no_limit(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "AMAD_MEMORY" and text == "9" * 30:
        return  # more memory than any machine has is no limit
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=rf"^{name} is .*Set it to .*or unset it\.$"):
        limits.check()
    assert len(limits.described()[1]) == 1


def test_reached_limits_say_what_how_much_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAD_MAX_ROWS", "1000")
    monkeypatch.setenv("AMAD_MAX_CHANNELS", "3")
    limits.check_rows("pump.csv", 1000)
    limits.check_channels("pump.csv", 3)
    with pytest.raises(InputError) as rows:
        limits.check_rows("pump.csv", 1001)
    assert str(rows.value) == (
        "pump.csv: has 1,001 rows, more than the 1,000 that a series may have here. Give a part of it, or fewer rows. "
        "Whoever runs AMAD can set more with AMAD_MAX_ROWS."
    )
    with pytest.raises(InputError) as channels:
        limits.check_channels("pump.csv", 4)
    assert str(channels.value) == (
        "pump.csv: has 4 channels, more than the 3 that a series may have here. Leave channels out. "
        "Whoever runs AMAD can set more with AMAD_MAX_CHANNELS."
    )


def test_the_doctor_shows_limits_and_names_those_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.setenv("AMAD_USER_JOBS", "4")
    monkeypatch.setenv("AMAD_DISK_MB", "little")
    monkeypatch.setenv("AMAD_LOG", "xml")
    assert main(["doctor", "--workspace", str(tmp_path / "ws")]) == 2
    said = capsys.readouterr().out
    assert "4 jobs a user (AMAD_USER_JOBS)" in said
    assert "Problem: AMAD_DISK_MB is 'little'. Set it to the most megabytes of the workspace" in said
    assert "Problem: AMAD_LOG is 'xml'. Set it to text or json, or unset it." in said


@pytest.mark.parametrize("name", [*NAMES, "AMAD_LOG", "AMAD_METRICS", "AMAD_METRICS_TOKEN"])
def test_every_variable_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "server.md").read_text(encoding="utf-8")
