package gateway

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
)

func TestOpenAPIKnowsTheStatuses(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../gen/openapi/portin.openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	documented := document.Paths["/v1/port-ins"]["post"].Responses
	if len(documented) < 10 {
		t.Fatalf("the document has %d answers of PortIn, this test is blind", len(documented))
	}

	answered := map[int]bool{200: true, 202: true}
	for _, status := range slices.Concat(httpStatuses[:], slices.Collect(maps.Values(reasonStatuses))) {
		answered[status] = true
	}
	for name := range documented {
		if status, err := strconv.Atoi(name); name != "default" && (err != nil || !answered[status]) {
			t.Errorf("the document has %s, which the gateway does not answer", name)
		}
	}
	// Nobody is there to read the answer to a client that left.
	for status := range answered {
		if _, ok := documented[strconv.Itoa(status)]; !ok && status != statusClientLeft {
			t.Errorf("the gateway answers %d, which the document does not have", status)
		}
	}
}
