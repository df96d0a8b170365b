"""Reading small forms that browsers send, and telling whether one of our pages sent them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

#: Bytes of a form that are read.
LONGEST_FORM = 4096
_MOST_FIELDS = 10


class FormRefused(Exception):  # noqa: N818 - an answer, not an error
    """A form that is not accepted.

    Attributes:
        trouble: `origin` when another site sent it, `form` when it cannot be read.
        status: HTTP status of the answer.
    """

    def __init__(self, trouble: str, status: int) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.status = status


def is_from_elsewhere(headers: Mapping[str, str], *, own_origin: str) -> bool:
    """Whether a browser says that another site's page sent the request.

    Our pages forbid the referrer, so browsers send `Origin: null` with their forms; `Sec-Fetch-Site` tells then. Old
    browsers send neither: the token in the path is the authority anyway, and there are no cookies to be ridden on.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin in {None, "null", own_origin}:
        return False
    # Reached under another name than PUBLIC_URL's, by a proxy or in a test: the page's own name is fine too.
    return urlsplit(origin).netloc != headers.get("host")


async def read_form(request: Request, *, most_fields: int = _MOST_FIELDS) -> Mapping[str, str]:
    """The fields of a URL-encoded form; the last one of a name counts.

    Raises: FormRefused when the body is too long or something else.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise FormRefused("form", 413)
    if not body:
        return {}  # a button without fields
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormRefused("form", 415)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=most_fields)
    except ValueError:
        raise FormRefused("form", 400) from None
    return dict(pairs)
