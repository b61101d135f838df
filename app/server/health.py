"""GET /amad/health: is the server up, which version, and does its database answer."""

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import amad
from app.server import workspace

_LOG = logging.getLogger(__name__)


def health(_request: Request) -> Response:
    """200 with `status: ok`, or 503 when the workspace's database does not answer."""
    try:
        workspace.current().series()
    except Exception:  # whatever stands in the way, a health check must answer
        _LOG.exception("The workspace's database does not answer.")
        answer = {"status": "failing", "version": amad.__version__, "database": "failing"}
        return JSONResponse(answer, status_code=503, headers={"cache-control": "no-store"})
    answer = {"status": "ok", "version": amad.__version__, "database": "ok"}
    return JSONResponse(answer, headers={"cache-control": "no-store"})
