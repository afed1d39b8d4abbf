package product

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

func TestCheckSize(t *testing.T) {
	t.Parallel()
	limits := Limits{MaxNumbers: 3, MaxFileBytes: 2048, MaxDocumentBytes: 3000}
	file := func(size int) *portinv1.Document { return &portinv1.Document{Content: make([]byte, size)} }
	many := func(n int) []string { return slices.Repeat([]string{"x"}, n) }
	tests := []struct {
		name string
		edit func(o *portinv1.PortInOrder)
		want []fault.Violation
	}{
		{"nothing", func(*portinv1.PortInOrder) {}, nil},
		{"as many as may be", func(o *portinv1.PortInOrder) {
			o.GetVirtualFax().Numbers, o.Form.NumbersToRemain, o.Form.NumbersToDisconnect = many(3), many(3), many(3)
			o.Form.AdditionalEmailAddresses = many(50)
		}, nil},
		{"more", func(o *portinv1.PortInOrder) {
			o.GetVirtualFax().Numbers, o.Form.NumbersToRemain, o.Form.NumbersToDisconnect = many(4), many(4), many(4)
			o.Form.AdditionalEmailAddresses = many(51)
			o.Form.ExtraDetails = make([]*portinv1.ExtraDetail, 101)
			o.Form.RespOrgForms = slices.Repeat([]*portinv1.Document{file(5000)}, 101)
		}, []fault.Violation{
			{Field: "order.form.additional_email_addresses", Description: "has too many entries; want at most 50"},
			{Field: "order.form.numbers_to_remain", Description: "has too many entries; want at most 3"},
			{Field: "order.form.numbers_to_disconnect", Description: "has too many entries; want at most 3"},
			{Field: "order.form.extra_details", Description: "has too many entries; want at most 100"},
			{Field: "order.form.resp_org_forms", Description: "has too many entries; want at most 100"},
			{Field: "order.virtual_fax.numbers", Description: "has too many entries; want at most 3"},
		}},
		{"documents as large as may be", func(o *portinv1.PortInOrder) {
			o.Form.LastInvoices, o.Form.BlifSpreadsheets = []*portinv1.Document{file(2048), nil}, []*portinv1.Document{file(952)}
		}, nil},
		{"a large document", func(o *portinv1.PortInOrder) {
			o.Form.LastInvoices = []*portinv1.Document{file(1), file(2049)}
		}, []fault.Violation{
			{Field: "order.form.last_invoices[1].content", Description: "is too large; want at most 2 KiB a file"},
		}},
		{"large documents", func(o *portinv1.PortInOrder) {
			o.Form.LettersOfAuthorization = []*portinv1.Document{file(1000), file(2000), file(1), file(1)}
		}, []fault.Violation{
			{Field: "order.form.letters_of_authorization[2].content", Description: "makes the documents too large together; want at most 3000 bytes an order"},
		}},
		{"no form", func(o *portinv1.PortInOrder) { o.Form = nil }, nil},
		{"no target", func(o *portinv1.PortInOrder) { o.Target = nil }, nil},
		{"target without a message", func(o *portinv1.PortInOrder) { o.Target = &portinv1.PortInOrder_TrunkDid{} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := smallest(t, "virtual_fax")
			tt.edit(o)
			if diff := cmp.Diff(tt.want, CheckSize(o, limits)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := CheckSize(nil, limits); got != nil {
		t.Errorf("no order: %v", got)
	}
}

// TestEveryTargetIsCounted: the list of every target has the limit of numbers.
func TestEveryTargetIsCounted(t *testing.T) {
	t.Parallel()
	for _, spec := range Specs() {
		o := fullest(t, string(spec.Arm))
		if got := CheckSize(o, Limits{MaxNumbers: len(Numbers(o)), MaxFileBytes: 1 << 20, MaxDocumentBytes: 1 << 20}); got != nil {
			t.Errorf("%s: %v", spec.Arm, got)
		}
		got := CheckSize(o, Limits{MaxNumbers: len(Numbers(o)) - 1, MaxFileBytes: 1 << 20, MaxDocumentBytes: 1 << 20})
		if len(got) == 0 || !strings.HasPrefix(got[len(got)-1].Field, spec.field()) {
			t.Errorf("%s with a number too many: %v", spec.Arm, got)
		}
	}
}

func BenchmarkThousandNumbers(b *testing.B) {
	o := smallest(b, "residential_line")
	line := o.GetResidentialLine().GetLines()[0]
	for i := range 999 {
		l := proto.CloneOf(line)
		l.Number, l.CallForwardingNumber = fmt.Sprintf("+1604234%04d", i), new("+14165550188")
		o.GetResidentialLine().Lines = append(o.GetResidentialLine().GetLines(), l)
	}
	b.Run("Normalize", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Normalize(o)
		}
	})
	b.Run("Validate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got := Validate(o); got != nil {
				b.Fatal(got)
			}
		}
	})
	b.Run("Review", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Review(o, goldenFacts())
		}
	})
	b.Run("CarrierCall", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := CarrierCall(o); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSmall(b *testing.B) {
	o := smallest(b, "trunk_did")
	for name, f := range map[string]func(){
		"Normalize": func() { Normalize(o) }, "Validate": func() { Validate(o) }, "CheckSize": func() { CheckSize(o, usualLimits()) },
		"Review": func() { Review(o, goldenFacts()) }, "CarrierCall": func() { _, _ = CarrierCall(o) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
