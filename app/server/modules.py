"""The instruments' ES modules: served under a hash of their content, so that the browser keeps them for good."""

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.server.address import with_base

_COMPONENTS = Path(__file__).resolve().parents[1] / "components"


def module_url(component: str, file: str = "index.js") -> str:
    """Path (from the server's root) of a module; the hash covers all modules of the component, as they import each other."""
    return with_base(f"/amad/modules/{component}/{fingerprint(component)}/{file}")


def loader(component: str) -> str:
    """The inline `js` of a component: it keeps one instrument on its host, as long as the host is on the page.

    `index.js`, imported from the address in `data.module`, exports `instrument(data)`, the class that these data want, and
    `show(instrument, component, old)`, which gives it what the page sent; `old` is what stood there before, or undefined. The
    class takes its host and has `remove()`. The instrument lies on the host, as modules come anew after an update of the app
    and must find what the older ones left there.
    """
    kept = f"amad{component.capitalize()}"
    return f"""// Loads the {component} instrument from our own route.
export default async function (component) {{
  const {{ parentElement: host, data }} = component;
  const address = new URL(data.module, window.location.origin).href;
  const {{ instrument, show }} = await import(address);
  const Wanted = instrument(data);
  const old = host.{kept};
  if (!(old instanceof Wanted)) {{
    old?.remove();
    host.{kept} = new Wanted(host);
  }}
  const held = host.{kept};
  show(held, component, old);
  return () => {{
    // A cleanup may also belong to a call that newer data overtook; only a host that left the page is cleared.
    setTimeout(() => {{
      if (!host.isConnected && host.{kept} === held) {{
        delete host.{kept};
        held.remove();
      }}
    }}, 0);
  }};
}}
"""


def fingerprint(component: str) -> str:
    """First 16 hex digits of a hash over names and contents of the component's modules."""
    files = _files(component)
    return _hash(tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files.values()))


def serve(request: Request) -> Response:
    """GET /amad/modules/<component>/<hash>/<file>.js (or without the hash, never cached)."""
    path = _files(request.path_params["component"]).get(request.path_params["file"])
    if path is None:
        return PlainTextResponse("No such module.", status_code=404)
    current = request.path_params.get("hash") == fingerprint(request.path_params["component"])
    kept = "public, max-age=31536000, immutable" if current else "no-store"
    return Response(path.read_bytes(), media_type="text/javascript; charset=utf-8", headers={"cache-control": kept})


def _files(component: str) -> dict[str, Path]:
    # Names are looked up in a listing, never joined to a path: no request can leave the folder.
    folders = {folder.name: folder for folder in _COMPONENTS.iterdir() if folder.is_dir()}
    folder = folders.get(component)
    return {path.name: path for path in sorted(folder.glob("*.js"))} if folder else {}


@lru_cache(maxsize=32)
def _hash(stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in stamps:
        digest.update(Path(name).name.encode() + b"\0" + Path(name).read_bytes() + b"\0")
    return digest.hexdigest()[:16]
