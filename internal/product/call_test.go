package product

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// TestCarrierCallRefuses what Validate would have found: nothing is sent by halves, and nothing that was left out becomes
// a 0 or a false.
func TestCarrierCallRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, arm string
		edit      func(o *portinv1.PortInOrder)
		want      string
	}{
		{"no target", "trunk_did", func(o *portinv1.PortInOrder) { o.Target = nil }, "without a target or a form"},
		{"no form", "trunk_did", func(o *portinv1.PortInOrder) { o.Form = nil }, "without a target or a form"},
		{"no address", "virtual_fax", func(o *portinv1.PortInOrder) { o.Form.ServiceAddress = nil }, "order.form.service_address is not set"},
		{"no number", "virtual_fax", func(o *portinv1.PortInOrder) { o.GetVirtualFax().Numbers = nil }, "order.virtual_fax has no number to port"},
		{"unread number", "virtual_fax", func(o *portinv1.PortInOrder) {
			o.GetVirtualFax().Numbers[0] = "x"
		}, "order.virtual_fax.numbers[0] is not a telephone number"},
		{"unread pilot", "trunk_toll_free_did", func(o *portinv1.PortInOrder) {
			o.GetTrunkTollFreeDid().PilotNumber = ""
		}, "order.trunk_toll_free_did.pilot_number is not"},
		{"unread surecall", "trunk_did", func(o *portinv1.PortInOrder) {
			o.GetTrunkDid().Dids[0].SurecallNumber = new("")
		}, "order.trunk_did.dids[0].surecall_number is not"},
		{"unread number to remain", "trunk_did", func(o *portinv1.PortInOrder) {
			o.Form.NumbersToRemain = []string{"+14165550101", "x"}
		}, "order.form.numbers_to_remain[1] is not"},
		{"no account", "residential_line", func(o *portinv1.PortInOrder) {
			o.GetResidentialLine().Lines[0].Account = nil
		}, "order.residential_line.lines[0].account is not set"},
		{"no word on enabled", "residential_line", func(o *portinv1.PortInOrder) {
			o.GetResidentialLine().Lines[0].Enabled = nil
		}, "order.residential_line.lines[0].enabled is not set"},
		{"no language", "business_line", func(o *portinv1.PortInOrder) {
			o.GetBusinessLine().Lines[0].Locale = 0
		}, "order.business_line.lines[0].locale is not"},
		{"unknown second language", "business_line", func(o *portinv1.PortInOrder) {
			o.GetBusinessLine().Lines[0].SecondLocale = 9
		}, "order.business_line.lines[0].second_locale is not"},
		{"forward without a word on enabled", "permanent_call_forward", func(o *portinv1.PortInOrder) {
			o.GetPermanentCallForward().Forwards[0].Enabled = nil
		}, "order.permanent_call_forward.forwards[0].enabled is not set"},
		{"nil entry", "business_permanent_call_forward", func(o *portinv1.PortInOrder) {
			o.GetBusinessPermanentCallForward().ForwardingInstructions[0] = nil
		}, "order.business_permanent_call_forward.forwarding_instructions[0].number is not"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := smallest(t, tt.arm)
			tt.edit(o)
			call, err := CarrierCall(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || call.Body != nil {
				t.Errorf("CarrierCall = %s, %v, want an error with %q", call.Body, err, tt.want)
			}
		})
	}
}

// TestLocalesAreTheCarriers: every language of the contract has a number of the carrier, and each another one.
func TestLocalesAreTheCarriers(t *testing.T) {
	t.Parallel()
	schema := specification(t).Components.Schemas["BusinessLineOrder"].Value.Properties
	whole := func(what string, names map[int32]string, of func(int32) (int, bool), allowed []any) {
		got := map[int]bool{}
		for n, name := range names {
			wire, ok := of(n)
			if ok == (n == 0) {
				t.Errorf("%s: in the table is %t", name, ok)
			}
			if ok {
				got[wire] = true
			}
		}
		want := map[int]bool{}
		for _, v := range allowed {
			f, _ := v.(float64)
			want[int(f)] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-carrier +table):\n%s", what, diff)
		}
	}
	whole("Locale", portinv1.Locale_name, func(n int32) (int, bool) {
		wire, ok := wireLocales[portinv1.Locale(n)]
		return wire, ok
	}, schema["Locale"].Value.Enum)
	whole("SecondLocale", portinv1.SecondLocale_name, func(n int32) (int, bool) {
		wire, ok := wireSecondLocales[portinv1.SecondLocale(n)]
		return wire, ok
	}, schema["SecondLocale"].Value.Enum)
}

// FuzzFiles holds the body, into which the files are put piece by piece, to what encoding/json alone would have made.
func FuzzFiles(f *testing.F) {
	f.Add("letter.pdf", "application/pdf", []byte("%PDF"), []byte(""), "a comment")
	f.Add(`"Base64Contents":"1"`, `x","Base64Contents":"0","y":"`, []byte{0, 255, 62, 63}, []byte("x"), `\"Base64Contents\":\"`)
	f.Add("a<b>&c\u2028", `\`, []byte(nil), []byte("0"), "\"Base64Contents\":\"\n")
	f.Fuzz(func(t *testing.T, name, kind string, first, second []byte, comment string) {
		form := &portinv1.PortForm{
			ServiceAddress:   &portinv1.ServiceAddress{},
			CommentsPortTeam: &comment,
			ExtraDetails:     []*portinv1.ExtraDetail{{Key: name, Value: kind}},
			LastInvoices:     []*portinv1.Document{{FileName: name, MimeType: kind, Content: first}},
			BlifSpreadsheets: []*portinv1.Document{{FileName: kind, MimeType: name, Content: second}, {FileName: comment, Content: first}},
			LettersOfAuthorization: []*portinv1.Document{
				{FileName: "loa", Content: second}, {FileName: comment, MimeType: comment, Content: append(second, first...)},
			},
		}
		e := encoder{toPort: []int64{4165550123}}
		got, err := e.encode(e.regularForm(form))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != cap(got) {
			t.Errorf("the body has %d bytes of the %d that were counted", len(got), cap(got))
		}
		plain := (&encoder{toPort: []int64{4165550123}}).regularForm(form)
		whole := func(files []wireFile, documents []*portinv1.Document) {
			for i := range files {
				files[i].Base64Contents = base64.StdEncoding.EncodeToString(documents[i].GetContent())
			}
		}
		whole(plain.FileLastInvoice, form.GetLastInvoices())
		whole(plain.FileBlifSpreadsheet, form.GetBlifSpreadsheets())
		whole(plain.FileLetterOfAuthorization, form.GetLettersOfAuthorization())
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(plain); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSuffix(want.String(), "\n"), string(got)); diff != "" {
			t.Errorf("(-plain +got):\n%s", diff)
		}
	})
}

// TestBodyWithoutAPlaceForAFile cannot happen while wireFile is what makes files; it must not become half a body.
func TestBodyWithoutAPlaceForAFile(t *testing.T) {
	t.Parallel()
	e := encoder{files: [][]byte{[]byte("x")}}
	if body, err := e.encode(struct{}{}); err == nil {
		t.Errorf("encode = %s", body)
	}
	if body, err := (&encoder{}).encode(func() {}); err == nil {
		t.Errorf("encode = %s", body)
	}
}

func BenchmarkDocuments(b *testing.B) {
	o := smallest(b, "trunk_did")
	o.Form.LastInvoices = []*portinv1.Document{{FileName: "a.pdf", MimeType: "application/pdf", Content: make([]byte, 5<<20)}}
	b.SetBytes(5 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CarrierCall(o); err != nil {
			b.Fatal(err)
		}
	}
}
