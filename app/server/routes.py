"""The routes under /amad/: module files, timeline and map data, health. They call the library and hold nothing."""

from importlib import import_module
from importlib.util import find_spec

from starlette.routing import BaseRoute, Route

from app.server.address import with_base
from app.server.health import health
from app.server.modules import serve


def routes() -> list[BaseRoute]:
    """All our routes, each with `server.baseUrlPath` before it."""
    from app.components.timeline.data import timeline_data

    found: list[BaseRoute] = [
        Route(with_base("/amad/health"), health),
        Route(with_base("/amad/modules/{component}/{file}"), serve),
        Route(with_base("/amad/modules/{component}/{hash}/{file}"), serve),
        Route(with_base("/amad/timeline/data"), timeline_data),
    ]
    if find_spec("app.components.maps") and find_spec("app.components.maps.data"):
        handler = import_module("app.components.maps.data").maps_data
        found.append(Route(with_base("/amad/maps/data"), handler))
    return found
