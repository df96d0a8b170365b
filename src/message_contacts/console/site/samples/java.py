"""The call in Java, with the vendor's core."""

from __future__ import annotations

from message_contacts.console.site.samples.call import KEY_ID, KEY_SECRET, SampleCall
from message_contacts.console.site.samples.literals import java_literal

PACKAGE = "com.aliyun:tea-openapi"


def core(call: SampleCall) -> str:
    """A class `Sample` with tea-openapi."""
    lines = [
        "import com.aliyun.teaopenapi.Client;",
        "import com.aliyun.teaopenapi.models.Config;",
        "import com.aliyun.teaopenapi.models.OpenApiRequest;",
        "import com.aliyun.teaopenapi.models.Params;",
        "import com.aliyun.teautil.models.RuntimeOptions;",
        "import com.google.gson.GsonBuilder;",
        "import java.util.LinkedHashMap;",
        "import java.util.Map;",
        "",
        "public final class Sample {",
        "    public static void main(String[] arguments) throws Exception {",
        "        Config config = new Config()",
        f'                .setAccessKeyId(System.getenv("{KEY_ID}"))',
        f'                .setAccessKeySecret(System.getenv("{KEY_SECRET}"))',
        f"                .setEndpoint({java_literal(call.endpoint.authority)})",
        f'                .setProtocol("{call.endpoint.scheme}");',
        "        Params operation = new Params()",
        f'                .setAction("{call.action}")',
        f'                .setVersion("{call.version}")',
        f'                .setProtocol("{call.endpoint.scheme.upper()}")',
        '                .setPathname("/")',
        '                .setMethod("POST")',
        '                .setAuthType("AK")',
        '                .setStyle("RPC")',
        '                .setReqBodyType("formData")',
        '                .setBodyType("json");',
        "        Map<String, Object> body = new LinkedHashMap<>();",
        *(f'        body.put("{name}", {java_literal(text)});' for name, text in call.flat.items()),
        "        OpenApiRequest request = new OpenApiRequest().setBody(body);",
        "        Map<String, ?> answer = new Client(config).callApi(operation, request, new RuntimeOptions());",
        '        String text = new GsonBuilder().setPrettyPrinting().create().toJson(answer.get("body"));',
        "        System.out.println(text);",
        "        System.exit(0); // the client keeps threads",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"
