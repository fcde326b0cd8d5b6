"""Styles and scripts of the pages, which a browser may keep: their address changes with them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(str(resources.files("searchkit.pages"))) / "static"
KEEP = "max-age=31536000, immutable"


class KeptFiles(StaticFiles):
    """Files that never change under their address, so that a browser asks for each only once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that may be kept."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = KEEP
        return response


@cache
def kept_address() -> str:
    """Return the address under which pages find the files; another one for other contents."""
    paths = sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file())
    contents = hashlib.sha256()
    for path in paths:
        contents.update(path.relative_to(STATIC_FOLDER).as_posix().encode() + path.read_bytes())
    return f"/static/{contents.hexdigest()[:16]}"
