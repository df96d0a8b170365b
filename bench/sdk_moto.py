"""Calls moto_server through boto3, one call after the other, and prints calls and seconds. Runs in moto's environment.

Arguments: endpoint, `put` or `get`, seconds.
"""

from __future__ import annotations

import json
import sys
import time

# Installed where moto is, not beside the service.
import boto3  # type: ignore[import-not-found, unused-ignore]


def main() -> None:
    """Make as many calls as fit into the time."""
    endpoint, call, seconds = sys.argv[1:]
    client = boto3.client(
        "account",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )

    def put() -> bool:
        answer = client.put_alternate_contact(
            AlternateContactType="OPERATIONS",
            EmailAddress=f"t{count}@example.com",
            Name=f"Tom {count}",
            PhoneNumber="+8613900001234",
            Title="CEO",
        )
        return bool(answer["ResponseMetadata"]["HTTPStatusCode"] == 200)

    def get() -> bool:
        answer = client.get_alternate_contact(AlternateContactType="OPERATIONS")
        return bool(answer["AlternateContact"]["Name"])

    count = 0
    put()
    once = {"put": put, "get": get}[call]
    for _ in range(20):
        once()
    start = time.perf_counter()
    while time.perf_counter() - start < float(seconds):
        if not once():
            raise SystemExit("an unexpected answer")
        count += 1
    print(json.dumps({"calls": count, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
