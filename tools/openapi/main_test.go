package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// fixture is a contract of two services with three targets, as the generator describes it in testdata/raw.
func fixture(t *testing.T) ([]part, contract) {
	t.Helper()
	parts, err := readParts(os.DirFS(filepath.Join("testdata", "raw")))
	if err != nil {
		t.Fatal(err)
	}
	return parts, contract{
		choices: map[string][]string{
			orderMessage:           {"trunkDid", "virtualFax", "residentialLine"},
			"portin.v1.Resolution": {"ticketId", "notPlaced"},
			"portin.v1.Unseen":     {"a", "b"},
		},
		rules: map[string][]rule{
			"portin.v1.GetPortInOrderRequest": {{field: "order_id", member: "orderId", keywords: object{"format": "uuid"}}},
			"portin.v1.PortForm": {
				{field: "customer_name", member: "customerName", keywords: object{"minLength": 1, "maxLength": 200}},
				{field: "due_date", member: "dueDate", notes: []string{"At least today."}},
			},
			"portin.v1.TrunkDid": {{
				field: "numbers", member: "numbers", keywords: object{"minItems": 1}, items: &rule{keywords: object{"maxLength": 40}},
			}},
			"portin.v1.WatchPortInOrdersRequest": {
				{field: "states", member: "states", items: &rule{without: []string{"ORDER_STATE_UNSPECIFIED"}}},
				{field: "resume_token", member: "resumeToken", keywords: object{"maxLength": 1024}},
			},
		},
		reasons: []string{
			"INVALID_FIELDS", "CARRIER_CREDENTIALS", "METHOD_NOT_ALLOWED", "REQUEST_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "NOT_OFFERED",
		},
		requests: map[string]string{
			"OperatorService_ResolveInDoubt":  "portin.v1.ResolveInDoubtRequest",
			"PortInService_GetPortInOrder":    "portin.v1.GetPortInOrderRequest",
			"PortInService_PortIn":            "portin.v1.PortInRequest",
			"PortInService_WatchPortInOrders": "portin.v1.WatchPortInOrdersRequest",
		},
		streams: map[string]bool{"PortInService_WatchPortInOrders": true},
	}
}

// load parses and validates a finished document with a library that does not know how it was made.
func load(t *testing.T, data []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatalf("the document does not load: %v", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("the document is not valid: %v", err)
	}
	return doc
}

func TestFinish(t *testing.T) {
	t.Parallel()
	parts, facts := fixture(t)
	data, err := finish(parts, facts)
	if err != nil {
		t.Fatal(err)
	}
	doc := load(t, data)

	t.Run("one document of both services", func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff([]string{
			"/v1/port-ins", "/v1/port-ins/{order_id}", "/v1/port-ins/{order_id}:resolveInDoubt", "/v1/port-ins:watch",
		}, doc.Paths.InMatchingOrder(), sorted); diff != "" {
			t.Errorf("paths (-want +got):\n%s", diff)
		}
		if doc.Info.Title != "portin" || doc.Info.Version != "v1" {
			t.Errorf("info is %q %q", doc.Info.Title, doc.Info.Version)
		}
	})
	t.Run("a branch for each arm and none for no arm", func(t *testing.T) {
		t.Parallel()
		for message, want := range map[string][]string{
			orderMessage:           {"trunkDid", "virtualFax", "residentialLine"},
			"portin.v1.Resolution": {"ticketId", "notPlaced"},
		} {
			var got []string
			for _, branch := range doc.Components.Schemas[message].Value.OneOf {
				got = append(got, branch.Value.Required...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", message, diff)
			}
		}
	})
	t.Run("placing", func(t *testing.T) {
		t.Parallel()
		placing := doc.Paths.Value("/v1/port-ins").Post
		if diff := cmp.Diff([]string{
			"200", "202", "400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "500", "501", "503", "504", "default",
		}, placing.Responses.Keys(), sorted); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
		schema := func(status string) string {
			return placing.Responses.Value(status).Value.Content.Get("application/json").Schema.Ref
		}
		if want := "#/components/schemas/portin.v1.PortInOrderAnswer"; schema("200") != want || schema("202") != want {
			t.Errorf("200 answers %q and 202 %q, want both %q", schema("200"), schema("202"), want)
		}
		if key := placing.Parameters.GetByInAndName("header", "Idempotency-Key"); key == nil || key.Required {
			t.Errorf("want an optional header Idempotency-Key, found %+v", key)
		}
		if want := "Places an order."; placing.Summary != want {
			t.Errorf("summary is %q, want %q", placing.Summary, want)
		}
		if want := "It answers once it is known what became of it.\n\nMore words."; placing.Description != want {
			t.Errorf("description is %q, want %q", placing.Description, want)
		}
	})
	t.Run("a call without a body", func(t *testing.T) {
		t.Parallel()
		get := doc.Paths.Value("/v1/port-ins/{order_id}").Get
		if diff := cmp.Diff([]string{
			"200", "400", "401", "403", "404", "405", "422", "429", "500", "501", "503", "504", "default",
		}, get.Responses.Keys(), sorted); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
		if get.Parameters.GetByInAndName("header", "Idempotency-Key") != nil {
			t.Error("only the placing call has an idempotency key")
		}
	})
	t.Run("headers of failures", func(t *testing.T) {
		t.Parallel()
		responses := doc.Paths.Value("/v1/port-ins").Post.Responses
		for status, header := range map[string]string{
			"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After",
		} {
			if responses.Value(status).Value.Headers[header] == nil {
				t.Errorf("%s comes without %s", status, header)
			}
		}
		if want, got := "The reason is UNSUPPORTED_MEDIA_TYPE.", *responses.Value("415").Value.Description; !strings.Contains(got, want) {
			t.Errorf("415 is described as %q, want in it %q", got, want)
		}
	})
	t.Run("the trace header both ways", func(t *testing.T) {
		t.Parallel()
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				if operation.Parameters.GetByInAndName("header", "x-request-id") == nil {
					t.Errorf("%s %s takes no x-request-id", method, path)
				}
				for status, response := range operation.Responses.Map() {
					if response.Value.Headers["x-request-id"] == nil {
						t.Errorf("%s %s answers %s without x-request-id", method, path, status)
					}
				}
			}
		}
	})
	t.Run("streams", func(t *testing.T) {
		t.Parallel()
		content := doc.Paths.Value("/v1/port-ins:watch").Get.Responses.Value("200").Value.Content
		var got []string
		for mediaType := range content {
			got = append(got, mediaType)
		}
		if diff := cmp.Diff([]string{"application/x-ndjson", "text/event-stream"}, got, sorted); diff != "" {
			t.Errorf("media types (-want +got):\n%s", diff)
		}
	})
	t.Run("error details", func(t *testing.T) {
		t.Parallel()
		status := doc.Components.Schemas[statusSchema].Value
		for _, example := range []struct{ name, json, wrong string }{
			{name: "reason", json: `{"code":9,"message":"m","details":[
				{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CARRIER_CREDENTIALS","domain":"portin.v1"}]}`},
			{name: "violations", json: `{"code":3,"message":"m","details":[
				{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_FIELDS","domain":"portin.v1",
				 "metadata":{"violations_total":"1"}},
				{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"target","description":"d"}]}]}`},
			{name: "wait", json: `{"code":14,"details":[
				{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}`},
			{name: "a reason that is not in the contract", wrong: "oneOf", json: `{"code":9,"details":[
				{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ERROR_REASON_INVALID_FIELDS","domain":"portin.v1"}]}`},
			{name: "a detail without its type", wrong: "oneOf", json: `{"code":9,"details":[{"retryDelay":"2s"}]}`},
		} {
			var value any
			if err := json.Unmarshal([]byte(example.json), &value); err != nil {
				t.Fatal(err)
			}
			err := doc.ValidateSchemaJSON(status, value, openapi3.VisitAsResponse())
			if (err == nil) != (example.wrong == "") {
				t.Errorf("%s: %v", example.name, err)
			}
		}
	})
}

// sorted compares lists whose order means nothing.
var sorted = cmp.Transformer("sorted", func(list []string) map[string]bool {
	set := map[string]bool{}
	for _, entry := range list {
		set[entry] = true
	}
	return set
})

func TestFinishIsDeterministic(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 5 {
		parts, facts := fixture(t)
		data, err := finish(parts, facts)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if diff := cmp.Diff(string(first), string(data)); diff != "" {
			t.Fatalf("another run wrote another document:\n%s", diff)
		}
	}
}

// What is not as expected must stop the command, with the place's name.
func TestFinishRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(t *testing.T, service, operator object, facts *contract)
		want  string
	}{
		"an arm without a branch": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.choices[orderMessage] = append(facts.choices[orderMessage], "newProduct")
			}, "expected a branch for each of 4 arms",
		},
		"a branch of another name": {
			func(_ *testing.T, _, _ object, facts *contract) { facts.choices[orderMessage][1] = "fax" },
			"expected branch 2 to require fax",
		},
		"no branch for none": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				for _, doc := range []object{service, operator} {
					schema := at(t, doc, "components", "schemas", orderMessage)
					branches, ok := schema["oneOf"].([]any)
					if !ok {
						t.Fatal("no oneOf in the fixture")
					}
					schema["oneOf"] = append(slices.Clone(branches[1:]), branches[0])
				}
			}, "expected the first branch to be the one for no arm",
		},
		"no order": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				delete(at(t, service, "components", "schemas"), orderMessage)
				delete(at(t, operator, "components", "schemas"), orderMessage)
			}, "portin.v1.PortInOrder",
		},
		"no placing call": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				delete(at(t, service, "paths"), "/v1/port-ins")
			}, "no operation PortInService_PortIn",
		},
		"the generator learns of 202": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				at(t, service, "paths", "/v1/port-ins", "post", "responses")["202"] = object{"description": "new"}
			}, "202 is there already",
		},
		"a stream without a path": {
			func(_ *testing.T, _, _ object, facts *contract) { facts.streams["CatalogService_Watch"] = true },
			"no operation for the streams [CatalogService_Watch]",
		},
		"a stream of another media type": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				at(t, service, "paths", "/v1/port-ins:watch", "get", "responses", "200")["content"] = object{}
			}, "expected an object at content > application/json",
		},
		"a status for a reason that is not in the contract": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.reasons = slices.DeleteFunc(facts.reasons, func(reason string) bool { return reason == "NOT_OFFERED" })
			}, "NotImplemented: no reason NOT_OFFERED in the contract",
		},
		"an answer's schema by name": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				at(t, service, "components", "schemas")["portin.v1.PortFormAnswer"] = object{}
			}, "portin.v1.PortFormAnswer is there already",
		},
		"a rule of a member that is missing": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				for _, doc := range []object{service, operator} {
					delete(at(t, doc, "components", "schemas", "portin.v1.PortForm", "properties"), "dueDate")
				}
			}, "expected an object at portin.v1.PortForm > properties > dueDate",
		},
		"a rule that the generator learns of": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				for _, doc := range []object{service, operator} {
					at(t, doc, "components", "schemas", "portin.v1.PortForm", "properties", "customerName")["maxLength"] = 5
				}
			}, "portin.v1.PortForm.customer_name: maxLength is there already",
		},
		"a rule of a parameter that is missing": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				delete(at(t, service, "paths", "/v1/port-ins:watch", "get"), "parameters")
			}, "no parameter and no member of a body for portin.v1.WatchPortInOrdersRequest.states",
		},
		"an enum without the refused value": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.rules["portin.v1.WatchPortInOrdersRequest"][0].items.without = []string{"ORDER_STATE_GONE"}
			}, "PortInService_WatchPortInOrders: states: expected [ORDER_STATE_GONE] among the values",
		},
		"an enum that is no reference": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.rules["portin.v1.WatchPortInOrdersRequest"][1].without = []string{"A"}
			}, "PortInService_WatchPortInOrders: resume_token: the reference to an enum",
		},
		"a long number that is no text": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.rules["portin.v1.TrunkDid"][0].orNumber = true
			}, "portin.v1.TrunkDid.numbers: expected the type string, found array",
		},
		"elements of what is no list": {
			func(_ *testing.T, _, _ object, facts *contract) {
				facts.rules["portin.v1.GetPortInOrderRequest"][0].items = &rule{}
			}, "PortInService_GetPortInOrder: order_id: expected an object at items",
		},
		"an operation of no RPC": {
			func(_ *testing.T, _, _ object, facts *contract) {
				delete(facts.requests, "PortInService_GetPortInOrder")
			},
			"PortInService_GetPortInOrder is no RPC of the contract",
		},
		"no status schema": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				delete(at(t, service, "components", "schemas"), statusSchema)
				delete(at(t, operator, "components", "schemas"), statusSchema)
			}, "google.rpc.Status",
		},
		"an RPC without a comment": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				delete(at(t, service, "paths", "/v1/port-ins", "post"), "summary")
			}, "PortInService_PortIn has no summary",
		},
		"another version of OpenAPI": {
			func(_ *testing.T, service, _ object, _ *contract) { service["openapi"] = "3.2.0" },
			"port_in_service: expected OpenAPI 3.1.0, found 3.2.0",
		},
		"two words for one schema": {
			func(t *testing.T, service, _ object, _ *contract) {
				t.Helper()
				at(t, service, "components", "schemas", orderMessage)["description"] = "other"
			}, "port_in_service: portin.v1.PortInOrder is described differently",
		},
		"two documents with a title": {
			func(t *testing.T, service, operator object, _ *contract) {
				t.Helper()
				at(t, service, "info")["title"] = "one"
				at(t, operator, "info")["title"] = "two"
			}, "both operator_service and port_in_service carry the openapiv3_document option",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts, facts := fixture(t)
			docs := map[string]object{}
			for _, part := range parts {
				docs[part.name] = part.doc
			}
			test.spoil(t, docs["port_in_service"], docs["operator_service"], &facts)
			if _, err := finish(parts, facts); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("finish answered %v, want an error with %q", err, test.want)
			}
		})
	}
}

func at(t *testing.T, from object, path ...string) object {
	t.Helper()
	found, err := child(from, path...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMergeTakesTheAnnotatedTitle(t *testing.T) {
	t.Parallel()
	parts, facts := fixture(t)
	at(t, parts[0].doc, "info")["title"] = "Ours"
	parts[0].doc["servers"] = []any{object{"url": "http://127.0.0.1:8080"}}
	data, err := finish(parts, facts)
	if err != nil {
		t.Fatal(err)
	}
	doc := load(t, data)
	if doc.Info.Title != "Ours" || len(doc.Servers) != 1 {
		t.Errorf("title %q with %d servers, want the annotated ones", doc.Info.Title, len(doc.Servers))
	}
}

func TestReadPartsRefusesAnEmptyFolder(t *testing.T) {
	t.Parallel()
	if _, err := readParts(os.DirFS(t.TempDir())); err == nil {
		t.Error("no error for a folder without documents")
	}
}
