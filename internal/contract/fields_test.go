package contract

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestSortByField(t *testing.T) {
	t.Parallel()
	request := (*portinv1.PortInRequest)(nil).ProtoReflect().Descriptor()
	want := []string{
		"", // the request itself
		"order",
		"order.form",
		"order.form.customer_name",
		"order.form.service_address",
		"order.form.service_address.street_number",
		"order.form.service_address.country",
		"order.form.additional_email_addresses",
		"order.form.additional_email_addresses[0]",
		"order.form.additional_email_addresses[2]",
		"order.form.additional_email_addresses[10]",
		"order.form.letters_of_authorization[1].content",
		"order.form.resp_org_forms[0].file_name",
		"order.target", // stands where its first arm does
		"order.trunk_did.pilot_number",
		"order.trunk_did.dids[2].number",
		"order.trunk_did.dids[2].label",
		"order.trunk_did.dids[10].number",
		"order.virtual_fax.numbers[3]",
		"order.order_id",
		"request_id",
		"validate_only",
	}
	for range 20 {
		got := slices.Clone(want)
		slices.Reverse(got)
		for i := range got { // a stride that visits every place once
			j := i * 7 % len(got)
			got[i], got[j] = got[j], got[i]
		}
		SortByField(request, got, func(path string) string { return path })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("order (-want +got):\n%s", diff)
		}
	}
}

func TestSortByFieldIsStableAndTotal(t *testing.T) {
	t.Parallel()
	order := (*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor()
	type entry struct{ path, text string }
	got := []entry{
		{"form.unit_of_nobody", "b"},
		{"trunk_did.dids[x].number", "an index that is none sorts as 0"},
		{"trunk_did.dids[1]", ""},
		{"form", "a name that the contract does not have is left out, so this stays behind"},
		{"form.customer_name.deeper", "a"},
		{"form.customer_name", "b"},
		{"nobody", "first"},
		{"form.customer_name", "c"},
	}
	want := []entry{got[6], got[0], got[3], got[4], got[5], got[7], got[1], got[2]}
	SortByField(order, got, func(e entry) string { return e.path })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// An unknown field is found in every message that a request can hold.
func TestUnknownIsFoundAtEveryDepth(t *testing.T) {
	t.Parallel()
	places := 0
	reachable(inputs(), func(path []protoreflect.FieldDescriptor) {
		fd := path[len(path)-1]
		if fd.Message() == nil {
			return
		}
		places++
		root := newOf(t, path[0].ContainingMessage())
		inner, want := grow(root, path)
		want = want[:len(want)-1]
		if got, found := Unknown(root); found {
			t.Errorf("%s: found %q where nothing is unknown", want, got)
		}
		inner.SetUnknown(protoreflect.RawFields{0xf8, 0x07, 0x01})
		if got, found := Unknown(root); !found || got != want {
			t.Errorf("Unknown = %q, %v, want %q", got, found, want)
		}
	})
	if places < 30 {
		t.Errorf("only %d places were tried; the walk has lost its way", places)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	unknown := protoreflect.RawFields{0xf8, 0x07, 0x01}
	second := &portinv1.TrunkDid_Did{Number: "2"}
	second.ProtoReflect().SetUnknown(unknown)
	top := &portinv1.PortInRequest{RequestId: "x"}
	top.ProtoReflect().SetUnknown(unknown)
	for name, c := range map[string]struct {
		message proto.Message
		path    string
		found   bool
	}{
		"nothing":            {&portinv1.PortInRequest{RequestId: "x", Order: &portinv1.PortInOrder{Form: validForm()}}, "", false},
		"an empty message":   {&portinv1.PortInRequest{}, "", false},
		"the message itself": {top, "", true},
		"the second entry of a list in a oneof": {&portinv1.PortInRequest{Order: &portinv1.PortInOrder{
			Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{Dids: []*portinv1.TrunkDid_Did{{Number: "1"}, second}}},
		}}, "order.trunk_did.dids[1]", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if path, found := Unknown(c.message.ProtoReflect()); path != c.path || found != c.found {
				t.Errorf("Unknown = %q, %v, want %q, %v", path, found, c.path, c.found)
			}
		})
	}
}

// Every field that the contract marks as going only in is set, and gone after.
func TestClearInputOnly(t *testing.T) {
	t.Parallel()
	cleared := 0
	roots := append(inputs(), (*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor())
	reachable(roots, func(path []protoreflect.FieldDescriptor) {
		last := len(path) - 1
		fd := path[last]
		if !behaves(fd, annotations.FieldBehavior_INPUT_ONLY) {
			return
		}
		cleared++
		got := newOf(t, path[0].ContainingMessage())
		inner, where := grow(got, path[:last])
		want := proto.Clone(got.Interface())
		if fd.Kind() == protoreflect.BytesKind {
			inner.Set(fd, protoreflect.ValueOfBytes([]byte(planted)))
		} else {
			inner.Set(fd, protoreflect.ValueOfString(planted)) // panics for what this test does not know yet
		}
		ClearInputOnly(got)
		if diff := cmp.Diff(want, got.Interface(), protocmp.Transform()); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", where, fd.Name(), diff)
		}
	})
	if cleared < 16 { // four lists of documents and four passwords, in a request and in an order
		t.Errorf("only %d fields go only in; the walk has lost its way", cleared)
	}
}

func TestClearInputOnlyLeavesTheRest(t *testing.T) {
	t.Parallel()
	order := func(content []byte, password *string) *portinv1.PortInOrder {
		form := validForm()
		form.LettersOfAuthorization = append(form.LettersOfAuthorization, &portinv1.Document{FileName: "b.pdf", SizeBytes: 3, Sha256: "ab"})
		for _, d := range form.GetLettersOfAuthorization() {
			d.Content = content
		}
		return &portinv1.PortInOrder{
			Form: form, OrderId: "1", Warnings: []*portinv1.Warning{{Field: "order"}}, CreateTime: &timestamppb.Timestamp{Seconds: 1},
			Target: &portinv1.PortInOrder_ResidentialLine{ResidentialLine: &portinv1.ResidentialLine{Lines: []*portinv1.ResidentialLine_Line{
				{Number: "1", SipPassword: password}, {Number: "2", WebSelfCarePassword: password},
			}}},
		}
	}
	got := order([]byte(planted), new(planted))
	ClearInputOnly(got.ProtoReflect())
	if diff := cmp.Diff(order(nil, nil), got, protocmp.Transform()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
