// Drivers of the vendor's two Go cores: reads one JSON line, makes one call through the client, writes one JSON line.
//
// In: {action, version, parameters}, and access_key_id or access_key_secret where a call uses others than the
// environment names. Out: {ok: true, body} or {ok: false, status, code, message, request_id}.
//
// Usage: driver darabonba|legacy
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

type account struct {
	endpoint, accessKeyID, accessKeySecret string
}

type request struct {
	Action          string         `json:"action"`
	Version         string         `json:"version"`
	Parameters      map[string]any `json:"parameters"`
	AccessKeyID     string         `json:"access_key_id"`
	AccessKeySecret string         `json:"access_key_secret"`
}

// answer is what one call came to; a refused call has no body.
type answer struct {
	OK        bool           `json:"ok"`
	Body      map[string]any `json:"body,omitempty"`
	Status    int            `json:"status,omitempty"`
	Code      string         `json:"code,omitempty"`
	Message   string         `json:"message,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
}

// A caller makes one call; its error means that the client failed in a way that no answer of a service explains.
type caller func(account, request) (answer, error)

func main() {
	call, known := map[string]caller{"darabonba": callDarabonba, "legacy": callLegacy}[os.Args[1]]
	if !known {
		log.Fatalf("no such client: %s", os.Args[1])
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		who := account{
			endpoint:        os.Getenv("CONFORMANCE_ENDPOINT"),
			accessKeyID:     either(asked.AccessKeyID, os.Getenv("CONFORMANCE_ACCESS_KEY_ID")),
			accessKeySecret: either(asked.AccessKeySecret, os.Getenv("CONFORMANCE_ACCESS_KEY_SECRET")),
		}
		told, err := call(who, asked)
		if err != nil {
			log.Fatalf("%s: %v", asked.Action, err)
		}
		if err := output.Encode(told); err != nil {
			log.Fatal(err)
		}
	}
}

func either(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
