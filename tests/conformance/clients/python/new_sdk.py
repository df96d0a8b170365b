"""Driver of the vendor's current Python SDK: typed operations where it has them, its generic call for all others.

Variants: `sync`, `async` (both V3 signatures), `v1` (`signature_algorithm="v2"`, which is what it calls RPC v1).
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from alibabacloud_resourcedirectorymaster20220419 import models
from alibabacloud_resourcedirectorymaster20220419.client import Client
from alibabacloud_tea_openapi import models as open_api_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from driver import Account, Call, Refusal, flattened, run

TYPED_VERSION = "2022-04-19"


def connect(account: Account, variant: str) -> Call:
    """A caller of this SDK."""
    config = open_api_models.Config(
        access_key_id=account.access_key_id,
        access_key_secret=account.access_key_secret,
        endpoint=account.endpoint,
        protocol="http",
    )
    if variant == "v1":
        config.signature_algorithm = "v2"
    client = Client(config)

    def call(action: str, version: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            if version != TYPED_VERSION:
                return client.call_api(*generic(action, version, parameters), RuntimeOptions())["body"]
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
            request_type = getattr(models, f"{action}Request", None)
            arguments = [request_type().from_map(parameters)] if request_type else []
            if variant == "async":
                return asyncio.run(getattr(client, f"{method}_async")(*arguments)).body.to_map()
            return getattr(client, method)(*arguments).body.to_map()
        except AlibabaCloudException as error:
            raise Refusal(
                status=error.status_code, code=error.code, message=error.message, request_id=error.request_id
            ) from error

    return call


def generic(action: str, version: str, parameters: dict[str, Any]) -> tuple[Params, OpenApiRequest]:
    """The same call for the client that knows no operation."""
    params = Params(
        action=action,
        version=version,
        protocol="HTTP",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    return params, OpenApiRequest(query=flattened(parameters))


if __name__ == "__main__":
    run(connect)
