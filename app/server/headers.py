"""Security headers on every answer, and our own hand on compression for our own routes."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.address import with_base

# Streamlit needs inline styles, blob modules (inline component code) and, for Vega, eval; nothing may come from, or go
# to, another host.
PAGE_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
NOT_KEPT = {"cache-control": "no-store"}  # of an answer that is true only now


class SecurityHeaders:
    """Adds nosniff, referrer policy and a content policy to every HTTP answer that does not bring its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ours = scope["path"].startswith(with_base("/amad/"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cross-origin-opener-policy", "same-origin")
                headers.setdefault("content-security-policy", DATA_POLICY if ours else PAGE_POLICY)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnCompression:
    """Keeps Streamlit's gzip (slow on numbers) from our routes; they compress themselves where it helps.

    A route finds in `scope["amad.gzip"]` whether the browser takes gzip.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(with_base("/amad/")):
            takes = "gzip" in Headers(scope=scope).get("accept-encoding", "")
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
            scope = {**scope, "headers": kept, "amad.gzip": takes}
        await self.app(scope, receive, send)


def middleware() -> list[Middleware]:
    """What wraps Streamlit's own middleware, outermost first."""
    return [Middleware(SecurityHeaders), Middleware(OwnCompression)]
