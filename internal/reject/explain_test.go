package reject

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"testing/quick"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

var update = flag.Bool("update", false, "write testdata/explained.json; read it before you commit it")

// records are what Explain is held to, by name, in testdata/explained.json.
var records = map[string]carrier.Reject{
	"account number, unknown code": {Code: "AN", Form: "LSR", Field: "AN", RejectRemarks: "Account number does not match the record"},
	"number, with its range": {
		Code: "TN", Form: "NP", Field: "PORTED NBR", Ported: "416-555-0123", PortedRange: "0125", Disconnect: "416-555-0123",
		DiscRange: "0125", Remarks: "Call the customer", RejectRemarks: "Number is not on this account",
	},
	"nothing is known":               {Code: "ZZ", Form: "EU", Field: "XQ9", RejectRemarks: "Motif non répertorié"},
	"nothing is said":                {},
	"code alone":                     {Code: "8A"},
	"form alone":                     {Form: "EU"},
	"remarks are not searched":       {Remarks: "PIN invalid", RejectRemarks: "account number 12345 not found, NSF, SANO"},
	"several fields in one":          {Form: "EU", Field: "SANO, SASN"},
	"pilot number":                   {Form: "EU", Field: "EATN"},
	"name of the end user":           {Form: "EU", Field: "NAME"},
	"name on another form":           {Form: "LSR", Field: "NAME"},
	"name on no form":                {Field: "NAME"},
	"street":                         {Form: "EU", Field: "SASN"},
	"unit":                           {Form: "EU", Field: "LV1"},
	"province":                       {Form: "EU", Field: "Prov/State"},
	"postal code":                    {Form: "EU", Field: "zip code"},
	"postal code of the bill":        {Form: "LSR", Field: "ZIP"},
	"passcode":                       {Field: "PIN"},
	"authorization":                  {Form: "LSR", Field: "AGAUTH"},
	"reseller":                       {Field: "Reseller Name"},
	"date":                           {Form: "LSR", Field: "DDD"},
	"time":                           {Form: "LSR", Field: "APPTIME"},
	"part of the account":            {Form: "LSR", Field: "MI"},
	"number to disconnect, unspoken": {Field: "DISC #", Disconnect: "not a number"},
	"the porting team's own":         {Form: "LSR", Field: "D/TSENT"},
}

func TestExplain(t *testing.T) {
	t.Parallel()
	const name = "testdata/explained.json"
	if *update {
		all := map[string]json.RawMessage{}
		for of, r := range records {
			text, err := protojson.Marshal(Explain([]carrier.Reject{r})[0])
			if err != nil {
				t.Fatal(err)
			}
			all[of] = text
		}
		text, err := json.MarshalIndent(all, "", "  ")
		if err == nil {
			err = os.WriteFile(name, append(text, '\n'), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]json.RawMessage
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden) != len(records) {
		t.Errorf("%s has %d cases, want %d", name, len(golden), len(records))
	}
	for of, r := range records {
		want := &portinv1.Reject{}
		if err := protojson.Unmarshal(golden[of], want); err != nil {
			t.Errorf("%s: %v", of, err)
			continue
		}
		if diff := gocmp.Diff(want, Explain([]carrier.Reject{r})[0], protocmp.Transform()); diff != "" {
			t.Errorf("%s (-golden +got):\n%s", of, diff)
		}
	}
}

// TestCodesAndFields holds the order of entries, with a table that knows codes; the real one knows none yet.
func TestCodesAndFields(t *testing.T) {
	t.Parallel()
	f := written(t)
	for _, e := range []entry{
		{Codes: []string{"C1"}, Reason: "PENDING_ORDER"},
		{Codes: []string{"C1"}, Forms: []string{"NP"}, Reason: "NUMBER_INACTIVE"},
		{Codes: []string{"C1"}, Fields: []string{"DDD"}, Reason: "PORT_PROTECTION"},
		{Codes: []string{"C1"}, Forms: []string{"NP"}, Fields: []string{"DDD"}, Reason: "SPECIAL_FEATURE"},
		{Codes: []string{"C2"}, Reason: "ADDRESS"},
		{Codes: []string{"C3"}, Reason: "OTHER", saying: saying{Party: "NOBODY"}},
	} {
		e.Certainty, e.Sources = "assumed", []string{"custom"}
		f.Entries = append(f.Entries, e)
	}
	for name, r := range f.Reasons {
		switch name {
		case "PENDING_ORDER", "NUMBER_INACTIVE", "PORT_PROTECTION", "SPECIAL_FEATURE":
			r.WithoutEntry = ""
			f.Reasons[name] = r
		}
	}
	table, err := f.table()
	if err != nil {
		t.Fatal(err)
	}
	const (
		unspecified = portinv1.RejectParty_REJECT_PARTY_UNSPECIFIED
		caller      = portinv1.RejectParty_REJECT_PARTY_CALLER
		endUser     = portinv1.RejectParty_REJECT_PARTY_END_USER
		nobody      = portinv1.RejectParty_REJECT_PARTY_NOBODY
	)
	type short struct {
		Reason, Field string
		Party         portinv1.RejectParty
	}
	for _, c := range []struct {
		why  string
		give carrier.Reject
		want short
	}{
		{"a code", carrier.Reject{Code: "c1 "}, short{"PENDING_ORDER", "", endUser}},
		{"a code on another form", carrier.Reject{Code: "C1", Form: "EU"}, short{"PENDING_ORDER", "", endUser}},
		{"a code on its form", carrier.Reject{Code: "C1", Form: "NP"}, short{"NUMBER_INACTIVE", "", endUser}},
		{"a code with its field", carrier.Reject{Code: "C1", Form: "LSR", Field: "DDD"}, short{"PORT_PROTECTION", "", endUser}},
		{"all three", carrier.Reject{Code: "C1", Form: "NP", Field: "DDD"}, short{"SPECIAL_FEATURE", "", endUser}},
		{"an unknown field", carrier.Reject{Code: "C1", Field: "XQ9"}, short{"PENDING_ORDER", "", endUser}},
		{"an unknown code", carrier.Reject{Code: "XX", Field: "DDD"}, short{"DATE", "order.form.requested_port_date", caller}},
		{"both agree, the field is closer", carrier.Reject{Code: "C2", Field: "SASN"}, short{"ADDRESS", "order.form.service_address.street_name", caller}},
		{"the field only says which number", carrier.Reject{Code: "C1", Field: "PORTED NBR"}, short{"PENDING_ORDER", "", endUser}},
		{"the code says nothing of what is wrong", carrier.Reject{Code: "C3", Field: "AN"}, short{"ACCOUNT_NUMBER", "order.form.customer_account_number", caller}},
		{"a code that is OTHER", carrier.Reject{Code: "C3", Field: "XQ9"}, short{"OTHER", "", nobody}},
		{"they contradict each other", carrier.Reject{Code: "C2", Field: "AN"}, short{"OTHER", "", unspecified}},
	} {
		got := table.explain(c.give)
		told := short{got.GetReason().String()[len(reasonPrefix):], got.GetField(), got.GetParty()}
		if diff := gocmp.Diff(c.want, told); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
}

func TestNoRecordsAreNoRejects(t *testing.T) {
	t.Parallel()
	if got := Explain(nil); got != nil {
		t.Errorf("got %v", got)
	}
}

// TestTheMessagesAreTheCallersOwn clears one answer, as a redactor does, and asks again.
func TestTheMessagesAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	ask := []carrier.Reject{{Field: "AN"}, {Field: "AN"}}
	got, want := Explain(ask), Explain(ask)
	got[0].Text.En, got[0].Collect.Fr, *got[0].ResendingHelps = "", "", false
	if diff := gocmp.Diff(want[1:], got[1:], protocmp.Transform()); diff != "" {
		t.Errorf("the second message (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, Explain(ask), protocmp.Transform()); diff != "" {
		t.Errorf("the next answer (-want +got):\n%s", diff)
	}
}

// TestEveryRecordIsKept tries records at random, among them names that the table has.
func TestEveryRecordIsKept(t *testing.T) {
	t.Parallel()
	names := []string{"", "AN", "eu", "NAME", " PORTED #", "ddd", "ZZ", "SANO/SASN"}
	kept := func(given []carrier.Reject, picks []uint8) bool {
		for i, pick := range picks {
			if i < len(given) {
				given[i].Form, given[i].Field = names[int(pick)%len(names)], names[int(pick/16)%len(names)]
			}
		}
		return isKept(t, given)
	}
	if err := quick.Check(kept, nil); err != nil {
		t.Error(err)
	}
}

// isKept holds what every answer of Explain promises, and reports whether it holds.
func isKept(t *testing.T, given []carrier.Reject) bool {
	t.Helper()
	explained := Explain(given)
	if len(explained) != len(given) {
		t.Errorf("%d records, %d meanings", len(given), len(explained))
		return false
	}
	for i, r := range given {
		got := explained[i]
		want := &portinv1.RejectRecord{
			Code: r.Code, Form: r.Form, FieldAbbreviation: r.Field, Remarks: r.Remarks, RejectRemarks: r.RejectRemarks,
			PortedNumber: e164(r.Ported), PortedNumberRange: r.PortedRange, DisconnectNumber: e164(r.Disconnect),
			DisconnectNumberRange: r.DiscRange,
		}
		if diff := gocmp.Diff(want, got.GetRecord(), protocmp.Transform()); diff != "" {
			t.Errorf("record %d (-want +got):\n%s", i, diff)
			return false
		}
		if got.GetReason() == 0 || got.GetText().GetEn() == "" || got.GetText().GetFr() == "" {
			t.Errorf("nothing is said of %+v", r)
			return false
		}
		if _, err := proto.Marshal(got); err != nil {
			t.Errorf("%+v: %v", r, err)
			return false
		}
	}
	return true
}
