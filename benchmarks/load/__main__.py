"""The app under load in real browsers: `python -m benchmarks.load kill`, `page`, `mixed` and `memory`.

`kill`: four browser sessions label events by key while the app is killed (SIGKILL) and started again at random moments; every
label whose confirmation was on the screen must be in the database afterwards. Bar: 0 of 1,000 lost.
`page`: the time from the click on a page's link until Incidents is drawn and listed, in a series with 10,000 labels and 2,000
events, first in one session, then in 24 that each change the page again and again after a pause.
`mixed`: 24 sessions for ten minutes, each at its own work (page changes, zooming, labelling) while a run trains; times, errors, and
whether the app's memory goes on growing. Bar of both: 3 s at the 95th percentile of page changes, and nothing goes wrong.
`memory`: one session goes round all pages 100 times; what the app's process holds should not grow once its caches are full.
Each prints a table and appends to benchmarks/results/load.jsonl.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.load.changing import page
from benchmarks.load.killing import kill
from benchmarks.load.mixing import mixed
from benchmarks.load.staying import memory


def main(arguments: list[str] | None = None) -> int:
    """Reads the call and runs one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("kill", help="SIGKILL while four sessions label")
    one.add_argument("--labels", type=int, default=1000)
    one.add_argument("--sessions", type=int, default=4)
    one.add_argument(
        "--every", type=int, nargs=2, default=(20, 120), help="confirmations between two kills, at least and at most"
    )
    one.add_argument("--seed", type=int, default=0)
    one.set_defaults(run=kill)
    two = commands.add_parser("page", help="page changes with 10,000 labels and 2,000 events")
    two.add_argument("--labels", type=int, default=10_000)
    two.add_argument("--events", type=int, default=2_000)
    two.add_argument("--changes", type=int, default=5, help="times that each session goes to another page and back")
    two.add_argument("--sessions", type=int, default=24)
    two.add_argument(
        "--pause", type=float, nargs=2, default=(20.0, 40.0), help="seconds between two page changes of a session"
    )
    two.set_defaults(run=page)
    three = commands.add_parser("mixed", help="24 sessions at mixed work while a run trains")
    three.add_argument("--sessions", type=int, default=24)
    three.add_argument("--minutes", type=float, default=10.0)
    three.add_argument(
        "--pause", type=float, nargs=2, default=(30.0, 60.0), help="seconds between two actions of a session"
    )
    three.set_defaults(run=mixed)
    four = commands.add_parser("memory", help="one session, page after page")
    four.add_argument("--rounds", type=int, default=100, help="of all seven pages")
    four.set_defaults(run=memory)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
