"""The call in Go, with the vendor's core."""

from __future__ import annotations

from message_contacts.console.site.samples.call import KEY_ID, KEY_SECRET, SampleCall
from message_contacts.console.site.samples.literals import go_literal

PACKAGE = "github.com/alibabacloud-go/darabonba-openapi/v2"


def core(call: SampleCall) -> str:
    """A program with darabonba-openapi."""
    flat = call.flat
    width = max((len(name) for name in flat), default=0)
    body = [
        "\trequest := &openapi.OpenApiRequest{",
        "\t\tBody: map[string]any{",
        *(f'\t\t\t"{name}":{" " * (width - len(name) + 1)}{go_literal(text)},' for name, text in flat.items()),
        "\t\t},",
        "\t}",
    ]
    lines = [
        "package main",
        "",
        "import (",
        '\t"encoding/json"',
        '\t"fmt"',
        '\t"log"',
        '\t"os"',
        "",
        f'\topenapi "{PACKAGE}/client"',
        '\t"github.com/alibabacloud-go/tea/dara"',
        ")",
        "",
        "func main() {",
        "\tclient, err := openapi.NewClient(&openapi.Config{",
        f'\t\tAccessKeyId:     dara.String(os.Getenv("{KEY_ID}")),',
        f'\t\tAccessKeySecret: dara.String(os.Getenv("{KEY_SECRET}")),',
        f"\t\tEndpoint:        dara.String({go_literal(call.endpoint.authority)}),",
        f'\t\tProtocol:        dara.String("{call.endpoint.scheme.upper()}"),',
        "\t})",
        "\tif err != nil {",
        "\t\tlog.Fatal(err)",
        "\t}",
        "\toperation := &openapi.Params{",
        f'\t\tAction:      dara.String("{call.action}"),',
        f'\t\tVersion:     dara.String("{call.version}"),',
        f'\t\tProtocol:    dara.String("{call.endpoint.scheme.upper()}"),',
        '\t\tPathname:    dara.String("/"),',
        '\t\tMethod:      dara.String("POST"),',
        '\t\tAuthType:    dara.String("AK"),',
        '\t\tStyle:       dara.String("RPC"),',
        '\t\tReqBodyType: dara.String("formData"),',
        '\t\tBodyType:    dara.String("json"),',
        "\t}",
        *(body if flat else ["\trequest := &openapi.OpenApiRequest{}"]),
        "\tanswer, err := client.CallApi(operation, request, &dara.RuntimeOptions{})",
        "\tif err != nil {",
        "\t\tlog.Fatal(err)",
        "\t}",
        '\ttext, err := json.MarshalIndent(answer["body"], "", "  ")',
        "\tif err != nil {",
        "\t\tlog.Fatal(err)",
        "\t}",
        "\tfmt.Println(string(text))",
        "}",
    ]
    return "\n".join(lines) + "\n"
