"""Style sheets and scripts: read once, served under names that change with their content."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"
_A_YEAR = "public, max-age=31536000, immutable"


class Files:
    """The files of `static/`."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._served: dict[str, tuple[bytes, str]] = {}
        self._names: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix not in {".css", ".js", ".svg"}:
                continue
            body = path.read_bytes()
            name = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
            kind = mimetypes.types_map[path.suffix]
            self._served[name] = (body, f"{kind}; charset=utf-8")
            self._names[path.name] = name

    def name(self, file: str) -> str:
        """Under which name a file is served. Raises: KeyError when there is none."""
        return self._names[file]

    async def answer(self, request: Request) -> Response:
        """One of the files, to be kept for good; they say nothing about anybody."""
        found = self._served.get(request.path_params["name"])
        if found is None:
            return Response(status_code=404)
        body, kind = found
        return Response(
            body, headers={"Content-Type": kind, "Cache-Control": _A_YEAR, "X-Content-Type-Options": "nosniff"}
        )
