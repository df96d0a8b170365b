"""A mail server that takes everything and keeps nothing: `python -m bench.smtp_sink PORT`.

Offers what all common mail servers do, pipelining (RFC 2920) among it, and answers as they do: all that came together
at once.

`XCOUNT` answers with the mails taken so far and the moments of the first and the last one, then counts anew. With
`--addresses` it keeps to which addresses they went, and `XADDRESSES` answers with their number, then forgets them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import uvloop

_END = b"\r\n.\r\n"


class Counts:
    """What was taken."""

    def __init__(self, *, with_addresses: bool = False) -> None:
        #: None: they are not kept.
        self.addresses: set[bytes] | None = set() if with_addresses else None
        self.mails = 0
        self.first = self.last = 0.0

    def taken(self) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.mails += 1

    def addresses_told(self) -> bytes:
        answer = f"250 {len(self.addresses or ())}\r\n".encode()
        if self.addresses is not None:
            self.addresses.clear()
        return answer

    def told(self) -> bytes:
        answer = f"250 {self.mails} {self.first:.6f} {self.last:.6f}\r\n".encode()
        self.mails, self.first, self.last = 0, 0.0, 0.0
        return answer


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._buffer = b""
        self._in_data = False
        self._answers: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take():
            pass
        answers, self._answers = self._answers, []
        self._transport.write(b"".join(answers))
        if b"221 bye\r\n" in answers:
            self._transport.close()

    def _take(self) -> bool:
        if self._in_data:
            end = self._buffer.find(_END)
            if end < 0:
                return False
            self._buffer = self._buffer[end + len(_END) :]
            self._in_data = False
            self._counts.taken()
            self._write(b"250 taken\r\n")
            return True
        line, parting, rest = self._buffer.partition(b"\r\n")
        if not parting:
            return False
        self._buffer = rest
        self._answer(line.upper())
        return True

    def _answer(self, line: bytes) -> None:
        if line.startswith(b"DATA"):
            self._in_data = True
            self._write(b"354 go on\r\n")
        elif line.startswith(b"XCOUNT"):
            self._write(self._counts.told())
        elif line.startswith(b"XADDRESSES"):
            self._write(self._counts.addresses_told())
        elif self._counts.addresses is not None and line.startswith(b"RCPT"):
            self._counts.addresses.add(line)
            self._write(b"250 ok\r\n")
        elif line.startswith(b"QUIT"):
            self._write(b"221 bye\r\n")
        elif line.startswith(b"EHLO"):
            self._write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        else:
            self._write(b"250 ok\r\n")

    def _write(self, answer: bytes) -> None:
        self._answers.append(answer)


async def serve(port: int, *, with_addresses: bool) -> None:
    """Take mails until the process is ended."""
    counts = Counts(with_addresses=with_addresses)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(counts), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), with_addresses="--addresses" in sys.argv))
