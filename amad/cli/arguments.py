"""Every command with its options, as argparse knows them; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from amad import __version__
from amad.errors import InputError

PRESETS = ("quick", "balanced", "paper")  # those of amad.config, which would load pydantic; a test holds them together
_SERIES = "a file, or the name of a series in the workspace"
_RUN = "id or name of a run"


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes come out as InputError, one message as everywhere else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Raises instead of printing the usage and ending the process."""
        raise InputError(f"{message}. See `{self.prog} --help`.")


class FitParser(Parser):
    """`amad fit`, whose help ends with the list of all settings, read from amad.config when it is shown."""

    def format_help(self) -> str:
        """The help with every setting's name, default and meaning."""
        from amad.config import fields

        lines = ["", "settings for --set (those of the preset balanced):"]
        for name, field in fields().items():
            unit = f" {field['unit']}" if field["unit"] else ""
            choices = f" ({', '.join(field['choices'])})" if field["choices"] else ""
            default = ";".join(field["default"]) if isinstance(field["default"], tuple) else field["default"]
            lines.append(f"  {name}={default}{unit}{choices}")
            lines.append(f"      {field['description']}")
        return super().format_help() + "\n".join(lines) + "\n"


def build() -> argparse.ArgumentParser:
    """The parser of `amad`; each command sets `handler`, "module:function"."""
    parser = Parser(
        prog="amad",
        description="Anomalies in multivariate time series, and why a model flags them.",
        epilog="Exit code: 0 done, 2 the input or the call is wrong, 1 a fault of ours.",
    )
    parser.add_argument("--version", action="version", version=f"amad {__version__}")
    _common(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _fit(commands)
    _score(commands)
    _detect(commands)
    _evaluate(commands)
    _inspect(commands)
    _runs(commands)
    _files(commands)
    _watch(commands)
    _measure(commands)
    _worker(commands)
    _labels(commands)
    _audit(commands)
    _doctor(commands)
    _backup(commands)
    _app(commands)
    return parser


def _command(commands: Any, name: str, handler: str, text: str, kind: type[Parser] = Parser) -> Parser:
    """Adds a command; `text` is its line in the list of commands and the start of its own help."""
    factory = commands._parser_class
    commands._parser_class = kind
    parser: Parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    commands._parser_class = factory
    parser.set_defaults(handler=handler, command=name)
    _common(parser)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    # suppressed defaults: an option given before the command is not undone by the command's own
    parser.add_argument(
        "--workspace",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="folder of the workspace (else AMAD_WORKSPACE, else your data folder)",
    )
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the result as JSON")


def _reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reading SERIES")
    group.add_argument("--time", metavar="COL", help="the time column (found by itself where it is clear)")
    group.add_argument("--label", metavar="COL", help="the label column, 0 and 1; it is never a channel")
    group.add_argument(
        "--missing", metavar="VALUE", action="append", default=[], help="a value that means missing; may be repeated"
    )
    group.add_argument("--separator", metavar="CHAR", help="between the cells of a text file (found by itself)")
    group.add_argument("--decimal", metavar="MARK", help="decimal mark of a text file, . or , (found by itself)")
    group.add_argument("--encoding", metavar="NAME", help="encoding of a text file (found by itself)")
    group.add_argument("--timezone", metavar="ZONE", help="zone of times that name none, as Europe/Berlin")


def _fit(commands: Any) -> None:
    parser = _command(commands, "fit", "amad.cli.fit:fit", "train on a series; prints the run's id", FitParser)
    parser.add_argument(
        "series", metavar="SERIES", nargs="?", help=f"{_SERIES}, a folder or a pattern of them; not with --resume"
    )
    parser.add_argument("--preset", choices=PRESETS, help="settings to start from (balanced)")
    parser.add_argument(
        "--detector",
        metavar="NAME",
        help="fits a baseline instead of AMAD: random, zscore, pca, delay-pca, ridge, iforest, kmeans, nearest, fused, "
        "matrix-profile; most also with +recipe behind the name",
    )
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="replaces a setting; may be repeated"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--train", metavar="PART", help="part to train on, as 0:0.6 (fractions) or 0:5000 (rows); all without it"
    )
    part.add_argument("--train-file", metavar="F", help="trains on all of this file instead, then scores SERIES too")
    parser.add_argument("--epochs", metavar="N", help="passes over the training windows; lifts the limit max_steps")
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (auto)")
    parser.add_argument("--seed", metavar="N", help="start of every random choice (0)")
    parser.add_argument("--name", metavar="NAME", help="name of the run")
    parser.add_argument(
        "--shared", action="store_true", help="of a folder or pattern of series: one model over all, not one each"
    )
    parser.add_argument("--resume", metavar="RUN", help="goes on with a run that was stopped, failed or was killed")
    _reading(parser)


def _score(commands: Any) -> None:
    parser = _command(commands, "score", "amad.cli.results:score", "score every row of a series")
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="scores.parquet or scores.csv")
    _reading(parser)


def _detect(commands: Any) -> None:
    parser = _command(commands, "detect", "amad.cli.results:detect", "list the events of a series")
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument(
        "--threshold",
        metavar="SPEC",
        help="percentile:R over training scores, capped:R the same with at most 5 % of the series above, pot, or value:X (the run's own)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="events.csv or events.json")
    _reading(parser)


def _evaluate(commands: Any) -> None:
    parser = _command(commands, "evaluate", "amad.cli.evaluate:evaluate", "compare scores with labels")
    parser.add_argument("scores", metavar="SCORES", help="a file that `amad score` wrote, or any with such a column")
    parser.add_argument(
        "--label",
        metavar="COL|FILE",
        required=True,
        help="a column of SCORES, a file with the labels, or a series of the workspace that has them",
    )
    parser.add_argument("--column", metavar="NAME", default="score", help="the column with the scores (score)")
    parser.add_argument(
        "--sliding-window", metavar="ROWS", default="100", help="window of the range-aware metrics, in rows (100)"
    )
    parser.add_argument(
        "--threshold", metavar="X", help="a row is flagged above this score (the one with the best point F1)"
    )
    parser.add_argument(
        "--mode",
        choices=("plain", "tsb-ad"),
        default="plain",
        help="tsb-ad: what TSB-AD 1.5 would print, its quirks included (plain)",
    )


def _inspect(commands: Any) -> None:
    parser = _command(commands, "inspect", "amad.cli.results:inspect", "write the attention maps of one window")
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument("--at", metavar="ROW|TIME", required=True, help="the middle of the window")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="maps.npz")
    _reading(parser)


def _runs(commands: Any) -> None:
    parser = _command(commands, "runs", "amad.cli.manage:runs", "list the runs of the workspace, or change one")
    parser.add_argument("--tag", metavar="TAG", help="lists only runs with this tag")
    parser.add_argument("--trash", action="store_true", help="lists the runs in the trash")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--rename", metavar=("RUN", "NAME"), nargs=2, help="gives a run another name")
    change.add_argument("--tags", metavar=("RUN", "TAGS"), nargs=2, help="gives a run these tags, as A;B")
    change.add_argument("--first", metavar="RUN", help="takes this run before all others that wait")
    change.add_argument("--stop", metavar="RUN", help="stops a run; it can be resumed")
    change.add_argument("--delete", metavar="RUN", help="puts a run in the trash")
    change.add_argument("--restore", metavar="RUN", help="brings a run back from the trash")
    change.add_argument("--empty-trash", action="store_true", help="deletes the runs in the trash for good")
    change.add_argument("--compare", metavar="RUN", nargs="+", help="shows the settings in which runs differ")
    change.add_argument("--log", metavar="RUN", help="shows the end of what a run's workers said")


def _measure(commands: Any) -> None:
    parser = _command(
        commands, "measure", "amad.cli.measure:measure", "propose threads and batch size for this machine"
    )
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument("--preset", choices=PRESETS, help="settings to start from (balanced)")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="replaces a setting; may be repeated"
    )
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (auto)")
    _reading(parser)


def _worker(commands: Any) -> None:
    parser = _command(commands, "worker", "amad.cli.serve:worker", "serve the queue of one workspace until stopped")
    parser.add_argument("--jobs", metavar="N", help="jobs of a kind at a time (AMAD_JOBS, else one a GPU, else 1)")
    parser.add_argument("--once", action="store_true", help="ends when nothing waits any more")
    parser.add_argument(
        "--check",
        action="store_true",
        help="serves nothing; says whether a worker of this machine lives (else exit code 2)",
    )


def _files(commands: Any) -> None:
    parser = _command(commands, "export", "amad.cli.manage:export", "write a finished run as one file")
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="run.zip")
    parser.add_argument("--scores", action="store_true", help="with its scores of its own series")
    parser = _command(commands, "import", "amad.cli.manage:take_in", "take in a run that `amad export` wrote")
    parser.add_argument("file", metavar="FILE", help="run.zip")


def _labels(commands: Any) -> None:
    labels = commands.add_parser(
        "labels", help="export or import the labels of a series", description="Labels of a series as files."
    )
    actions = labels.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    parser = _command(actions, "export", "amad.cli.labels:export", "write the labels of a series as a file")
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="labels.csv or labels.json")
    parser.add_argument(
        "--format",
        choices=("csv", "json", "label-studio", "column", "binary"),
        help="csv and json hold every label; column is the series with its labels beside the rows, binary one 0 or 1 a row",
    )
    parser.add_argument("--original", metavar="FILE", help="with column: this file's own lines, the labels beside them")
    parser.add_argument("--author", metavar="NAME", help="who asks (the name you are signed in with)")
    _reading(parser)
    parser = _command(actions, "import", "amad.cli.labels:take_in", "take in labels from a file")
    parser.add_argument("series", metavar="SERIES", help=_SERIES)
    parser.add_argument("file", metavar="FILE", help="ours, Label Studio, NAB windows, ranges, or one label a row")
    parser.add_argument("--type", metavar="TYPE", default="Other", help="type of labels that name none (Other)")
    parser.add_argument(
        "--end-excluded", action="store_true", help="in ranges that are not ours, the end is not labelled"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be taken in, and change nothing")
    parser.add_argument("--author", metavar="NAME", help="who labels (the name you are signed in with)")
    _reading(parser)


def _watch(commands: Any) -> None:
    parser = _command(commands, "watch", "amad.cli.watch:watch", "score rows as they arrive, and tell new events")
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("source", metavar="SOURCE", help="a growing CSV file, a folder of CSV or Parquet files, or -")
    parser.add_argument("--name", metavar="NAME", help="name of the series that grows in the workspace")
    parser.add_argument(
        "--time", metavar="COL", help="the time column (time, timestamp, datetime, date or ts without it)"
    )
    parser.add_argument(
        "--threshold",
        metavar="SPEC",
        help="percentile:R over training scores, pot, or value:X (the run's own; capped as percentile)",
    )
    parser.add_argument("--every", metavar="SECONDS", default="1", help="pause between two looks (1)")
    parser.add_argument("--once", action="store_true", help="ends when all that is there has been taken")
    parser.add_argument("--final", action="store_true", help="tells an event only when its scores no longer change")
    parser.add_argument(
        "--exec", metavar="COMMAND", action="append", default=[], help="runs this for each new event, JSON on its input"
    )
    parser.add_argument(
        "--webhook", metavar="URL", action="append", default=[], help="posts each new event as JSON to this address"
    )


def _audit(commands: Any) -> None:
    parser = _command(commands, "audit", "amad.cli.audit:trail", "who changed what in the workspace, and when")
    parser.add_argument("--since", metavar="TIME", help="only changes from then on (UTC where no zone is given)")
    parser.add_argument("-o", "--output", metavar="FILE", help="writes them to this CSV file")


def _doctor(commands: Any) -> None:
    parser = _command(commands, "doctor", "amad.cli.doctor:doctor", "check this installation and the workspace")
    parser.add_argument("--mend", action="store_true", help="mends what can be mended without losing anything")
    parser.add_argument("--deep", action="store_true", help="compares every stored byte with its checksum")


def _backup(commands: Any) -> None:
    parser = _command(commands, "backup", "amad.cli.backup:backup", "copy the workspace while others work in it")
    parser.add_argument("target", metavar="FILE", nargs="?", help="backup.zip, or a new folder")
    parser.add_argument("--restore", metavar="FILE", help="puts this backup into the empty folder --workspace instead")


def _app(commands: Any) -> None:
    parser = _command(commands, "app", "amad.cli.manage:app", "open the app in the browser")
    parser.add_argument("--port", metavar="N", default="8501", help="port to serve on (8501)")
