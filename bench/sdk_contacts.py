"""Calls our server through the vendor's Python client, one after the other, and prints calls and seconds.

Arguments: endpoint, access key, secret, a contact's id, `add` or `get`, seconds.
"""

from __future__ import annotations

import json
import sys
import time

# The vendor's packages have no types.
from alibabacloud_resourcedirectorymaster20220419 import models  # type: ignore[import-untyped, unused-ignore]
from alibabacloud_resourcedirectorymaster20220419.client import Client  # type: ignore[import-untyped, unused-ignore]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-untyped, unused-ignore]

from bench.population import People


def main() -> None:
    """Make as many calls as fit into the time."""
    endpoint, key_id, secret, contact_id, call, seconds = sys.argv[1:]
    client = Client(Config(access_key_id=key_id, access_key_secret=secret, endpoint=endpoint, protocol="http"))
    people = People(f"client {time.time()}", newcomers=True)

    def add() -> bool:
        person = people.draw(0)
        answer = client.add_message_contact(
            models.AddMessageContactRequest(
                name=person.name,
                email_address=person.email_address,
                phone_number=person.phone_number,
                title=person.title,
                message_types=list(person.message_types),
            )
        )
        return bool(answer.body.contact.contact_id)

    def get() -> bool:
        answer = client.get_message_contact(models.GetMessageContactRequest(contact_id=contact_id))
        return bool(answer.body.contact.contact_id == contact_id)

    once = {"add": add, "get": get}[call]
    for _ in range(20):
        once()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < float(seconds):
        if not once():
            raise SystemExit("an unexpected answer")
        count += 1
    print(json.dumps({"calls": count, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
