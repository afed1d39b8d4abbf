package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// targets are the arms of the contract, from the generated code and not from the document.
func targets() []string {
	fields := (&portinv1.PortInOrder{}).ProtoReflect().Descriptor().Oneofs().ByName("target").Fields()
	var names []string
	for i := range fields.Len() {
		names = append(names, fields.Get(i).JSONName())
	}
	return names
}

// published is the document as it is published.
func published(t *testing.T) *openapi3.T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "gen", "openapi", "portin.openapi.json"))
	if err != nil {
		t.Fatalf("%v; make generate writes it", err)
	}
	return load(t, data)
}

// publishedTree is the same as this command handles it.
func publishedTree(t *testing.T) object {
	t.Helper()
	return read(t, filepath.Join("..", "..", "gen", "openapi", "portin.openapi.json"))
}

// Nothing is in the document that nobody is told of.
func TestPublishedSchemasAreUsed(t *testing.T) {
	t.Parallel()
	doc := publishedTree(t)
	used := map[string]bool{}
	reach(at(t, doc, "components", "schemas"), doc["paths"], used)
	reach(at(t, doc, "components", "schemas"), at(t, doc, "components")["responses"], used)
	for name := range at(t, doc, "components", "schemas") {
		if !used[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

// The published document allows an order with exactly one target, of any arm, and no other.
func TestPublishedDocument(t *testing.T) {
	t.Parallel()
	doc := published(t)
	order := doc.Paths.Value("/v1/port-ins").Post.RequestBody.Value.Content.Get("application/json").Schema.Value
	if got, want := len(order.OneOf), len(targets()); got != want {
		t.Errorf("oneOf has %d branches, want one for each of the %d targets", got, want)
	}
	accepts := func(body map[string]any) error {
		return doc.ValidateSchemaJSON(order, body, openapi3.VisitAsRequest())
	}
	whole := example(order, 0)
	if accepts(whole) == nil {
		t.Error("an order without a target is valid")
	}
	for _, arm := range targets() {
		t.Run(arm, func(t *testing.T) {
			t.Parallel()
			body := maps.Clone(whole)
			body[arm] = example(order.Properties[arm].Value, 0)
			if err := accepts(body); err != nil {
				t.Fatalf("an order with this target alone is not valid: %v", err)
			}
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			// The document and the contract must mean the same body.
			var message portinv1.PortInOrder
			if err := protojson.Unmarshal(text, &message); err != nil {
				t.Errorf("the document allows a body that is no order: %v\n%s", err, text)
			}
			for _, other := range targets() {
				if other == arm {
					continue
				}
				two := maps.Clone(body)
				two[other] = example(order.Properties[other].Value, 0)
				if accepts(two) == nil {
					t.Errorf("an order with %s and %s is valid", arm, other)
				}
			}
			delete(body, "form")
			if accepts(body) == nil {
				t.Error("an order without a form is valid")
			}
		})
	}
}

// example makes the least object that a schema of an input allows: what is required, with a value of its type.
func example(schema *openapi3.Schema, depth int) map[string]any {
	object := map[string]any{}
	for _, part := range append(openapi3.SchemaRefs{{Value: schema}}, schema.AllOf...) {
		for _, name := range part.Value.Required {
			object[name] = value(part.Value.Properties[name].Value, depth+1)
		}
	}
	return object
}

func value(schema *openapi3.Schema, depth int) any {
	if depth > 20 {
		panic("a schema requires itself")
	}
	for _, part := range schema.AllOf {
		if schema.Type == nil {
			schema = part.Value
		}
	}
	switch {
	case len(schema.Enum) > 0:
		return schema.Enum[len(schema.Enum)-1]
	case schema.Type.Is("array"):
		return []any{value(schema.Items.Value, depth+1)}
	case schema.Type.Is("object"):
		return example(schema, depth)
	case schema.Type.Is("boolean"):
		return false
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		return 1
	case schema.Format == "byte":
		return "AA=="
	default:
		return "1"
	}
}

// The headers that the gateway reads are in the document where it reads them.
func TestPublishedHeaders(t *testing.T) {
	t.Parallel()
	placing := 0
	for path, item := range published(t).Paths.Map() {
		for method, operation := range item.Operations() {
			places := method == http.MethodPost && operation.Parameters.GetByInAndName("query", "requestId") != nil
			if places {
				placing++
			}
			streams := operation.Responses.Value("200").Value.Content.Get("text/event-stream") != nil
			for header, want := range map[string]bool{"Idempotency-Key": places, "Last-Event-ID": streams, "Grpc-Timeout": true, "x-request-id": true} {
				if got := operation.Parameters.GetByInAndName("header", header) != nil; got != want {
					t.Errorf("%s %s has the header %s: %v, want %v", method, path, header, got, want)
				}
			}
			if got := operation.Responses.Value("202") != nil; got != places {
				t.Errorf("%s %s answers 202: %v, want %v", method, path, got, places)
			}
		}
	}
	if placing != 2 { // a new order, and one that corrects another
		t.Errorf("%d operations place an order", placing)
	}
}

// readContract finds in the contract's descriptors what the generated code says about it.
func TestReadContract(t *testing.T) {
	t.Parallel()
	set, err := proto.Marshal(descriptorSet(portinv1.File_portin_v1_port_in_service_proto))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := readContract(set)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(targets(), facts.choices[orderMessage]); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if !facts.streams["PortInService_WatchPortInOrders"] || facts.streams[placingRPC] {
		t.Errorf("streams are %v", facts.streams)
	}
	const watch = "portin.v1.WatchPortInOrdersRequest"
	if got := facts.requests["PortInService_WatchPortInOrders"]; got != watch {
		t.Errorf("the request of a watch is %q, want %q", got, watch)
	}
	token := rule{field: "resume_token", member: "resumeToken", keywords: object{"maxLength": uint64(1024)}}
	if diff := cmp.Diff(token, facts.rules[watch][3], cmp.AllowUnexported(rule{})); diff != "" {
		t.Errorf("rules of a token (-want +got):\n%s", diff)
	}
	if line := "portin.v1.BusinessLine.Line"; len(facts.rules[line]) == 0 {
		t.Errorf("no rules of %s", line)
	}
	if len(facts.reasons) != len(portinv1.ErrorReason_name)-1 || !slices.Contains(facts.reasons, "REQUEST_ID_REUSED") {
		t.Errorf("reasons are %v", facts.reasons)
	}
}

func TestReadContractRefusesAnotherContract(t *testing.T) {
	t.Parallel()
	set, err := proto.Marshal(descriptorSet(descriptorpb.File_google_protobuf_descriptor_proto))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readContract(set); err == nil {
		t.Error("no error for a descriptor set without portin.v1")
	}
	if _, err := readContract([]byte("no descriptor set")); err == nil {
		t.Error("no error for bytes that are no descriptor set")
	}
}

// descriptorSet is a file with everything that it imports, imports first.
func descriptorSet(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorSet {
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	}
	add(file)
	return set
}
