"""Addresses of our routes: `server.baseUrlPath` goes before them, as Streamlit does with its own."""

from streamlit import config


def with_base(path: str) -> str:
    """`/amad/...` with the configured base path before it, for the route table and for the browser alike."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path
