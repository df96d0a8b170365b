"""The call in Python: with the vendor's SDK of the product, or by its generic calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from message_contacts.console.site.samples.call import (
    KEY_ID,
    KEY_SECRET,
    REGION,
    Argument,
    SampleCall,
    sdk_name,
)
from message_contacts.console.site.samples.literals import python_literal
from message_contacts.operations.registry import RAM, RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER, STS, Kind

#: The vendor's package of each version: name in the index, name to import.
PACKAGES = {
    RESOURCE_DIRECTORY_MASTER: (
        "alibabacloud-resourcedirectorymaster20220419",
        "alibabacloud_resourcedirectorymaster20220419",
    ),
    RESOURCE_MANAGER: ("alibabacloud-resourcemanager20200331", "alibabacloud_resourcemanager20200331"),
    RAM: ("alibabacloud-ram20150501", "alibabacloud_ram20150501"),
    STS: ("alibabacloud-sts20150401", "alibabacloud_sts20150401"),
}


def package(call: SampleCall) -> str:
    """What has to be installed for `sdk`."""
    found = PACKAGES.get(call.version)
    return found[0] if found else "alibabacloud-tea-openapi"


def sdk(call: SampleCall) -> str:
    """A program with the vendor's SDK of the product; with its core for what has none."""
    return "\n".join(_typed(call) if call.version in PACKAGES else _generic(call)) + "\n"


def common_request(call: SampleCall) -> str:
    """A program with CommonRequest of the vendor's older SDK."""
    endpoint = call.endpoint
    port = "" if endpoint.port is None else f", port={endpoint.port}"
    lines = [
        "import json",
        "import os",
        "",
        "from aliyunsdkcore.client import AcsClient",
        "from aliyunsdkcore.request import CommonRequest",
        "",
        "client = AcsClient(",
        f'    os.environ["{KEY_ID}"],',
        f'    os.environ["{KEY_SECRET}"],',
        f'    "{REGION}"{port},',
        ")",
        "request = CommonRequest(",
        f"    domain={python_literal(endpoint.host)},",
        f'    version="{call.version}",',
        f'    action_name="{call.action}",',
        ")",
        'request.set_method("POST")',
        f'request.set_protocol_type("{endpoint.scheme}")',
        *(f'request.add_body_params("{name}", {python_literal(text)})' for name, text in call.flat.items()),
        "answer = json.loads(client.do_action_with_exception(request))",
        "print(json.dumps(answer, ensure_ascii=False, indent=2))",
    ]
    return "\n".join(lines) + "\n"


def _config(call: SampleCall) -> Iterator[str]:
    yield "client = Client("
    yield "    Config("
    yield f'        access_key_id=os.environ["{KEY_ID}"],'
    yield f'        access_key_secret=os.environ["{KEY_SECRET}"],'
    yield f"        endpoint={python_literal(call.endpoint.authority)},"
    yield f'        protocol="{call.endpoint.scheme}",'
    yield "    )"
    yield ")"


def _typed(call: SampleCall) -> Iterator[str]:
    _, module = PACKAGES[call.version]
    # The SDKs have no request classes for operations without parameters.
    takes_request = bool(call.operation.parameters)
    yield "import json"
    yield "import os"
    yield ""
    if takes_request:
        yield f"from {module} import models"
    yield f"from {module}.client import Client"
    yield "from alibabacloud_tea_openapi.utils_models import Config"
    yield ""
    yield from _config(call)
    argument = ""
    if takes_request:
        argument = "request"
        if call.arguments:
            yield f"request = models.{call.action}Request("
            for name, value in call.arguments.items():
                yield from _keyword(call, name, value)
            yield ")"
        else:
            yield f"request = models.{call.action}Request()"
    yield f"answer = client.{sdk_name(call.action)}({argument}).body.to_map()"
    yield "print(json.dumps(answer, ensure_ascii=False, indent=2))"


def _keyword(call: SampleCall, name: str, value: Argument) -> Iterator[str]:
    keyword = sdk_name(name)
    if isinstance(value, str):
        yield f"    {keyword}={_scalar(call.kind(name), value)},"
        return
    yield f"    {keyword}=["
    for item in value:
        if isinstance(item, Mapping):
            fields = ", ".join(f"{sdk_name(key)}={python_literal(text)}" for key, text in item.items())
            yield f"        models.{call.action}Request{name}({fields}),"
        else:
            yield f"        {python_literal(item)},"
    yield "    ],"


def _scalar(kind: Kind, text: str) -> str:
    """A number or a truth where it is spelled as one; anything else goes out as it is, for the service to judge."""
    if kind is Kind.BOOLEAN and text in ("true", "false"):
        return text.capitalize()
    if kind is Kind.INTEGER and text.isascii() and text.isdigit() and str(int(text)) == text:
        return text
    return python_literal(text)


def _generic(call: SampleCall) -> Iterator[str]:
    yield "import json"
    yield "import os"
    yield ""
    yield "from alibabacloud_tea_openapi.client import Client"
    yield "from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params"
    yield "from darabonba.runtime import RuntimeOptions"
    yield ""
    yield from _config(call)
    yield "operation = Params("
    yield f'    action="{call.action}",'
    yield f'    version="{call.version}",'
    yield f'    protocol="{call.endpoint.scheme.upper()}",'
    yield '    pathname="/",'
    yield '    method="POST",'
    yield '    auth_type="AK",'
    yield '    style="RPC",'
    yield '    req_body_type="formData",'
    yield '    body_type="json",'
    yield ")"
    flat = call.flat
    if flat:
        yield "request = OpenApiRequest("
        yield "    body={"
        for name, text in flat.items():
            yield f'        "{name}": {python_literal(text)},'
        yield "    }"
        yield ")"
    else:
        yield "request = OpenApiRequest()"
    yield 'answer = client.call_api(operation, request, RuntimeOptions())["body"]'
    yield "print(json.dumps(answer, ensure_ascii=False, indent=2))"
