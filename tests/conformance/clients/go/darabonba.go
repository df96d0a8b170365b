package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
)

// callDarabonba calls through the current core by its generic call. Variants: v3, and v1 (signature algorithm "v2",
// which is what it calls RPC v1).
func callDarabonba(who account, asked request) (answer, error) {
	config := &openapi.Config{
		AccessKeyId:     &who.accessKeyID,
		AccessKeySecret: &who.accessKeySecret,
		Endpoint:        &who.endpoint,
		Protocol:        dara.String("HTTP"),
	}
	if os.Getenv("CONFORMANCE_VARIANT") == "v1" {
		config.SignatureAlgorithm = dara.String("v2")
	}
	client, err := openapi.NewClient(config)
	if err != nil {
		return answer{}, err
	}
	params := &openapi.Params{
		Action:      &asked.Action,
		Version:     &asked.Version,
		Protocol:    dara.String("HTTP"),
		Pathname:    dara.String("/"),
		Method:      dara.String("POST"),
		AuthType:    dara.String("AK"),
		Style:       dara.String("RPC"),
		ReqBodyType: dara.String("formData"),
		BodyType:    dara.String("json"),
	}
	call := &openapi.OpenApiRequest{Query: openapiutil.Query(asked.Parameters)}
	result, err := client.CallApi(params, call, &dara.RuntimeOptions{})
	var refusal *tea.SDKError
	if errors.As(err, &refusal) && refusal.StatusCode != nil {
		var told struct{ RequestId string }
		if err := json.Unmarshal([]byte(tea.StringValue(refusal.Data)), &told); err != nil {
			return answer{}, err
		}
		return answer{
			Status:    tea.IntValue(refusal.StatusCode),
			Code:      tea.StringValue(refusal.Code),
			Message:   tea.StringValue(refusal.Message),
			RequestID: told.RequestId,
		}, nil
	}
	if err != nil {
		return answer{}, err
	}
	body, err := asObject(result["body"])
	return answer{OK: true, Body: body}, err
}

// asObject turns what the client parsed into plain JSON types.
func asObject(value any) (map[string]any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("the body is no object: %s", text)
	}
	return object, nil
}
