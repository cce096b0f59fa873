"""Style sheets and scripts: read once, kept compressed, named by their hash so that a browser keeps them for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    body: bytes
    packed: bytes
    media_type: str
    tag: str


class StaticFiles:
    """All files under `static/` that a page may name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES]
        self._files = {path.relative_to(folder).as_posix(): _load(path) for path in found}

    def url(self, name: str) -> str:
        return f"/static/{self._files[name].tag}/{name}"

    async def serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None or found.tag != request.path_params["tag"]:
            return Response(status_code=404)
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        packed = "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(found.packed if packed else found.body, headers=headers, media_type=found.media_type)


def _load(path: Path) -> StaticFile:
    body = path.read_bytes()
    tag = hashlib.sha256(body).hexdigest()[:12]
    return StaticFile(body, gzip.compress(body, 9, mtime=0), TYPES[path.suffix], tag)
