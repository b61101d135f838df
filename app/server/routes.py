"""The routes under /amad/ and the first page's name: modules, the timeline's data, progress, uploads, rooms of guesses, health, figures; they hold nothing."""

from starlette.routing import BaseRoute, Route

from app.components.jobs.lines import jobs
from app.components.timeline.data import timeline_data
from app.components.timeline.events import timeline_events
from app.server import guessing, metrics
from app.server.address import first_page, with_base
from app.server.health import health
from app.server.modules import serve
from app.server.uploads import upload, uploads


def routes() -> list[BaseRoute]:
    """All our routes, each with `server.baseUrlPath` before it."""
    return [
        Route(with_base("/series"), first_page),
        Route(with_base("/amad/health"), health),
        Route(with_base("/amad/modules/{component}/{file}"), serve),
        Route(with_base("/amad/modules/{component}/{hash}/{file}"), serve),
        Route(with_base("/amad/timeline/data"), timeline_data),
        Route(with_base("/amad/timeline/events"), timeline_events),
        Route(with_base("/amad/jobs"), jobs),
        Route(with_base("/amad/uploads"), uploads, methods=["POST"]),
        Route(with_base("/amad/uploads/{id}"), upload, methods=["GET", "PUT", "DELETE"]),
        *guessing.routes(),
        *metrics.routes(),
    ]
