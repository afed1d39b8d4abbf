package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/product"
)

func marshalled(t *testing.T, m proto.Message) []byte {
	t.Helper()
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestErrorsNameFieldsInTheCallersSpelling sends the same bad order over both faces.
func TestErrorsNameFieldsInTheCallersSpelling(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	o := golden(t, product.Specs()[0], "smallest")
	o.GetForm().GetServiceAddress().PostalCode = "D0D 0D0"
	o.GetTrunkDid().GetDids()[0].Number = "911"
	for _, c := range []struct {
		key        string
		grpc, json []string
	}{
		{
			"",
			[]string{"order.form.service_address.postal_code", "order.trunk_did.dids[0].number", "request_id"},
			[]string{"form.serviceAddress.postalCode", "trunkDid.dids[0].number", "requestId"},
		},
		{
			newKey(),
			[]string{"order.form.service_address.postal_code", "order.trunk_did.dids[0].number"},
			[]string{"form.serviceAddress.postalCode", "trunkDid.dids[0].number"},
		},
	} {
		_, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: o, RequestId: c.key})
		if status.Code(err) != codes.InvalidArgument {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.grpc, violated(t, status.Convert(err))); diff != "" {
			t.Errorf("over gRPC (-want +got):\n%s", diff)
		}
		headers := []string{"Idempotency-Key", c.key}
		if c.key == "" {
			headers = nil
		}
		a := s.do(t, http.MethodPost, "http://"+s.HTTPAddress+"/v1/port-ins", marshalled(t, o), headers...)
		if a.status != http.StatusBadRequest {
			t.Fatalf("HTTP %d: %s", a.status, a.body)
		}
		var said struct {
			Details []struct{ FieldViolations []struct{ Field string } }
		}
		if err := json.Unmarshal(a.body, &said); err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, d := range said.Details {
			for _, v := range d.FieldViolations {
				fields = append(fields, v.Field)
			}
		}
		if diff := cmp.Diff(c.json, fields); diff != "" {
			t.Errorf("over JSON (-want +got):\n%s", diff)
		}
	}
	if got := s.carrier.posts(); len(got) != 0 {
		t.Errorf("the carrier got %v", got)
	}
}

func violated(t *testing.T, st *status.Status) []string {
	t.Helper()
	var fields []string
	for _, d := range st.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	return fields
}

// TestLargeDocumentsPassBothFaces sends as much as an order may have, and then a byte more than a face takes.
func TestLargeDocumentsPassBothFaces(t *testing.T) {
	t.Parallel()
	// More than the 4 MiB that gRPC takes by default, and less than the real limits, for the race detector's sake.
	limits := config.Default().Limits
	limits.FileBytes, limits.DocumentBytes = 2<<20, 5<<20
	s := start(t, sqlite, func(p *app.Params) { p.Config.Limits = limits })
	document := func(size int) *portinv1.Document {
		return &portinv1.Document{FileName: "loa.pdf", MimeType: "application/pdf", Content: append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte{'x'}, size-9)...)}
	}
	full := golden(t, product.Specs()[0], "smallest")
	for left := limits.DocumentBytes; left > 0; left -= limits.FileBytes {
		full.Form.LettersOfAuthorization = append(full.Form.LettersOfAuthorization, document(int(min(left, limits.FileBytes))))
	}
	a := s.place(t, marshalled(t, full), newKey())
	if a.status != http.StatusOK {
		t.Fatalf("over JSON: HTTP %d: %.300s", a.status, a.body)
	}
	resp := message[portinv1.PortInResponse](t, a)
	if got := len(resp.GetOrder().GetForm().GetLettersOfAuthorization()); got != 3 || bytes.Contains(a.body, []byte("xxxxxxxx")) {
		t.Errorf("the answer has %d documents, or their content", got)
	}
	full.GetTrunkDid().GetDids()[0].Number = "+14165550149"
	if _, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: full, RequestId: newKey()}); err != nil {
		t.Errorf("over gRPC: %v", err)
	}
	full.Form.LastInvoices = []*portinv1.Document{document(100)}
	if a := s.place(t, marshalled(t, full), newKey()); a.status != http.StatusBadRequest {
		t.Errorf("with 100 bytes more than an order may have: HTTP %d: %.300s", a.status, a.body)
	}
	full.Form.LastInvoices = []*portinv1.Document{document(4 << 20)}
	if a := s.place(t, marshalled(t, full), newKey()); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("with 4 MiB more than a body may have: HTTP %d: %.300s", a.status, a.body)
	}
	if _, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: full, RequestId: newKey()}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("with 4 MiB more than a message may have: %v", err)
	}
	if got := len(s.carrier.posts()); got != 2 {
		t.Errorf("the carrier got %d POSTs, want 2", got)
	}
}

func TestStatusAndCatalogueOverJSON(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	placed := message[portinv1.PortInResponse](t, s.place(t, marshalled(t, golden(t, product.Specs()[0], "smallest")), newKey())).GetOrder()
	base := "http://" + s.HTTPAddress
	for _, path := range []string{
		"/v1/tickets/" + placed.GetTicketId() + "/status", "/v1/numbers/" + strings.TrimPrefix(placed.GetNumbers()[0], "+1") + "/status",
	} {
		got := message[portinv1.PortInStatus](t, s.do(t, http.MethodGet, base+path, nil))
		if got.GetTicketId() != placed.GetTicketId() || got.GetStatus() != portinv1.CarrierStatus_CARRIER_STATUS_PENDING ||
			got.GetCategory() != portinv1.Category_CATEGORY_OPEN {
			t.Errorf("%s: %v", path, got)
		}
		if diff := cmp.Diff(placed.GetNumbers(), got.GetNumbers()); diff != "" {
			t.Errorf("%s: numbers (-want +got):\n%s", path, diff)
		}
	}
	for path, code := range map[string]int{
		"/v1/numbers/4165550177/status":                   404,
		"/v1/numbers/911/status":                          400,
		"/v1/tickets/..%2F..%2FSipTrunks/status":          400,
		"/v1/port-ins/01977a3e-0000-7000-8000-0000000000": 400,
		"/v1/port-ins/" + newKey():                        404,
		"/v1/port-ins:watch?orderId=" + newKey():          404,
		"/v1/nothing":                                     404,
	} {
		if a := s.do(t, http.MethodGet, base+path, nil); a.status != code || !bytes.Contains(a.body, []byte("google.rpc.ErrorInfo")) {
			t.Errorf("%s: HTTP %d, want %d with an ErrorInfo: %s", path, a.status, code, a.body)
		}
	}
	for path, member := range map[string]string{
		"/v1/sip-trunks": "sipTrunks", "/v1/telephone-offerings": "telephoneOfferings", "/v1/providers": "providers",
		"/v1/business-groups": "businessGroups", "/v1/line-plans": "linePlans", "/v1/holidays": "holidays",
		"/v1/portable-rate-centers": "portableRateCenters",
	} {
		a := s.do(t, http.MethodGet, base+path+"?pageSize=1", nil)
		var got map[string]any
		if err := json.Unmarshal(a.body, &got); err != nil || a.status != 200 {
			t.Fatalf("%s: HTTP %d: %s", path, a.status, a.body)
		}
		if list, _ := got[member].([]any); len(list) != 1 || got["nextPageToken"] == "" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	a := s.do(t, http.MethodPost, base+"/v1/portability:check", []byte(`{"numbers":["416-555-0123","867555"]}`))
	got := message[portinv1.CheckPortabilityResponse](t, a)
	if len(got.GetResults()) != 2 || got.GetResults()[0].GetVerdict() != portinv1.PortabilityVerdict_PORTABILITY_VERDICT_PORTABLE ||
		got.GetResults()[1].GetVerdict() != portinv1.PortabilityVerdict_PORTABILITY_VERDICT_NOT_PORTABLE {
		t.Errorf("portability: HTTP %d: %s", a.status, a.body)
	}
}
