package conformance;

import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.util.HashMap;
import java.util.Map;

/**
 * The current core, by its generic call. Variants: v3, and v1 (signature algorithm "v2", which is what it calls RPC v1).
 */
final class TeaOpenApi implements Driver.Caller {
    @Override
    public Driver.Answer call(
            Driver.Account account, String action, String version, Map<String, Object> parameters) throws Exception {
        Config config = new Config()
                .setAccessKeyId(account.accessKeyId())
                .setAccessKeySecret(account.accessKeySecret())
                .setEndpoint(account.endpoint())
                .setProtocol("http");
        if (System.getenv("CONFORMANCE_VARIANT").equals("v1")) {
            config.setSignatureAlgorithm("v2");
        }
        Params params = new Params()
                .setAction(action)
                .setVersion(version)
                .setProtocol("HTTP")
                .setPathname("/")
                .setMethod("POST")
                .setAuthType("AK")
                .setStyle("RPC")
                .setReqBodyType("formData")
                .setBodyType("json");
        Map<String, String> query = new HashMap<>();
        parameters.forEach((name, value) -> query.put(name, value.toString()));
        try {
            Map<String, ?> answer =
                    new Client(config).callApi(params, new OpenApiRequest().setQuery(query), new RuntimeOptions());
            return Driver.Answer.of(answer.get("body"));
        } catch (TeaException refusal) {
            Object requestId = refusal.getData() == null ? null : refusal.getData().get("RequestId");
            return Driver.Answer.refused(
                    refusal.getStatusCode(),
                    refusal.getCode(),
                    refusal.getMessage(),
                    requestId == null ? null : requestId.toString());
        }
    }
}
