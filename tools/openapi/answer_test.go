package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// What differs between asking and answering stands apart, and so does what refers to it; the rest stays one.
func TestDescribeAnswers(t *testing.T) {
	t.Parallel()
	parts, facts := fixture(t)
	data, err := finish(parts, facts)
	if err != nil {
		t.Fatal(err)
	}
	schemas := load(t, data).Components.Schemas
	var apart []string
	for name := range schemas {
		if strings.HasSuffix(name, answerSuffix) {
			apart = append(apart, strings.TrimSuffix(strings.TrimPrefix(name, "portin.v1."), answerSuffix))
		}
	}
	if diff := cmp.Diff([]string{"Document", "PortForm", "PortInOrder", "TrunkDid", "VirtualFax"}, apart, sorted); diff != "" {
		t.Errorf("schemas apart (-want +got):\n%s", diff)
	}
	order := schemas["portin.v1.PortInOrderAnswer"].Value
	if len(order.OneOf) > 0 || len(order.Required) > 0 {
		t.Errorf("an answer has to choose of %d and to have %v", len(order.OneOf), order.Required)
	}
	for member, want := range map[string]string{
		"form":            "#/components/schemas/portin.v1.PortFormAnswer",
		"residentialLine": "#/components/schemas/portin.v1.ResidentialLine",
	} {
		if got := order.Properties[member].Ref; got != want {
			t.Errorf("%s of an answer is %s, want %s", member, got, want)
		}
	}
	if len(schemas["portin.v1.DocumentAnswer"].Value.Properties) > 0 || len(schemas["portin.v1.Document"].Value.Properties) != 1 {
		t.Error("want a document's content in requests and not in answers")
	}
	name := schemas["portin.v1.PortFormAnswer"].Value.Properties["customerName"].Value
	if name.MinLength != 0 || name.MaxLength != nil {
		t.Error("answers are held to the rules of requests")
	}
	const words = "Form.\n\nThis is how answers have it; requests have portin.v1.PortForm."
	if got := schemas["portin.v1.PortFormAnswer"].Value.Description; got != words {
		t.Errorf("described as %q, want %q", got, words)
	}
}

// Orders that the service answers with satisfy the schema of every answer that carries one, and not that of a request.
func TestPublishedAnswersOfOrders(t *testing.T) {
	t.Parallel()
	doc := published(t)
	asked := doc.Paths.Value("/v1/port-ins").Post.RequestBody.Value.Content.Get("application/json").Schema.Value
	for name, order := range map[string]*portinv1.PortInOrder{
		"placed here":         answeredOrder(),
		"placed elsewhere":    {OrderId: "01900000-0000-7000-8000-000000000001", TicketId: "T-1"},
		"with nothing in it":  {},
		"with an empty order": {Form: &portinv1.PortForm{}, Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, answer := range []struct {
				method, path, status string
				message              proto.Message
			}{
				{"POST", "/v1/port-ins", "200", &portinv1.PortInResponse{Order: order}},
				{"POST", "/v1/port-ins", "202", &portinv1.PortInResponse{Order: order, Replayed: true}},
				{"GET", "/v1/port-ins", "200", &portinv1.ListPortInOrdersResponse{Orders: []*portinv1.PortInOrder{order}}},
				{"GET", "/v1/port-ins/{order_id}", "200", order},
				{"POST", "/v1/port-ins/{order_id}:resolveInDoubt", "200", order},
			} {
				response := doc.Paths.Value(answer.path).GetOperation(answer.method).Responses.Value(answer.status).Value
				schema := response.Content.Get("application/json").Schema.Value
				if err := doc.ValidateSchemaJSON(schema, written(t, answer.message), openapi3.VisitAsResponse()); err != nil {
					t.Errorf("%s %s: %v", answer.method, answer.path, err)
				}
			}
			stream := doc.Paths.Value("/v1/port-ins:watch").Get.Responses.Value("200").Value.Content.Get("application/x-ndjson")
			chunk := map[string]any{"result": written(t, &portinv1.WatchPortInOrdersResponse{ResumeToken: "r", Order: order})}
			if err := doc.ValidateSchemaJSON(stream.Schema.Value, chunk, openapi3.VisitAsResponse()); err != nil {
				t.Errorf("a chunk of a stream: %v", err)
			}
			if doc.ValidateSchemaJSON(asked, written(t, order)) == nil {
				t.Error("the answer is a valid request, so this test would not see them mixed up")
			}
		})
	}
}

// answeredOrder is an accepted order as the service answers with it: E.164 numbers, no secrets, documents without their
// content.
func answeredOrder() *portinv1.PortInOrder {
	at := &timestamppb.Timestamp{Seconds: 1_800_000_000}
	return &portinv1.PortInOrder{
		Form: &portinv1.PortForm{
			CustomerName: "Maple Bakery Ltd.", CustomerAccountNumber: "AC-1001", EmailAddress: "porting@example.com",
			ServiceAddress: &portinv1.ServiceAddress{
				StreetNumber: "1200", StreetName: "Bay", City: "Toronto", Province: "ON", PostalCode: "M5H 2N2", Country: "CA",
			},
			LettersOfAuthorization: []*portinv1.Document{{
				FileName: "loa.pdf", MimeType: "application/pdf", SizeBytes: 14, Sha256: strings.Repeat("0f", 32),
			}},
		},
		Target: &portinv1.PortInOrder_BusinessLine{BusinessLine: &portinv1.BusinessLine{Lines: []*portinv1.BusinessLine_Line{{
			Number: "+15145550120", Account: proto.Int64(700001), PlanId: "PLAN-1", BusinessGroupId: "GROUP-1",
			Locale: portinv1.Locale_LOCALE_FRENCH_CA, SecondLocale: portinv1.SecondLocale_SECOND_LOCALE_NONE,
		}}}},
		OrderId: "01900000-0000-7000-8000-000000000001", RequestId: "7f9c24e8-3b12-4f8a-9d2e-1a2b3c4d5e6f",
		State: portinv1.OrderState_ORDER_STATE_ACCEPTED, Attempt: 1, NeedsAttention: true,
		Attentions: []*portinv1.Attention{{
			Code: portinv1.AttentionCode_ATTENTION_CODE_REPLY_DEFERRED, Description: "Wait.", StartTime: at,
		}},
		TicketId: "T-1", CarrierReply: portinv1.CarrierReply_CARRIER_REPLY_DEFERRED, CarrierMessage: "Deferred.",
		CarrierStatus: portinv1.CarrierStatus_CARRIER_STATUS_OTHER, CarrierStatusWord: "PONDERING",
		Category: portinv1.Category_CATEGORY_ATTENTION, Numbers: []string{"+15145550120"},
		Warnings: []*portinv1.Warning{{
			Field: "form.lastInvoices", Code: portinv1.WarningCode_WARNING_CODE_DOCUMENT_MISSING, Description: "No invoice.",
		}},
		CreateTime: at, UpdateTime: at, ClaimTime: at, SettleTime: at,
	}
}

// Every message that an answer is made of satisfies its schema when nothing is in it, and when everything is.
func TestPublishedAnswers(t *testing.T) {
	t.Parallel()
	doc, tree := published(t), publishedTree(t)
	_, answered, err := reached(tree)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range slices.Sorted(maps.Keys(answered)) {
		message, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(strings.TrimSuffix(name, answerSuffix)))
		if err != nil || !strings.HasPrefix(name, contractPackage) {
			continue // An enum, or one of those that stand as details of an error.
		}
		checked++
		schema := doc.Components.Schemas[name].Value
		if len(schema.Required) > 0 {
			t.Errorf("%s has to have %v", name, schema.Required)
		}
		for _, answer := range []proto.Message{message.Zero().Interface(), filled(message.New()).Interface()} {
			if err := doc.ValidateSchemaJSON(schema, written(t, answer), openapi3.VisitAsResponse()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d schemas of answers, this test is blind", checked)
	}
}

// filled puts something into every field of a message that answers have: of a oneof into the last, and into lists one
// element.
func filled(message protoreflect.Message) protoreflect.Message {
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		behaviours, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
		if slices.Contains(behaviours, annotations.FieldBehavior_INPUT_ONLY) {
			continue
		}
		if field.IsList() {
			list := message.Mutable(field).List()
			if field.Message() != nil {
				list.Append(protoreflect.ValueOfMessage(filled(list.NewElement().Message())))
			} else {
				list.Append(something(field))
			}
			continue
		}
		if field.Message() != nil {
			filled(message.Mutable(field).Message())
			continue
		}
		message.Set(field, something(field))
	}
	return message
}

// something is a value of a field that is not its zero.
func something(field protoreflect.FieldDescriptor) protoreflect.Value {
	switch field.Kind() { //nolint:exhaustive // the rest is not in the contract, and stops the test
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(field.Enum().Values().Get(field.Enum().Values().Len() - 1).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(7)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(7)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("é")
	default:
		panic("no value for a " + field.Kind().String())
	}
}

// written is a message as the JSON face writes it.
func written(t *testing.T, message proto.Message) map[string]any {
	t.Helper()
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		t.Fatal(err)
	}
	return body
}
