"""The call in Node.js, with the vendor's core: there are no packages of these products for it."""

from __future__ import annotations

from message_contacts.console.site.samples.call import KEY_ID, KEY_SECRET, SampleCall
from message_contacts.console.site.samples.literals import javascript_literal

PACKAGE = "@alicloud/openapi-core"


def core(call: SampleCall) -> str:
    """A CommonJS program with `@alicloud/openapi-core`."""
    flat = call.flat
    body = ["  body: {", *(f"    '{name}': {javascript_literal(text)}," for name, text in flat.items()), "  },"]
    lines = [
        f"const {{ default: Client, $OpenApiUtil: models }} = require('{PACKAGE}');",
        "const { RuntimeOptions } = require('@darabonba/typescript');",
        "",
        "const client = new Client(new models.Config({",
        f"  accessKeyId: process.env.{KEY_ID},",
        f"  accessKeySecret: process.env.{KEY_SECRET},",
        f"  endpoint: {javascript_literal(call.endpoint.authority)},",
        f"  protocol: '{call.endpoint.scheme}',",
        "}));",
        "const operation = new models.Params({",
        f"  action: '{call.action}',",
        f"  version: '{call.version}',",
        f"  protocol: '{call.endpoint.scheme.upper()}',",
        "  pathname: '/',",
        "  method: 'POST',",
        "  authType: 'AK',",
        "  style: 'RPC',",
        "  reqBodyType: 'formData',",
        "  bodyType: 'json',",
        "});",
        "const request = new models.OpenApiRequest({",
        *(body if flat else []),
        "});",
        "",
        "async function main() {",
        "  const answer = await client.callApi(operation, request, new RuntimeOptions({}));",
        "  console.log(JSON.stringify(answer.body, null, 2));",
        "}",
        "",
        "main().then(() => process.exit(0), (error) => {",
        "  console.error(error);",
        "  process.exit(1);",
        "});",
    ]
    return "\n".join(lines) + "\n"
