"""GET /amad/metrics: figures for Prometheus, where the operator asks for them; numbers only, no name of anything or anybody."""

from __future__ import annotations

import hmac
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

import amad
from amad.errors import AmadError, ConfigError
from amad.jobs.figures import KINDS, Figures, figures
from amad.workspace.states import STEPS
from app.server import listening, workspace
from app.server.address import with_base
from app.server.counts import COUNTS
from app.server.headers import middleware

METRICS, TOKEN = "AMAD_METRICS", "AMAD_METRICS_TOKEN"
PATH = "/amad/metrics"
KEEP_SECONDS = 5.0  # figures are asked of the database no more often, whoever asks
_LEAST_TOKEN = 16
_LOG = logging.getLogger(__name__)
_port: int | None = None


def wanted(environment: Mapping[str, str] = os.environ) -> tuple[str, int] | bool:
    """Where figures are served: False nowhere, True by the app itself, else host and port of a server of their own.

    Errors: ConfigError for an AMAD_METRICS that is neither 1 nor an address, a short token, or a missing package.
    """
    given = environment.get(METRICS, "").strip()
    if given in ("", "0"):
        return False
    token = environment.get(TOKEN, "")
    if token and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise ConfigError(f"{TOKEN} must be at least {_LEAST_TOKEN} printable characters without spaces, or unset.")
    try:
        place = (
            True if given == "1" else listening.address(METRICS, environment, "1, or host:port such as 127.0.0.1:9464")
        )
    except AmadError as error:
        raise ConfigError(str(error)) from error
    if find_spec("prometheus_client") is None:
        raise ConfigError(f'{METRICS} needs one package more. Install it with: pip install "amad[metrics]"')
    return place or False


def routes() -> list[BaseRoute]:
    """The route of the app, where figures are to be served by it."""
    return [Route(with_base(PATH), metrics)] if wanted() is True else []


def start() -> int | None:
    """Starts the server of figures, once, where they have one of their own; its port.

    Errors: ConfigError as of `wanted`; InputError where it cannot listen there.
    """
    global _port
    place = wanted()
    if isinstance(place, bool):
        return None
    if _port is None:
        _port = listening.serve(METRICS, *place, Starlette(routes=[Route(PATH, metrics)], middleware=middleware()))
    return _port


def metrics(request: Request) -> Response:
    """The figures in Prometheus' text form; 401 without the token, where one is set; 503 where the database is silent."""
    quiet = {"cache-control": "no-store"}
    token = os.environ.get(TOKEN, "")
    if token and not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
        _LOG.warning("refused: figures without their token")
        return PlainTextResponse("A token is needed.\n", 401, {**quiet, "www-authenticate": "Bearer"})
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    try:
        return Response(generate_latest(_registry()), headers={**quiet, "content-type": CONTENT_TYPE_LATEST})
    except Exception:  # whoever asks gets a status, the log the traceback
        _LOG.exception("The figures could not be read.")
        return PlainTextResponse("The figures could not be read; the server's log says why.\n", 503, quiet)


class Collector:
    """What Prometheus' client asks for the figures: those of the workspace, and those this server has counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[float, Figures] | None = None  # with the time at which they were found

    def collect(self) -> Iterable[Any]:
        """Every figure as a family of samples."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        def gauge(name: str, text: str, amount: float) -> Any:
            return GaugeMetricFamily(f"amad_{name}", text, value=amount)

        now = self._figures()
        yield InfoMetricFamily("amad", "The program that serves these figures.", value={"version": amad.__version__})
        jobs = GaugeMetricFamily("amad_jobs", "Jobs of the workspace by kind and state.", labels=("kind", "state"))
        seconds = GaugeMetricFamily(
            "amad_job_seconds", "Seconds that the jobs in the workspace worked the last time.", labels=("kind",)
        )
        for kind in KINDS:
            for state in STEPS:
                jobs.add_metric((kind, state), now.jobs.get((kind, state), 0))
            seconds.add_metric((kind,), now.job_seconds.get(kind, 0.0))
        yield from (jobs, seconds)
        yield gauge("scored_rows", "Rows that have scores, counted for each run.", now.scored_rows)
        yield gauge("oldest_waiting_seconds", "How long the job that waits longest has waited.", now.oldest_waiting)
        yield gauge("workers", "amad worker processes that gave a sign of life lately.", now.workers)
        yield gauge("workspace_bytes", "Bytes of the disk that the workspace takes.", now.taken_bytes)
        yield gauge("disk_free_bytes", "Bytes free on the disk of the workspace.", now.free_bytes)
        for name, label, text in (
            ("uploads", "outcome", "Uploads of files, by what became of them."),
            ("upload_bytes", "", "Bytes of files that were uploaded whole."),
            ("page_runs", "page", "Runs of a page."),
            ("page_errors", "page", "Runs of a page that ended in an unexpected error."),
            ("page_seconds", "page", "Seconds that runs of a page took."),
        ):
            family = CounterMetricFamily(f"amad_{name}", text, labels=(label,) if label else ())
            counted = COUNTS.all(name) or ({} if label else {"": 0.0})
            for which, amount in sorted(counted.items()):
                family.add_metric((which,) if label else (), amount)
            yield family

    def _figures(self) -> Figures:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > KEEP_SECONDS:
                self._kept = time.monotonic(), figures(workspace.current())
            return self._kept[1]


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Our figures, and the process' own (memory, processor time, open files)."""
    from prometheus_client import CollectorRegistry, ProcessCollector

    made = CollectorRegistry(auto_describe=False)
    made.register(Collector())
    ProcessCollector(registry=made)
    return made
