"""Addresses of our routes: `server.baseUrlPath` goes before them, as Streamlit does with its own."""

from starlette.requests import Request
from starlette.responses import RedirectResponse
from streamlit import config


def with_base(path: str) -> str:
    """`/amad/...` with the configured base path before it, for the route table and for the browser alike."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path


async def first_page(request: Request) -> RedirectResponse:
    """GET /series: the first page by its name, as whoever types it or changes a link expects; Streamlit has it at the root alone."""
    query = request.url.query
    return RedirectResponse(with_base("/") + (f"?{query}" if query else ""))
