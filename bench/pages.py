"""Server time and size of the console's first pages at 10,000 contacts and 10,000 members: `python -m bench.pages`.

The pages are asked for in this process, one at a time, without a network between; so are the parts that pages fetch
for themselves. Sheets and scripts, which browsers keep, are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from message_contacts.bootstrap import Service, build
from message_contacts.cli.logs import configure_logs
from message_contacts.console.site.areas import ROUTES
from message_contacts.settings import Settings

_KEY = ("MCbench", "bench-secret-of-the-console")
_TYPES = ("ServiceMessage", "FaultMessage", "AccountExpenses", "SecurityMessage", "ActivityMessage", "ProductMessage")


async def _main(contacts: int, members: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite:///{Path(folder) / 'contacts.db'}",
            root_access_key_id=_KEY[0],
            root_access_key_secret=_KEY[1],
            contacts_per_directory=contacts + 100,
            members_per_directory=members + 100,
            folders_per_directory=1_000,
            log_level="warning",
        )
        configure_logs(settings)
        async with await build(settings) as service:
            await service.first_start()
            account_id = (await service.services.access.accounts())[0].account_id
            await _fill(service, account_id, contacts, members)
            await _measure(service, rounds)


async def _fill(service: Service, account_id: str, contacts: int, members: int) -> None:
    async def call(operation: str, **given: Any) -> Any:
        return await service.invoke(operation, "2022-04-19", account_id, **given)

    folders = [
        (await call("CreateFolder", FolderName=f"folder-{number}"))["Folder"]["FolderId"] for number in range(50)
    ]
    nodes: list[str] = []
    for start in range(0, members, 200):
        made = await asyncio.gather(
            *(
                call("CreateResourceAccount", DisplayName=f"member-{number}", ParentFolderId=folders[number % 50])
                for number in range(start, min(start + 200, members))
            )
        )
        nodes += [entry["Account"]["AccountId"] for entry in made]
    for start in range(0, contacts, 200):
        numbers = range(start, min(start + 200, contacts))
        added = await asyncio.gather(
            *(
                call(
                    "AddMessageContact",
                    Name=_name(number),
                    EmailAddress=f"contact{number}@example.com",
                    Title="Other",
                    MessageTypes=[_TYPES[number % len(_TYPES)]],
                )
                for number in numbers
            )
        )
        bound = zip(numbers, added, strict=True)
        await asyncio.gather(
            *(
                call("AssociateMembers", ContactId=entry["Contact"]["ContactId"], Members=[nodes[number % len(nodes)]])
                for number, entry in bound
            )
        )


def _name(number: int) -> str:
    """Letters only, as names are."""
    letters = ""
    for _ in range(4):
        number, digit = divmod(number, 26)
        letters += chr(ord("a") + digit)
    return f"Contact{letters}"


async def _measure(service: Service, rounds: int) -> None:
    paths = [route.path for route in ROUTES if route.method == "GET" and "{" not in route.path]
    paths = [path for path in paths if path.count("/") == 1 or path.endswith(("/part", "/parts"))]
    signed_in = await _ask(
        service, "POST", "/console/sign-in", "", f"access_key_id={_KEY[0]}&access_key_secret={_KEY[1]}"
    )
    cookie = dict(signed_in[1])[b"set-cookie"].decode().partition(";")[0]
    print(f"{'page':<28}{'median ms':>10}{'most ms':>10}{'bytes':>10}")
    for path in paths:
        times, size = [], 0
        for _ in range(rounds):
            started = time.perf_counter()
            status, _, body = await _ask(service, "GET", f"/console{path}", cookie)
            times.append((time.perf_counter() - started) * 1_000)
            size = len(body)
            if status != 200:
                raise SystemExit(f"{path} answers {status}")
        print(f"{path:<28}{statistics.median(times):>10.1f}{max(times):>10.1f}{size:>10}")


async def _ask(
    service: Service, method: str, path: str, cookie: str, body: str = ""
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    headers = [(b"host", b"127.0.0.1:8080"), (b"accept-language", b"en"), (b"cookie", cookie.encode())]
    headers.append((b"content-type", b"application/x-www-form-urlencoded"))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50_000),
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }
    got: dict[str, Any] = {"status": 0, "headers": [], "body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            got["status"], got["headers"] = message["status"], message["headers"]
        else:
            got["body"] += message.get("body", b"")

    await service.app(scope, receive, send)
    return got["status"], got["headers"], got["body"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(_main(options.contacts, options.members, options.rounds))
