"""Driver that calls the way the Terraform provider does, without the vendor's code: for machines that have only Python.

Common parameters and the signature go into the query, business parameters into the form; POST, v1, `Format=json`.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import uuid
from typing import Any
from urllib.parse import quote, urlencode

from driver import Account, Call, Refusal, flattened, run


def connect(account: Account, variant: str) -> Call:
    """A caller of that kind; it has one variant, `form`."""
    if variant != "form":
        raise ValueError(variant)

    def call(action: str, version: str, parameters: dict[str, Any]) -> dict[str, Any]:
        form = flattened(parameters)
        query = {
            "Action": action,
            "Version": version,
            "Format": "json",
            "Timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SignatureNonce": uuid.uuid4().hex,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "AccessKeyId": account.access_key_id,
        }
        query["Signature"] = signature("POST", query | form, account.access_key_secret)
        connection = http.client.HTTPConnection(account.endpoint, timeout=10)
        try:
            headers = {"content-type": "application/x-www-form-urlencoded", "x-acs-action": action}
            connection.request("POST", "/?" + urlencode(query, quote_via=quote), urlencode(form), headers)
            response = connection.getresponse()
            body = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise Refusal(
                status=response.status, code=body["Code"], message=body["Message"], request_id=body["RequestId"]
            )
        return body

    return call


def signature(method: str, parameters: dict[str, str], secret: str) -> str:
    """The v1 signature over query and form together."""
    canonical = "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))
    text = f"{method}&%2F&{quote(canonical, safe='~')}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), hashlib.sha1)).decode()


if __name__ == "__main__":
    run(connect)
