"""The command line as such: help that is quick, exit codes, messages, output that is checked before any work."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import amad.config
from amad.cli import arguments, main, manage
from amad.cli.output import ProgressLine, describe, duration, printable, table
from amad.errors import InputError

COMMANDS = [
    "fit", "score", "detect", "evaluate", "inspect", "runs", "export", "import", "watch", "measure", "worker", "labels", "audit", "doctor", "backup",
    "app",
]  # fmt: skip
HEAVY = ("torch", "pandas", "pydantic", "numpy", "sqlalchemy", "alembic", "streamlit")


@pytest.mark.parametrize("call", [["--help"], ["score", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(call):
    code = (
        "import sys\nfrom amad.cli import main\n"
        f"try:\n    main({call!r})\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"


def test_the_module_is_the_command():
    ended = subprocess.run([sys.executable, "-m", "amad", "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout == f"amad {amad.__version__}\n"
    wrong = subprocess.run([sys.executable, "-m", "amad", "score"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert wrong.stderr == (
        "amad: the following arguments are required: RUN, SERIES, -o/--output. See `amad score --help`.\n"
    )


def test_every_listed_command_exists(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.split("COMMAND\n")[1].split("\n\n")[0].split("\n")]
    assert listed == COMMANDS
    calls = {
        "fit": [], "score": ["r", "s", "-o", "x"], "detect": ["r", "s", "-o", "x"], "runs": [], "audit": [], "doctor": [], "backup": [], "app": [],
        "evaluate": ["s", "--label", "l"], "inspect": ["r", "s", "--at", "1", "-o", "x"], "export": ["r", "-o", "x"],
        "import": ["x"], "watch": ["r", "-"], "measure": ["s"], "worker": [], "labels": ["export", "s", "-o", "x.csv"],
    }  # fmt: skip
    for name in COMMANDS:
        module, function = arguments.build().parse_args([name, *calls[name]]).handler.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_presets_of_the_parser_are_those_of_the_settings():
    assert tuple(amad.config.PRESETS) == arguments.PRESETS


def test_help_of_fit_lists_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    for name, field in amad.config.fields().items():
        assert f"\n  {name}=" in text
        assert field["description"] in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ([], "the following arguments are required: COMMAND. See `amad --help`."),
        (["paint"], "argument COMMAND: invalid choice: 'paint'"),
        (["runs", "--jso"], "unrecognized arguments: --jso. See `amad --help`."),
        (["fit", "x", "--preset", "huge"], "argument --preset: invalid choice: 'huge'"),
        (["fit"], "fit needs a SERIES: a file, or the name of a series in the workspace. See `amad fit --help`."),
        (["fit", "x", "--set", "window"], '"window" is not a setting. Write --set name=value, for example --set window=64.'),
        (["fit", "x", "--set", "windw=3"], 'There is no setting "windw". Did you mean "window"?'),
        (["fit", "x", "--epochs", "many"], 'Setting "epochs": \'many\' does not do.'),
        (["fit", "x", "--train", "0:1", "--train-file", "f"], "argument --train-file: not allowed with argument --train."),
        (["app", "--port", "http"], "--port http is not a port. Give a number from 1 to 65535, for example 8501."),
        (["evaluate", "x", "--label", "y", "--sliding-window", "0"], "--sliding-window 0 is not a number of rows."),
        (["detect", "r", "s", "-o", "e.csv", "--threshold", "high"], 'Setting "threshold": \'high\' does not do. Write capped:R or percentile:R with R from 0 to 1'),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_message_and_exit_2(amad, call, message):
    ended = amad(*call)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"amad: {message}")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("call", "endings"),
    [
        (["score", "r", "s"], ".parquet or .csv"),
        (["detect", "r", "s"], ".csv or .json"),
        (["inspect", "r", "s", "--at", "3"], ".npz"),
        (["export", "r"], ".zip"),
    ],
)
def test_outputs_are_checked_before_any_work(amad, tmp_path, call, endings):
    ended = amad(*call, "-o", "none/out.txt")
    assert (ended.code, ended.err) == (
        2,
        "amad: There is no folder none. Make it first, or write out.txt somewhere else.\n",
    )
    ended = amad(*call, "-o", "out.txt")
    assert (ended.code, ended.err) == (
        2,
        f"amad: out.txt: the name must end in {endings}, which says how it is written.\n",
    )
    assert not (tmp_path / "own workspace").exists()


def test_a_fault_of_ours_is_one_line_with_the_place_of_its_trace(amad, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("three\nlines")

    monkeypatch.setattr(manage, "runs", broken)
    ended = amad("runs")
    assert (ended.code, ended.out) == (1, "")
    start, rest = ended.err.split("(the trace is in ")
    assert start == "amad: a fault of AMAD, not yours: ZeroDivisionError: three lines "
    file, end = rest.split("; ")
    assert end == "AMAD_DEBUG=1 shows the trace).\n"
    with open(file) as trace:
        assert "ZeroDivisionError: three\nlines" in trace.read()
    monkeypatch.setenv("AMAD_DEBUG", "1")
    assert "Traceback (most recent call last)" in amad("runs").err


def test_a_workspace_that_cannot_be_written_is_told(amad, tmp_path):
    (tmp_path / "file").write_text("")
    ended = amad("runs", workspace=tmp_path / "file")
    assert (ended.code, ended.err) == (
        2,
        f"amad: The workspace {tmp_path}/file cannot be written (File exists). "
        "Choose another folder with --workspace or AMAD_WORKSPACE.\n",
    )


def test_options_common_to_all_stand_before_or_after_the_command(amad, tmp_path):
    assert amad("--workspace", tmp_path / "w", "--json", "runs").out == "[]\n"
    assert amad("runs", "--json", "--workspace", tmp_path / "w").out == "[]\n"
    assert "There are no runs in" in amad("runs").out


def test_doctor_finds_nothing_wrong_here(amad):
    ended = amad("doctor", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["problems"]) == (0, [])
    assert found["devices"][-1] == "cpu" or "cpu" in found["devices"]
    migrations = Path(arguments.__file__).parents[1] / "workspace" / "migrations" / "versions"
    assert found["database schema"] == max(path.name[:4] for path in migrations.glob("0*.py"))
    assert "No problems found." in amad("doctor").out


def test_doctor_names_what_is_wrong(amad, tmp_path):
    (tmp_path / "file").write_text("")
    ended = amad("doctor", workspace=tmp_path / "file")
    assert ended.code == 2
    assert f"Problem: The workspace {tmp_path}/file cannot be written" in ended.out


def test_app_serves_the_script_with_the_workspace(amad, monkeypatch, tmp_path):
    seen = {}

    def call(command, env):
        seen.update(command=command, env=env)
        return 0

    script = tmp_path / "amad" / "__init__.py"
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("")
    monkeypatch.setattr(manage.amad, "__file__", str(script))
    monkeypatch.setattr(manage.subprocess, "call", call)
    assert amad("app", "--port", "8600").code == 0
    assert seen["command"][1:] == ["-m", "streamlit", "run", str(tmp_path / "app" / "main.py"), "--server.port", "8600"]
    assert seen["env"]["AMAD_WORKSPACE"] == str(tmp_path / "own workspace")


def test_tables_line_up_and_carry_no_control_characters():
    assert table(("name", "rows"), [("a\x1b[2J", 5), ("long name", 1200)]) == (
        "name       rows\n"
        "a�[2J         5\n"
        "long name  1200"
    )  # fmt: skip
    assert printable("a\u202eb\nc") == "a�b\nc"


def test_durations_read_well():
    assert [duration(s) for s in (0.04, 9.94, 9.96, 99, 100, 5399, 5400)] == [
        "0.0 s", "9.9 s", "10 s", "99 s", "2 min", "90 min", "1.5 h",
    ]  # fmt: skip


def test_progress_is_one_line_on_a_terminal_and_lines_elsewhere():
    import io

    from amad.training import Progress

    steps = [
        Progress("preparing"),
        Progress("training", 1, 20, 1, 2, 50.0, 3.0, {"loss": 0.5}),
        Progress("training", 20, 20, 2, 2),
    ]
    plain = io.StringIO()
    line = ProgressLine(plain)
    for step in steps:
        line(step)
    line.end()
    assert plain.getvalue() == (
        "preparing\n"
        "training:    optimiser step 1 of 20, epoch 1 of 2, loss 0.5, 50 windows/s, 3.0 s left\n"
        "training:    optimiser step 20 of 20, epoch 2 of 2\n"
    )
    assert describe(Progress("scoring", 5, 1200)) == "scoring:     row 5 of 1,200"
    assert describe(Progress("preparing", 7, 40)) == "preparing:   optimiser step 7 of 40"

    terminal = io.StringIO()
    terminal.isatty = lambda: True
    line = ProgressLine(terminal)
    line(steps[0])
    line.end()
    assert terminal.getvalue() == "\r\x1b[2Kpreparing\r\x1b[2K"


def test_errors_are_not_hidden_from_python_callers():
    with pytest.raises(InputError, match="required: COMMAND"):
        arguments.build().parse_args([])
