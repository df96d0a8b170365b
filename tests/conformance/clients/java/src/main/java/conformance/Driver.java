package conformance;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Drivers of the vendor's two Java cores: reads one JSON line, makes one call through the client, writes one JSON line.
 *
 * <p>In: {action, version, parameters}, and access_key_id or access_key_secret where a call uses others than the
 * environment names. Out: {ok: true, body} or {ok: false, status, code, message, request_id}.
 *
 * <p>Usage: Driver tea|core
 */
public final class Driver {
    private static final Gson GSON = new Gson();

    /** Where to call and as whom. */
    record Account(String endpoint, String accessKeyId, String accessKeySecret) {}

    /** What one call came to. */
    record Answer(boolean ok, Object body, Integer status, String code, String message, String requestId) {
        static Answer of(Object body) {
            return new Answer(true, body, null, null, null, null);
        }

        static Answer refused(Integer status, String code, String message, String requestId) {
            return new Answer(false, null, status, code, message, requestId);
        }

        Map<String, Object> line() {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("ok", ok);
            line.put("body", body);
            line.put("status", status);
            line.put("code", code);
            line.put("message", message);
            line.put("request_id", requestId);
            line.values().removeIf(value -> value == null);
            return line;
        }
    }

    /** A client of the vendor. */
    interface Caller {
        Answer call(Account account, String action, String version, Map<String, Object> parameters) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Caller caller = arguments[0].equals("tea") ? new TeaOpenApi() : new JavaSdkCore();
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever a client prints must not look like an answer
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonObject request = GSON.fromJson(line, JsonObject.class);
            Account account = new Account(
                    System.getenv("CONFORMANCE_ENDPOINT"),
                    given(request, "access_key_id", System.getenv("CONFORMANCE_ACCESS_KEY_ID")),
                    given(request, "access_key_secret", System.getenv("CONFORMANCE_ACCESS_KEY_SECRET")));
            Map<String, Object> parameters =
                    GSON.fromJson(request.get("parameters"), new TypeToken<Map<String, Object>>() {}.getType());
            Answer answer = caller.call(
                    account,
                    request.get("action").getAsString(),
                    request.get("version").getAsString(),
                    flattened(parameters));
            output.println(GSON.toJson(answer.line()));
        }
        System.exit(0); // clients keep threads and connections
    }

    private static String given(JsonObject request, String name, String otherwise) {
        return request.has(name) && !request.get(name).isJsonNull() ? request.get(name).getAsString() : otherwise;
    }

    /** Parameters as these clients want them from callers: MessageTypes.1, Tag.1.Key, and text throughout. */
    private static Map<String, Object> flattened(Map<String, Object> parameters) {
        Map<String, Object> flat = new LinkedHashMap<>();
        parameters.forEach((name, value) -> {
            if (!(value instanceof List<?> items)) {
                flat.put(name, text(value));
                return;
            }
            for (int position = 0; position < items.size(); position++) {
                String key = name + "." + (position + 1);
                if (items.get(position) instanceof Map<?, ?> fields) {
                    fields.forEach((field, content) -> flat.put(key + "." + field, text(content)));
                } else {
                    flat.put(key, text(items.get(position)));
                }
            }
        });
        return flat;
    }

    private static String text(Object value) {
        return value instanceof Double number ? String.valueOf(number.longValue()) : String.valueOf(value);
    }
}
