package gateway_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// What a PATCH names is its mask, unless the caller says another one; a mask has the contract's names.
func TestMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, body string
		want        []string
	}{
		{"", `{}`, nil},
		{"", `{"disabled":false}`, []string{"disabled"}},
		{"", `{"eventTypes":[],"description":"", "url" : "https://x.example"}`, []string{"description", "event_types", "url"}},
		{"", `{"event_types":[],"pendingCount":0}`, []string{"event_types", "pending_count"}},
		{"", `{"\u0064isabled":false}`, []string{"disabled"}},
		{"", `{"description": null ,"disabled":true}`, []string{"disabled"}},
		{"?updateMask=", `{"disabled":false}`, []string{"disabled"}},
		{"?updateMask=eventTypes,url", `{"disabled":false}`, []string{"event_types", "url"}},
		{"?update_mask=event_types", `{}`, []string{"event_types"}},
		{"?updateMask=nothing.urL,url.x", `{}`, []string{"nothing.urL", "url.x"}},
	} {
		f := newFace(t).answering(&portinv1.UpdateWebhookEndpointResponse{}, nil)
		w := f.do(http.MethodPatch, "/v1/webhook-endpoints/7"+c.query, c.body)
		if w.Code != http.StatusOK {
			t.Errorf("%s %s is answered %d: %s", c.query, c.body, w.Code, w.Body)
			continue
		}
		got, _ := f.service.onlyRequest(t).(*portinv1.UpdateWebhookEndpointRequest)
		var want *fieldmaskpb.FieldMask
		if c.want != nil {
			want = &fieldmaskpb.FieldMask{Paths: c.want}
		}
		sameMessage(t, want, got.GetUpdateMask())
	}
	f := newFace(t)
	f.refusedBefore(t, f.do(http.MethodPatch, "/v1/webhook-endpoints/7", `{"disabled":false,"colour":1}`), 400, "MALFORMED_REQUEST")
	f.refusedBefore(t, f.do(http.MethodPatch, "/v1/webhook-endpoints/7?updateMask=url&update_mask=url", `{}`), 400, "MALFORMED_REQUEST")
}

// The mask of another call is spelled anew too, and none is made of its body: it says what it means.
func TestTheMaskOfAPost(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]*fieldmaskpb.FieldMask{
		"": nil,
		"?updateMask=form.customerName,trunkDid.dids.number,form.letters_of_authorization": {
			Paths: []string{"form.customer_name", "trunk_did.dids.number", "form.letters_of_authorization"},
		},
	} {
		f := newFace(t).answering(&portinv1.ResubmitPortInResponse{}, nil)
		f.do(http.MethodPost, "/v1/port-ins/7:resubmit"+query, `{"form":{}}`)
		got, _ := f.service.onlyRequest(t).(*portinv1.ResubmitPortInRequest)
		sameMessage(t, want, got.GetUpdateMask())
	}
}

// What a correction goes without may be named as violations over JSON name it.
func TestWhatIsDroppedIsSpelledAsTheBody(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"": nil,
		"?droppedDocuments=form.lastInvoices&droppedDocuments=businessLine.lines[0].sipPassword": {"form.last_invoices", "business_line.lines[0].sip_password"},
		"?dropped_documents=form.last_invoices&dropped_documents=businessLine.lines.sipPassword": {"form.last_invoices", "business_line.lines.sip_password"},
		"?droppedDocuments=nothing.lastInvoices&droppedDocuments=form.lastInvoices[":             {"nothing.lastInvoices", "form.last_invoices["},
	} {
		f := newFace(t).answering(&portinv1.ResubmitPortInResponse{}, nil)
		f.do(http.MethodPost, "/v1/port-ins/7:resubmit"+query, `{"form":{}}`)
		got, _ := f.service.onlyRequest(t).(*portinv1.ResubmitPortInRequest)
		if diff := cmp.Diff(want, got.GetDroppedDocuments()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}
