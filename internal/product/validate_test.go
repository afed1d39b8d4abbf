package product

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
)

func fieldsOf(violations []fault.Violation) []string {
	var fields []string
	for _, v := range violations {
		fields = append(fields, v.Field)
	}
	return fields
}

// TestFormRulesHoldForEveryTarget breaks each rule of the form in the smallest order of every target.
func TestFormRulesHoldForEveryTarget(t *testing.T) {
	t.Parallel()
	const form = "order.form."
	const address = form + "service_address."
	yes, no := new(true), new(false)
	type broken struct {
		name string
		edit func(f *portinv1.PortForm)
		want []string
	}
	both := []broken{
		{"nothing", func(*portinv1.PortForm) {}, nil},
		{"no name", func(f *portinv1.PortForm) { f.CustomerName = "" }, []string{form + "customer_name"}},
		{"name too long", func(f *portinv1.PortForm) { f.CustomerName = strings.Repeat("é", 201) }, []string{form + "customer_name"}},
		{"name of the greatest length", func(f *portinv1.PortForm) { f.CustomerName = strings.Repeat("é", 200) }, nil},
		{"name of two lines", func(f *portinv1.PortForm) { f.CustomerName = "a\nb" }, []string{form + "customer_name"}},
		{"name with a line separator", func(f *portinv1.PortForm) { f.CustomerName = "a\u2028b" }, []string{form + "customer_name"}},
		{"name that is not UTF-8", func(f *portinv1.PortForm) { f.CustomerName = "a\xff" }, []string{form + "customer_name"}},
		{"comments of two lines", func(f *portinv1.PortForm) { f.CommentsPortTeam = new("a\r\n\tb\u2028c") }, nil},
		{"comments that ring", func(f *portinv1.PortForm) { f.CommentsPortTeam = new("a\a") }, []string{form + "comments_port_team"}},
		{"no address", func(f *portinv1.PortForm) { f.ServiceAddress = nil }, []string{form + "service_address"}},
		{"no e-mail address", func(f *portinv1.PortForm) { f.EmailAddress = "nobody" }, []string{form + "email_address"}},
		{"e-mail addresses", func(f *portinv1.PortForm) { f.AdditionalEmailAddresses = []string{"a@example.com", "", "b"} }, []string{
			form + "additional_email_addresses[1]", form + "additional_email_addresses[2]",
		}},
		{"an e-mail address twice", func(f *portinv1.PortForm) {
			f.AdditionalEmailAddresses = []string{"a@example.com", "a@example.com", f.GetEmailAddress()}
		}, nil},
		{"country", func(f *portinv1.PortForm) { f.ServiceAddress.Country = "MX" }, []string{address + "country"}},
		{"no country", func(f *portinv1.PortForm) { f.ServiceAddress.Country = "" }, []string{address + "country"}},
		{"no country and no province", func(f *portinv1.PortForm) {
			f.ServiceAddress.Country, f.ServiceAddress.Province = "", ""
		}, []string{address + "province", address + "country"}},
		{"nothing of the place", func(f *portinv1.PortForm) {
			f.ServiceAddress.Country, f.ServiceAddress.Province, f.ServiceAddress.PostalCode = "XX", "XX", "XX"
		}, []string{address + "province", address + "postal_code", address + "country"}},
		{"province", func(f *portinv1.PortForm) { f.ServiceAddress.Province = "XX" }, []string{address + "province"}},
		{"state of nowhere", func(f *portinv1.PortForm) {
			f.ServiceAddress.Country, f.ServiceAddress.Province, f.ServiceAddress.PostalCode = "US", "XX", "10001"
		}, []string{address + "province"}},
		{"postal code", func(f *portinv1.PortForm) { f.ServiceAddress.PostalCode = "M5H2N2" }, []string{address + "postal_code"}},
		{"no postal code", func(f *portinv1.PortForm) { f.ServiceAddress.PostalCode = "" }, []string{address + "postal_code"}},
		{"unused letter", func(f *portinv1.PortForm) { f.ServiceAddress.PostalCode = "M5O 2N2" }, []string{address + "postal_code"}},
		{"unused first letter", func(f *portinv1.PortForm) { f.ServiceAddress.PostalCode = "Z5H 2N2" }, []string{address + "postal_code"}},
		{"date", func(f *portinv1.PortForm) { f.RequestedPortDate = new("2026-7-1") }, []string{form + "requested_port_date"}},
		{"empty date", func(f *portinv1.PortForm) { f.RequestedPortDate = new("") }, []string{form + "requested_port_date"}},
		{"date with an offset", func(f *portinv1.PortForm) {
			f.RequestedPortDate = new("2026-07-01T00:00:00Z")
		}, []string{form + "requested_port_date"}},
		{"time alone", func(f *portinv1.PortForm) { f.RequestedPortTime = new("09:30") }, []string{form + "requested_port_time"}},
		{"empty time", func(f *portinv1.PortForm) {
			f.RequestedPortDate, f.RequestedPortTime = new("2026-07-02"), new("")
		}, []string{form + "requested_port_time"}},
		{"short time", func(f *portinv1.PortForm) {
			f.RequestedPortDate, f.RequestedPortTime = new("2026-07-02"), new("9:30")
		}, []string{form + "requested_port_time"}},
		{"time", func(f *portinv1.PortForm) {
			f.RequestedPortDate, f.RequestedPortTime = new("2026-07-02"), new("00:00")
		}, nil},
		{"submitter", func(f *portinv1.PortForm) { f.SubmitterPhoneNumber = new("") }, []string{form + "submitter_phone_number"}},
		{"toll-free submitter", func(f *portinv1.PortForm) { f.SubmitterPhoneNumber = new("+18005550199") }, nil},
		{"note", func(f *portinv1.PortForm) { f.ExtraDetails = []*portinv1.ExtraDetail{{Key: "k", Value: "v"}, {}} }, []string{
			form + "extra_details[1].key", form + "extra_details[1].value",
		}},
		{"document", func(f *portinv1.PortForm) { f.LastInvoices = []*portinv1.Document{{}} }, []string{
			form + "last_invoices[0].file_name", form + "last_invoices[0].mime_type", form + "last_invoices[0].content",
		}},
		{"nil document", func(f *portinv1.PortForm) { f.LastInvoices = []*portinv1.Document{nil} }, []string{
			form + "last_invoices[0].file_name", form + "last_invoices[0].mime_type", form + "last_invoices[0].content",
		}},
		{"empty reseller", func(f *portinv1.PortForm) {
			f.CurrentProviderId, f.CurrentReseller = nil, new("")
		}, []string{form + "current_reseller"}},
	}
	regular := []broken{
		{"toll-free only", func(f *portinv1.PortForm) {
			f.RespOrgForms = []*portinv1.Document{{FileName: "a", MimeType: "a/b", Content: []byte("a")}}
		}, []string{form + "resp_org_forms"}},
		{"no losing carrier", func(f *portinv1.PortForm) { f.CurrentProviderId = nil }, []string{form + "current_provider_id"}},
		{"losing carrier mandatory", func(f *portinv1.PortForm) {
			f.CurrentProviderId, f.CurrentProviderNotMandatory = nil, no
		}, []string{form + "current_provider_id"}},
		{"losing carrier not mandatory", func(f *portinv1.PortForm) { f.CurrentProviderId, f.CurrentProviderNotMandatory = nil, yes }, nil},
		{"reseller", func(f *portinv1.PortForm) { f.CurrentProviderId, f.CurrentReseller = nil, new("r") }, nil},
		{"provider and reseller", func(f *portinv1.PortForm) { f.CurrentReseller = new("r") }, nil},
		{"new pilot of nothing", func(f *portinv1.PortForm) { f.NewPilotNumber = new("+14165550188") }, []string{
			form + "new_pilot_number", form + "new_pilot_number",
		}},
		{"new pilot that goes", func(f *portinv1.PortForm) {
			f.ChangePilotNumber, f.NewPilotNumber = yes, new("+14165550188")
			f.NumbersToRemain = []string{"+14165550187", "unread"}
		}, []string{form + "numbers_to_remain[1]", form + "new_pilot_number"}},
		{"new pilot that is none", func(f *portinv1.PortForm) {
			f.ChangePilotNumber, f.NewPilotNumber = yes, new("")
		}, []string{form + "new_pilot_number"}},
		{"new pilot", func(f *portinv1.PortForm) {
			f.ChangePilotNumber, f.NewPilotNumber = yes, new("+14165550188")
			f.NumbersToRemain = []string{"+14165550187", "+14165550188"}
		}, nil},
		{"circuit", func(f *portinv1.PortForm) { f.PriMegalinkCircuit = new("") }, []string{form + "pri_megalink_circuit"}},
		{"circuit of no PRI", func(f *portinv1.PortForm) {
			f.IsPriMegalink, f.PriMegalinkRemainActive = no, no
		}, []string{form + "pri_megalink_remain_active"}},
		{"circuit of a PRI", func(f *portinv1.PortForm) {
			f.IsPriMegalink, f.PriMegalinkCircuit, f.PriMegalinkRemainActive = yes, new("c"), no
		}, nil},
		{"toll-free numbers that remain", func(f *portinv1.PortForm) { f.NumbersToRemain = []string{"+18005550199"} }, nil},
	}
	tollFree := []broken{
		{"neither provider nor reseller", func(f *portinv1.PortForm) { f.CurrentProviderId = nil }, nil},
		{"provider", func(f *portinv1.PortForm) { f.CurrentProviderId = new(int32(0)) }, nil},
		{"provider and reseller", func(f *portinv1.PortForm) {
			f.CurrentProviderId, f.CurrentReseller = new(int32(0)), new("r")
		}, []string{form + "current_reseller"}},
		{"remain", func(f *portinv1.PortForm) { f.NumbersToRemain = []string{"+14165550187"} }, []string{form + "numbers_to_remain"}},
		{"disconnect", func(f *portinv1.PortForm) { f.NumbersToDisconnect = []string{"+14165550187"} }, []string{form + "numbers_to_disconnect"}},
		{"change of pilot", func(f *portinv1.PortForm) { f.ChangePilotNumber = no }, []string{form + "change_pilot_number"}},
		{"new pilot", func(f *portinv1.PortForm) { f.NewPilotNumber = new("+14165550187") }, []string{form + "new_pilot_number"}},
		{"PRI", func(f *portinv1.PortForm) { f.IsPriMegalink = no }, []string{form + "is_pri_megalink"}},
		{"circuit", func(f *portinv1.PortForm) { f.PriMegalinkCircuit = new("") }, []string{form + "pri_megalink_circuit"}},
		{"active circuit", func(f *portinv1.PortForm) { f.PriMegalinkRemainActive = no }, []string{form + "pri_megalink_remain_active"}},
		{"letter", func(f *portinv1.PortForm) {
			f.LettersOfAuthorization = []*portinv1.Document{{FileName: "a", MimeType: "a/b", Content: []byte("a")}}
		}, []string{form + "letters_of_authorization"}},
	}
	for _, spec := range Specs() {
		rules := append(slices.Clone(both), regular...)
		if spec.TollFree {
			rules = append(slices.Clone(both), tollFree...)
		}
		order := smallest(t, string(spec.Arm))
		for _, rule := range rules {
			t.Run(string(spec.Arm)+"/"+rule.name, func(t *testing.T) {
				t.Parallel()
				o := clone(order)
				rule.edit(o.GetForm())
				if diff := cmp.Diff(rule.want, fieldsOf(Validate(o)), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestValidateWithoutParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		order *portinv1.PortInOrder
		want  []fault.Violation
	}{
		{"no order", nil, []fault.Violation{{Field: "order", Description: "is required"}}},
		{"empty", &portinv1.PortInOrder{}, []fault.Violation{
			{Field: "order.form", Description: "is required"}, {Field: "order.target", Description: noTarget},
		}},
		{"target without a message", &portinv1.PortInOrder{Target: &portinv1.PortInOrder_VirtualFax{}}, []fault.Violation{
			{Field: "order.form", Description: "is required"},
			{Field: "order.target", Description: noTarget},
			{Field: "order.virtual_fax.offering_id", Description: "is required"},
			{Field: "order.virtual_fax.fax_email", Description: "is required"},
			{Field: "order.virtual_fax.numbers", Description: "must have at least 1 entry"},
		}},
		{"empty target", &portinv1.PortInOrder{Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{
			Numbers: []string{"", "+14165550123"},
		}}}, []fault.Violation{
			{Field: "order.form", Description: "is required"},
			{Field: "order.virtual_fax.offering_id", Description: "is required"},
			{Field: "order.virtual_fax.fax_email", Description: "is required"},
			{Field: "order.virtual_fax.numbers[0]", Description: nanp.Want},
		}},
		// A number that cannot exist is neither of the wrong kind nor there twice.
		{"numbers that cannot exist", &portinv1.PortInOrder{
			Form: smallest(t, "virtual_fax").GetForm(),
			Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{
				OfferingId: "o", FaxEmail: "fax@example.com", Numbers: []string{"+18009110123", "+18009110123", "+14164110123"},
			}},
		}, []fault.Violation{
			{Field: "order.virtual_fax.numbers[0]", Description: "is not a toll-free number that exists; the exchange 911 is none"},
			{Field: "order.virtual_fax.numbers[1]", Description: "is not a toll-free number that exists; the exchange 911 is none"},
			{Field: "order.virtual_fax.numbers[2]", Description: "is not a telephone number that exists; an exchange such as 411 or 911 is a service code"},
		}},
		{"nil entry", &portinv1.PortInOrder{Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{
			PilotNumber: "+14165550190", Dids: []*portinv1.TrunkDid_Did{nil},
		}}}, []fault.Violation{
			{Field: "order.form", Description: "is required"},
			{Field: "order.trunk_did.dids[0].number", Description: "is required"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Validate(tt.order)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestViolationsStandInTheOrderOfTheContract: declared fields, indices as numbers.
func TestViolationsStandInTheOrderOfTheContract(t *testing.T) {
	t.Parallel()
	o := smallest(t, "residential_line")
	line := o.GetResidentialLine().GetLines()[0]
	var want []string
	o.Form.CustomerName = ""
	want = append(want, "order.form.customer_name")
	o.Form.ServiceAddress.Country = "XX"
	want = append(want, "order.form.service_address.country")
	o.Form.RequestedPortTime = new("x")
	want = append(want, "order.form.requested_port_time", "order.form.requested_port_time")
	for i := range 12 {
		l := proto.CloneOf(line)
		l.Number, l.PlanId, l.SecondLocale = fmt.Sprintf("+1416555%04d", 100+i), "", 99
		o.GetResidentialLine().Lines = append(o.GetResidentialLine().GetLines(), l)
		at := fmt.Sprintf("order.residential_line.lines[%d].", i+1)
		want = append(want, at+"plan_id", at+"second_locale")
	}
	if diff := cmp.Diff(want, fieldsOf(Validate(o))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSortViolations(t *testing.T) {
	t.Parallel()
	want := []string{
		"order", "order.form", "order.form.unheard_of", "order.form.customer_name", "order.form.last_invoices[2].content",
		"order.form.last_invoices[10].file_name", "order.target", "order.trunk_did.dids[9].number", "order.trunk_did.dids[10].number",
		"order.virtual_fax",
	}
	var violations []fault.Violation
	var warnings []*portinv1.Warning
	for _, field := range slices.Backward(want) {
		violations = append(violations, fault.Violation{Field: field})
		warnings = append(warnings, &portinv1.Warning{Field: field})
	}
	// The form itself and a field that it has not stand at the same place, and keep the order that they have.
	i, j := slices.Index(fieldsOf(violations), "order.form"), slices.Index(fieldsOf(violations), "order.form.unheard_of")
	violations[i], violations[j] = violations[j], violations[i]
	SortViolations(violations)
	if diff := cmp.Diff(want, fieldsOf(violations)); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	SortWarnings(warnings)
	if got := warnings[len(warnings)-1].GetField(); got != "order.virtual_fax" {
		t.Errorf("the last warning is about %s", got)
	}
}

func TestViolationsAreBounded(t *testing.T) {
	t.Parallel()
	fax := &portinv1.VirtualFax{OfferingId: "o", FaxEmail: "fax@example.com"}
	for range 5000 {
		fax.Numbers = append(fax.Numbers, "x")
	}
	o := smallest(t, "virtual_fax")
	o.Target = &portinv1.PortInOrder_VirtualFax{VirtualFax: fax}
	if got := len(Validate(o)); got != maxViolations {
		t.Errorf("%d violations, want %d", got, maxViolations)
	}
	for i := range fax.Numbers {
		fax.Numbers[i] = fmt.Sprintf("+1290555%04d", i)
	}
	if _, warnings := Review(o, goldenFacts()); len(warnings) != maxWarnings {
		t.Errorf("%d warnings, want %d", len(warnings), maxWarnings)
	}
}

// TestNothingIsQuoted plants a word in every text of every target and looks for it in what is said about the order.
func TestNothingIsQuoted(t *testing.T) {
	t.Parallel()
	const planted = "PLANTED\x01SECRET"
	for _, spec := range Specs() {
		o := fullest(t, string(spec.Arm))
		orderPlan.rewrite(o.ProtoReflect(), nil, func(trail, textKind, string) string { return planted })
		violations := Validate(o)
		more, warnings := Review(o, goldenFacts())
		if len(violations) < 20 {
			t.Errorf("%s: only %d violations", spec.Arm, len(violations))
		}
		said := fmt.Sprint(violations, more, warnings)
		if _, err := CarrierCall(o); err != nil {
			said += err.Error()
		}
		if strings.Contains(said, "PLANTED") || strings.Contains(said, "SECRET") {
			t.Errorf("%s: a value is quoted: %s", spec.Arm, said)
		}
	}
}

// TestListsOfAnOrderAreShallow: CheckSize counts the lists of the form and of the target; one deeper down would not be
// bounded.
func TestListsOfAnOrderAreShallow(t *testing.T) {
	t.Parallel()
	var walk func(m protoreflect.MessageDescriptor, depth int)
	walk = func(m protoreflect.MessageDescriptor, depth int) {
		for i := range m.Fields().Len() {
			fd := m.Fields().Get(i)
			if depth > 1 && (fd.IsList() || fd.IsMap()) {
				t.Errorf("%s is a list inside a list; count it in size.go", fd.FullName())
			}
			if fd.Message() != nil && fd.Message().ParentFile().Package() == "portin.v1" {
				walk(fd.Message(), depth+1)
			}
		}
	}
	walk(orderDescriptor(), 0)
}
