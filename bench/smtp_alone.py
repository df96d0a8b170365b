"""aiosmtplib alone: sends one prepared mail again and again, over as many connections as ours would use for one tenant.

`python -m bench.smtp_alone PORT MAILS FILE`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiosmtplib
import uvloop

from message_contacts.delivery.pace import WorkerRules


async def send(port: int, mails: int, content: bytes) -> None:
    """Send that many mails."""
    numbers = iter(range(mails))

    async def lane() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, local_hostname="bench", start_tls=False)
        await client.connect()
        for number in numbers:
            await client.sendmail("contacts@example.com", [f"{number}@example.com"], content)
        await client.quit()

    await asyncio.gather(*(lane() for _ in range(WorkerRules().of_one_tenant)))


if __name__ == "__main__":
    uvloop.run(send(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes()))
