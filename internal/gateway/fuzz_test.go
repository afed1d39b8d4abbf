package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

// FuzzJSONRequest sends arbitrary bytes as an order. Whatever they are, the answer is 200, 400 or 413, an error is
// bounded and quotes no value, and what is let through is what a plain decoder makes of it.
func FuzzJSONRequest(f *testing.F) {
	const secret = "s3cr3t!hunter2"
	for _, seed := range []string{
		`{}`, ``, `null`, `[]`, `{"form":{}}`, `{"form":{"customerName":"` + secret + `"}}`,
		`{"form":{"customerName":["` + secret + `"]}}`, `{"` + secret + `":1}`, `{"form":"` + secret + `"}`,
		`{"form":{"lettersOfAuthorization":[{"fileName":"a.pdf","mimeType":"application/pdf","content":"` + strings.Repeat("QUJD", 20) + `"}]}}`,
		`{"form":{"lettersOfAuthorization":[{"content":"` + secret + `"}]},"trunkDid":{"dids":[{"number":"4165550123"}]}}`,
		`{"trunk_did":{"pilotNumber":"\u0041\ud83d\ude00"},"trunkDid":null}`, `{"createTime":"2026-01-31T15:04:05Z","state":5}`,
		`{"form":{"currentProviderId":"7","currentProviderNotMandatory":true}} x`, "{\"form\":\n{\"x\":\t\"" + secret + `"}`,
		`{"attempt":1e3,"needsAttention":false,"numbers":["a","b"]}`, "\ufeff{}", "{\"form\":{\"customerName\":\"\x00\xff\"}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		face := newFace(t, func(c *gateway.Config) { c.OpenAPI = nil })
		r := face.do(http.MethodPost, "/v1/port-ins?requestId="+key, string(body), "Content-Type: application/json")
		switch r.Code {
		case http.StatusOK:
			want := &portinv1.PortInOrder{}
			if err := protojson.Unmarshal(body, want); err != nil {
				t.Fatalf("%q was let through, and is refused by the plain decoder: %v", body, err)
			}
			sameMessage(t, &portinv1.PortInRequest{Order: want, RequestId: key}, face.service.onlyRequest(t))
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			errorOf(t, r)
			if strings.Contains(r.Body.String(), secret) || strings.Contains(face.log.String(), secret) {
				t.Errorf("a value is quoted: %s", r.Body)
			}
			if len(face.service.received()) != 0 {
				t.Error("the service was called")
			}
		default:
			t.Errorf("%q was answered %d", body, r.Code)
		}
	})
}
