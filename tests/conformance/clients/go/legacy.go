package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// callLegacy calls through the older SDK, on which the command line client stands, by its CommonRequest. Variants:
// get, post (parameters in the query, as the command line client sends them), form (business parameters in the body).
func callLegacy(who account, asked request) (answer, error) {
	client, err := sdk.NewClientWithAccessKey("cn-hangzhou", who.accessKeyID, who.accessKeySecret)
	if err != nil {
		return answer{}, err
	}
	variant := os.Getenv("CONFORMANCE_VARIANT")
	call := requests.NewCommonRequest()
	call.Scheme = "http"
	call.Domain = who.endpoint
	call.Version = asked.Version
	call.ApiName = asked.Action
	call.Method = "POST"
	if variant == "get" {
		call.Method = "GET"
	}
	parameters := call.QueryParams
	if variant == "form" {
		parameters = call.FormParams
	}
	flatten(parameters, asked.Parameters)
	response, err := client.ProcessCommonRequest(call)
	var refusal *sdkerrors.ServerError
	if errors.As(err, &refusal) {
		return answer{
			Status:    refusal.HttpStatus(),
			Code:      refusal.ErrorCode(),
			Message:   refusal.Message() + recommended(refusal),
			RequestID: refusal.RequestId(),
		}, nil
	}
	if err != nil {
		return answer{}, err
	}
	var body map[string]any
	err = json.Unmarshal(response.GetHttpContentBytes(), &body)
	return answer{OK: true, Body: body}, err
}

// recommended is the client's own diagnosis of a signature that did not match, which it makes from our text.
func recommended(refusal *sdkerrors.ServerError) string {
	if refusal.ErrorCode() == sdkerrors.SignatureDostNotMatchErrorCode {
		return " | " + refusal.Recommend()
	}
	return ""
}

func flatten(into map[string]string, parameters map[string]any) {
	for name, value := range parameters {
		items, isList := value.([]any)
		if !isList {
			into[name] = fmt.Sprint(value)
		}
		for position, item := range items {
			key := fmt.Sprintf("%s.%d", name, position+1)
			fields, isObject := item.(map[string]any)
			if !isObject {
				into[key] = fmt.Sprint(item)
			}
			for field, text := range fields {
				into[key+"."+field] = fmt.Sprint(text)
			}
		}
	}
}
