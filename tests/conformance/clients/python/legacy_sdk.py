"""Driver of the vendor's older Python SDK.

Variants: `json-get`, `json-post`, `xml-get`, `xml-post` by its CommonRequest, the last two with XML answers, and
`product-post` by the class that the SDK's product packages build on. POST puts business parameters into a form body.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest, RpcRequest
from driver import Account, Call, Refusal, flattened, run


def connect(account: Account, variant: str) -> Call:
    """A caller of this SDK."""
    kind, method = variant.split("-")
    host, port = account.endpoint.split(":")
    client = AcsClient(
        account.access_key_id, account.access_key_secret, "cn-hangzhou", port=int(port), auto_retry=False
    )

    def call(action: str, version: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if kind == "product":
            request = RpcRequest("ResourceDirectoryMaster", version, action)
            request.set_endpoint(host)
        else:
            request = CommonRequest(domain=host, version=version, action_name=action)
        request.set_accept_format("XML" if kind == "xml" else "JSON")
        request.set_method(method.upper())
        request.set_protocol_type("http")
        put = request.add_body_params if method == "post" else request.add_query_param
        for name, text in flattened(parameters).items():
            put(name, text)
        if kind != "xml":
            try:
                return json.loads(client.do_action_with_exception(request))
            except ServerException as error:
                raise Refusal(
                    status=error.get_http_status(),
                    code=error.get_error_code(),
                    message=error.get_error_msg(),
                    request_id=error.get_request_id(),
                ) from error
        # The method above asks for JSON whatever was set; this one hands over what came.
        status, _, answer = client.get_response(request)
        body = as_json(ET.fromstring(answer))
        if status >= 400:
            raise Refusal(status=status, code=body["Code"], message=body["Message"], request_id=body["RequestId"])
        return body

    return call


def as_json(element: ET.Element) -> Any:
    """An XML answer as nested objects of texts; an element that occurs more than once becomes a list."""
    if len(element) == 0:
        return element.text or ""
    fields: dict[str, Any] = {}
    for child in element:
        value = as_json(child)
        if child.tag not in fields:
            fields[child.tag] = value
        elif isinstance(fields[child.tag], list):
            fields[child.tag].append(value)
        else:
            fields[child.tag] = [fields[child.tag], value]
    return fields


if __name__ == "__main__":
    run(connect)
