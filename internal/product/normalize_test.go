package product

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestNormalizeClearsWhatOnlyAnswersHave(t *testing.T) {
	t.Parallel()
	want := smallest(t, "trunk_did")
	want.Form.LastInvoices = []*portinv1.Document{{FileName: "a.pdf", MimeType: "application/pdf", Content: []byte("x")}}
	got := clone(want)
	if n := fillOutput(got.ProtoReflect()) + fillOutput(got.GetForm().GetLastInvoices()[0].ProtoReflect()); n < 20 {
		t.Fatalf("only %d fields of the contract are output", n)
	}
	Normalize(got)
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// fillOutput sets every field of a message that the contract calls output, and says how many there are.
func fillOutput(m protoreflect.Message) int {
	n := 0
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) {
			continue
		}
		n++
		value := m.NewField(fd)
		switch {
		case fd.IsList() && fd.Message() != nil:
			value.List().AppendMutable()
		case fd.IsList():
			value.List().Append(protoreflect.ValueOfString("output"))
		case fd.Kind() == protoreflect.StringKind:
			value = protoreflect.ValueOfString("output")
		case fd.Kind() == protoreflect.BoolKind:
			value = protoreflect.ValueOfBool(true)
		case fd.Kind() == protoreflect.EnumKind:
			value = protoreflect.ValueOfEnum(1)
		case fd.Kind() == protoreflect.Int32Kind:
			value = protoreflect.ValueOfInt32(1)
		case fd.Kind() == protoreflect.Int64Kind:
			value = protoreflect.ValueOfInt64(1)
		}
		m.Set(fd, value)
	}
	return n
}

func TestNormalizeSpelling(t *testing.T) {
	t.Parallel()
	address := func(country, province, code string) *portinv1.PortInOrder {
		return &portinv1.PortInOrder{Form: &portinv1.PortForm{
			ServiceAddress: &portinv1.ServiceAddress{Country: country, Province: province, PostalCode: code},
		}}
	}
	mime := func(kind string) *portinv1.PortInOrder {
		return &portinv1.PortInOrder{Form: &portinv1.PortForm{BlifSpreadsheets: []*portinv1.Document{{MimeType: kind}}}}
	}
	form := func(f *portinv1.PortForm) *portinv1.PortInOrder { return &portinv1.PortInOrder{Form: f} }
	line := func(l *portinv1.ResidentialLine_Line) *portinv1.PortInOrder {
		return &portinv1.PortInOrder{Target: &portinv1.PortInOrder_ResidentialLine{
			ResidentialLine: &portinv1.ResidentialLine{Lines: []*portinv1.ResidentialLine_Line{l}},
		}}
	}
	tests := []struct {
		name      string
		in, want  *portinv1.PortInOrder
		unchanged bool
	}{
		{name: "nothing", in: &portinv1.PortInOrder{}, want: &portinv1.PortInOrder{}},
		{name: "postal code", in: address(" ca ", "on", "m5h2n2"), want: address("CA", "ON", "M5H 2N2")},
		{name: "postal code with a dash", in: address("CA", "ON", "m5h-2n2"), want: address("CA", "ON", "M5H 2N2")},
		{name: "postal code in pieces", in: address("CA", "ON", "M 5 H 2 N 2"), want: address("CA", "ON", "M5H 2N2")},
		{name: "ZIP code", in: address("us", "ny", " 10001 "), want: address("US", "NY", "10001")},
		{name: "ZIP+4", in: address("US", "NY", "10001 1234"), want: address("US", "NY", "10001-1234")},
		{name: "unread codes", in: address("canada", "ontario", "m5h 2n"), want: address("CANADA", "ONTARIO", "M5H 2N")},
		{name: "letters beyond ASCII", in: address("ça", "ß", "ﬁ"), want: address("çA", "ß", "ﬁ")},
		{name: "MIME type", in: mime(" Application/PDF "), want: mime("application/pdf")},
		{name: "MIME parameters", in: mime("Text/CSV ; Charset=UTF-8"), want: mime("text/csv; Charset=UTF-8")},
		{name: "unread MIME type", in: mime("PDF"), want: mime("pdf")},
		{
			name: "text",
			in: form(&portinv1.PortForm{
				CustomerName: "  A  B\t", EmailAddress: " a@example.com ", CustomerReference: new("  "),
				AdditionalEmailAddresses: []string{" b@example.com"}, CommentsPortTeam: new(" x \n"),
				CommentsLosingCarrier: new("\ty"), ExtraDetails: []*portinv1.ExtraDetail{{Key: " k ", Value: " v\n"}},
			}),
			want: form(&portinv1.PortForm{
				CustomerName: "A  B", EmailAddress: "a@example.com", CustomerReference: new(""),
				AdditionalEmailAddresses: []string{"b@example.com"}, CommentsPortTeam: new(" x \n"),
				CommentsLosingCarrier: new("\ty"), ExtraDetails: []*portinv1.ExtraDetail{{Key: "k", Value: " v\n"}},
			}),
		},
		{
			name: "numbers",
			in: form(&portinv1.PortForm{
				NumbersToRemain: []string{"416 555 0100", "unread"}, NumbersToDisconnect: []string{"tel:416-555-0101"},
				NewPilotNumber: new("4165550100"), SubmitterPhoneNumber: new(" 1-416-555-0102 "),
			}),
			want: form(&portinv1.PortForm{
				NumbersToRemain: []string{"+14165550100", "unread"}, NumbersToDisconnect: []string{"+14165550101"},
				NewPilotNumber: new("+14165550100"), SubmitterPhoneNumber: new("+14165550102"),
			}),
		},
		{
			name: "passwords",
			in: line(&portinv1.ResidentialLine_Line{
				Number: "416.555.0100", Label: new(" l "), SipPassword: new(" p "), WebSelfCarePassword: new("\tq "),
			}),
			want: line(&portinv1.ResidentialLine_Line{
				Number: "+14165550100", Label: new("l"), SipPassword: new(" p "), WebSelfCarePassword: new("\tq "),
			}),
		},
		{name: "a target without a message", in: &portinv1.PortInOrder{Target: &portinv1.PortInOrder_TrunkDid{}}, want: &portinv1.PortInOrder{Target: &portinv1.PortInOrder_TrunkDid{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			Normalize(tt.in)
			if diff := cmp.Diff(tt.want, tt.in, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	Normalize(nil)
}

// TestFreeTextsAreFields: a name in the table that the contract lost would be a rule for nothing.
func TestFreeTextsAreFields(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	var walk func(p *plan, seen map[*plan]bool)
	walk = func(p *plan, seen map[*plan]bool) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, text := range p.texts {
			if text.kind == freeText {
				found[string(text.descriptor.Name())] = true
			}
		}
		for _, m := range p.messages {
			walk(m.plan, seen)
		}
	}
	walk(orderPlan, map[*plan]bool{})
	if len(found) != len(freeTexts) {
		t.Errorf("the contract has the free texts %v, the table %v", found, freeTexts)
	}
}

// FuzzNormalize feeds orders as they come over the wire: nothing may panic, normalising twice is normalising once, and
// what has no violation is translated.
func FuzzNormalize(f *testing.F) {
	for _, g := range goldens(f, "*/*") {
		wire, err := proto.Marshal(g.order)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		o := &portinv1.PortInOrder{}
		if proto.Unmarshal(wire, o) != nil {
			return
		}
		tooMuch := CheckSize(o, usualLimits())
		Normalize(o)
		twice := clone(o)
		Normalize(twice)
		if !proto.Equal(o, twice) {
			t.Errorf("normalising twice differs (-once +twice):\n%s", cmp.Diff(o, twice, protocmp.Transform()))
		}
		if tooMuch != nil {
			return
		}
		violations := Validate(o)
		if _, ok := Of(o); !ok {
			if len(violations) == 0 {
				t.Error("an order without a target has no violation")
			}
			return
		}
		Review(o, goldenFacts())
		References(o)
		Numbers(o)
		call, err := CarrierCall(o)
		if len(violations) > 0 {
			return
		}
		if err != nil {
			t.Errorf("an order without violations is not translated: %v", err)
		}
		anyJSON(t, call.Body)
	})
}
