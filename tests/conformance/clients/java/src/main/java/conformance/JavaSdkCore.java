package conformance;

import com.aliyuncs.AcsResponse;
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.RpcAcsRequest;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.FormatType;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.aliyuncs.regions.ProductDomain;
import com.aliyuncs.transform.UnmarshallerContext;
import com.google.gson.Gson;
import java.util.Map;

/**
 * The older core. Variants: get, post (parameters in the query) and form (parameters in the body) by its CommonRequest,
 * and product by the class that its product packages build on (POST, parameters in the query).
 */
final class JavaSdkCore implements Driver.Caller {
    @Override
    public Driver.Answer call(
            Driver.Account account, String action, String version, Map<String, Object> parameters) throws Exception {
        var profile = DefaultProfile.getProfile("cn-hangzhou", account.accessKeyId(), account.accessKeySecret());
        var client = new DefaultAcsClient(profile);
        try {
            String answer = System.getenv("CONFORMANCE_VARIANT").equals("product")
                    ? client.getAcsResponse(productRequest(account, action, version, parameters)).content
                    : client.getCommonResponse(commonRequest(account, action, version, parameters)).getData();
            return Driver.Answer.of(new Gson().fromJson(answer, Map.class));
        } catch (ClientException refusal) {
            // This client does not tell the status.
            return Driver.Answer.refused(null, refusal.getErrCode(), refusal.getErrMsg(), refusal.getRequestId());
        }
    }

    private static CommonRequest commonRequest(
            Driver.Account account, String action, String version, Map<String, Object> parameters) {
        String variant = System.getenv("CONFORMANCE_VARIANT");
        CommonRequest request = new CommonRequest();
        request.setSysDomain(account.endpoint());
        request.setSysVersion(version);
        request.setSysAction(action);
        request.setSysProtocol(ProtocolType.HTTP);
        request.setSysMethod(variant.equals("get") ? MethodType.GET : MethodType.POST);
        request.setHttpContentType(FormatType.FORM);
        parameters.forEach((name, value) -> {
            if (variant.equals("form")) {
                request.putBodyParameter(name, value);
            } else {
                request.putQueryParameter(name, value.toString());
            }
        });
        return request;
    }

    private static ProductRequest productRequest(
            Driver.Account account, String action, String version, Map<String, Object> parameters) {
        ProductRequest request = new ProductRequest(version, action);
        request.setSysProductDomain(new ProductDomain("ResourceDirectoryMaster", account.endpoint()));
        request.setSysProtocol(ProtocolType.HTTP);
        request.setSysMethod(MethodType.POST);
        parameters.forEach(request::putQueryParameter);
        return request;
    }

    /** A request as a product package would declare it. */
    private static final class ProductRequest extends RpcAcsRequest<ProductResponse> {
        ProductRequest(String version, String action) {
            super("ResourceDirectoryMaster", version, action);
        }

        @Override
        public Class<ProductResponse> getResponseClass() {
            return ProductResponse.class;
        }
    }

    /** Its answer, as it came. */
    public static final class ProductResponse extends AcsResponse {
        private String content;

        @Override
        public ProductResponse getInstance(UnmarshallerContext context) {
            try {
                content = context.getHttpResponse().getHttpContentString();
            } catch (ClientException unreadable) {
                throw new IllegalStateException(unreadable);
            }
            return this;
        }
    }
}
