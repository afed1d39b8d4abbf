package webhook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

const anID = "0192d5a0-7c5e-7a61-8b1c-3f2a9d4e5f60"

// updates changes an endpoint.
func (h *house) updates(id string, e *portinv1.WebhookEndpoint, mask ...string) *portinv1.WebhookEndpoint {
	h.t.Helper()
	got, err := h.UpdateEndpoint(h.t.Context(), tenant, &portinv1.UpdateWebhookEndpointRequest{
		EndpointId: id, Endpoint: e, UpdateMask: &fieldmaskpb.FieldMask{Paths: mask},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

func wantFault(t *testing.T, err error, reason fault.Reason) {
	t.Helper()
	_ = faultIn(t, err, reason)
}

// faultIn is the fault in an error, and wants it to have a reason.
func faultIn(t *testing.T, err error, reason fault.Reason) *fault.Error {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Reason != reason {
		t.Fatalf("error %v, want %s", err, reason)
	}
	return e
}

func TestCreatingIsRepeatableForADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		req := &portinv1.CreateWebhookEndpointRequest{EndpointId: strings.ToUpper(anID), Endpoint: &portinv1.WebhookEndpoint{
			Url: new(aURL), Description: new("ours"), States: []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_ACCEPTED, portinv1.OrderState_ORDER_STATE_SENDING},
			EndpointId: "ignored", DisabledReason: "ignored", PendingCount: 7,
		}}
		first, err := h.CreateEndpoint(t.Context(), tenant, req)
		if err != nil {
			t.Fatal(err)
		}
		now := timestamppb.New(time.Now())
		want := &portinv1.CreateWebhookEndpointResponse{Secret: first.GetSecret(), Endpoint: &portinv1.WebhookEndpoint{
			Url: new(aURL), Description: new("ours"), States: []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_SENDING, portinv1.OrderState_ORDER_STATE_ACCEPTED},
			Disabled: new(false), EndpointId: anID, CreateTime: now, UpdateTime: now,
		}}
		if diff := cmp.Diff(want, first, protocmp.Transform()); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		if s := first.GetSecret(); !strings.HasPrefix(s, "whsec_") || len(s) != len("whsec_")+44 {
			t.Errorf("the secret has %d characters", len(s))
		}
		h.updates(anID, &portinv1.WebhookEndpoint{Description: new("changed")})
		pass(23 * time.Hour)
		again, err := h.CreateEndpoint(t.Context(), tenant, req)
		if err != nil || again.GetSecret() != first.GetSecret() || again.GetEndpoint().GetDescription() != "changed" {
			t.Errorf("again: %v, %v", again, err)
		}
		other := proto.CloneOf(req)
		other.Endpoint.Url = new("https://elsewhere.example/")
		_, err = h.CreateEndpoint(t.Context(), tenant, other)
		wantFault(t, err, fault.ReasonWebhookEndpointIDReused)
		_, err = h.CreateEndpoint(t.Context(), "another", req)
		wantFault(t, err, fault.ReasonWebhookEndpointIDReused)
		pass(time.Hour)
		_, err = h.CreateEndpoint(t.Context(), tenant, req)
		wantFault(t, err, fault.ReasonWebhookEndpointIDReused)
	})
}

func TestASecretIsNotToldAgainAfterItWasRotated(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	req := &portinv1.CreateWebhookEndpointRequest{EndpointId: anID, Endpoint: &portinv1.WebhookEndpoint{Url: new(aURL)}}
	if _, err := h.CreateEndpoint(t.Context(), tenant, req); err != nil {
		t.Fatal(err)
	}
	h.rotates(anID, new(int32(0)))
	_, err := h.CreateEndpoint(t.Context(), tenant, req)
	wantFault(t, err, fault.ReasonWebhookEndpointIDReused)
}

func TestTooManyEndpoints(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 50 {
		h.creates(&portinv1.WebhookEndpoint{})
	}
	req := &portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{Url: new(aURL)}}
	_, err := h.CreateEndpoint(t.Context(), tenant, req)
	wantFault(t, err, fault.ReasonTooManyWebhookEndpoints)
	if _, err = h.CreateEndpoint(t.Context(), "another", req); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	const inside = "is an address inside a network; want one of the internet"
	strict, loose := Config{}, Config{AllowHTTP: true, AllowInward: true}
	for url, want := range map[string][2]string{
		"https://example.com":                     {},
		"https://example.com:8443/a?b=c":          {},
		"https://8.8.8.8/":                        {},
		"https://[2606:4700::1111]/":              {},
		"http://example.com/":                     {"must begin with https://"},
		"http://127.0.0.1:8080/":                  {"must begin with https://"},
		"HTTPS://localhost/":                      {inside},
		"https://a.localhost./":                   {inside},
		"https://10.0.0.1/":                       {inside},
		"https://169.254.169.254/latest":          {inside},
		"https://[::ffff:10.0.0.1]/":              {inside},
		"https://[::1]/":                          {inside},
		"https://[fe80::1%25eth0]/":               {inside},
		"ftp://example.com/":                      {"must begin with https://", "must begin with https://"},
		"example.com":                             {"must begin with https://", "must begin with https://"},
		"https:example.com":                       {"is not a URL; want one such as https://example.com/hooks/portin", "is not a URL; want one such as https://example.com/hooks/portin"},
		"https://exa mple.com":                    {"is not a URL; want one such as https://example.com/hooks/portin", "is not a URL; want one such as https://example.com/hooks/portin"},
		"https:///hooks":                          {"has no host; want one such as https://example.com/hooks/portin", "has no host; want one such as https://example.com/hooks/portin"},
		"https://user:password@example.com/":      {"must not hold a user name or a password; deliveries are signed instead", "must not hold a user name or a password; deliveries are signed instead"},
		"https://user@example.com/":               {"must not hold a user name or a password; deliveries are signed instead", "must not hold a user name or a password; deliveries are signed instead"},
		"https://example.com/#part":               {"must not have a fragment", "must not have a fragment"},
		"https://example.com/#":                   {"must not have a fragment", "must not have a fragment"},
		"https://example.com:0/":                  {"has a port that is none; want 1 to 65535", "has a port that is none; want 1 to 65535"},
		"https://example.com:70000/":              {"has a port that is none; want 1 to 65535", "has a port that is none; want 1 to 65535"},
		"https://example.com/\r\nX-Header: value": {"is not a URL; want one such as https://example.com/hooks/portin", "is not a URL; want one such as https://example.com/hooks/portin"},
	} {
		if got := [2]string{strict.urlProblem(url), loose.urlProblem(url)}; got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
	h := newHouse(t)
	_, err := h.CreateEndpoint(t.Context(), tenant, &portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{Url: new("https://10.0.0.1/")}})
	want := []fault.Violation{{Field: "endpoint.url", Description: inside}}
	if diff := cmp.Diff(want, faultIn(t, err, fault.ReasonInvalidFields).Violations); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.creates(&portinv1.WebhookEndpoint{Description: new("ours"), Disabled: new(true)})
		created := h.reads(id)
		if diff := cmp.Diff(created, h.updates(id, &portinv1.WebhookEndpoint{Description: new("ours")}), protocmp.Transform()); diff != "" {
			t.Errorf("a change that changes nothing (-want +got):\n%s", diff)
		}
		pass(time.Minute)
		want := proto.CloneOf(created)
		want.UpdateTime = timestamppb.New(time.Now())
		want.Categories = []portinv1.Category{portinv1.Category_CATEGORY_CLOSED}
		got := h.updates(strings.ToUpper(id), &portinv1.WebhookEndpoint{Categories: want.GetCategories(), PendingCount: 3, EndpointId: anID})
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("without a mask (-want +got):\n%s", diff)
		}
		want.Categories, want.Description, want.Disabled = nil, new(""), new(false)
		got = h.updates(id, &portinv1.WebhookEndpoint{Url: new("https://other.example")}, "categories", "description", "disabled", "create_time")
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("with a mask (-want +got):\n%s", diff)
		}
		h.updates(id, &portinv1.WebhookEndpoint{Description: new("theirs"), Disabled: new(true)})
		got = h.updates(id, &portinv1.WebhookEndpoint{Description: new(""), Disabled: new(false)})
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("emptied without a mask (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, h.reads(id), protocmp.Transform()); diff != "" {
			t.Errorf("read again (-want +got):\n%s", diff)
		}
	})
}

func TestUpdatesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.creates(&portinv1.WebhookEndpoint{})
	for _, c := range []struct {
		name string
		e    *portinv1.WebhookEndpoint
		mask []string
		want []fault.Violation
	}{
		{"no such field", nil, []string{"secret"}, []fault.Violation{{
			Field: "update_mask", Description: "names a field that an endpoint does not have; want url, description, event_types, states, categories or disabled",
		}}},
		{"more fields than there can be", nil, slices.Repeat([]string{"url"}, 201), []fault.Violation{{
			Field: "update_mask", Description: "has more than 200 paths, or one of more than 200 bytes",
		}}},
		{"a long field", nil, []string{strings.Repeat("x", 201)}, []fault.Violation{{
			Field: "update_mask", Description: "has more than 200 paths, or one of more than 200 bytes",
		}}},
		{"the URL taken away", nil, []string{"url"}, []fault.Violation{{Field: "endpoint.url", Description: "is required"}}},
		{"several, in the order of the contract", &portinv1.WebhookEndpoint{
			Url: new("http://x"), Description: new(strings.Repeat("x", 201)), States: []portinv1.OrderState{0, 1},
		}, nil, []fault.Violation{
			{Field: "endpoint.url", Description: "must begin with https://"},
			{Field: "endpoint.description", Description: "is too long; want at most 200 characters"},
			{Field: "endpoint.states[0]", Description: "must be set; UNSPECIFIED is not a choice"},
		}},
	} {
		_, err := h.UpdateEndpoint(t.Context(), tenant, &portinv1.UpdateWebhookEndpointRequest{
			EndpointId: id, Endpoint: c.e, UpdateMask: &fieldmaskpb.FieldMask{Paths: c.mask},
		})
		if diff := cmp.Diff(c.want, faultIn(t, err, fault.ReasonInvalidFields).Violations); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, c := range [][2]string{{tenant, anID}, {"another", id}} {
		_, err := h.UpdateEndpoint(t.Context(), c[0], &portinv1.UpdateWebhookEndpointRequest{EndpointId: c[1], Endpoint: &portinv1.WebhookEndpoint{Description: new("x")}})
		wantFault(t, err, fault.ReasonWebhookEndpointNotFound)
	}
}

// The fields that may be changed are those that the contract does not call output.
func TestWritableFields(t *testing.T) {
	t.Parallel()
	fields := (&portinv1.WebhookEndpoint{}).ProtoReflect().Descriptor().Fields()
	var want []string
	for i := range fields.Len() {
		behaviors, _ := proto.GetExtension(fields.Get(i).Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
		if len(behaviors) == 1 && behaviors[0] != annotations.FieldBehavior_OUTPUT_ONLY {
			want = append(want, string(fields.Get(i).Name()))
		}
	}
	if diff := cmp.Diff(want, writable()); diff != "" {
		t.Errorf("writable (-contract +got):\n%s", diff)
	}
}

// restless changes the endpoint whenever somebody is about to, so often at the most.
func (h *house) restless(times int) {
	n := 0
	h.ledger.fail = func(call string) error {
		if call != "PutEndpoint" || n == times {
			return nil
		}
		for id, e := range h.ledger.endpoints {
			n++
			other, err := opened(e)
			if err != nil {
				return err
			}
			other.version++
			other.secret, other.Description = newSecret(), fmt.Sprint(n)
			h.ledger.endpoints[id] = other.record()
		}
		return nil
	}
}

func TestAnEndpointThatChangesAllTheTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.creates(&portinv1.WebhookEndpoint{})
	h.restless(5)
	_, err := h.UpdateEndpoint(t.Context(), tenant, &portinv1.UpdateWebhookEndpointRequest{EndpointId: id, Endpoint: &portinv1.WebhookEndpoint{Disabled: new(true)}})
	wantFault(t, err, fault.ReasonWebhookEndpointChanged)
	// Who rotates after somebody else has just been told a new secret must not take it from them.
	h.restless(1)
	_, err = h.RotateSecret(t.Context(), tenant, &portinv1.RotateWebhookSecretRequest{EndpointId: id})
	wantFault(t, err, fault.ReasonWebhookEndpointChanged)
	h.restless(4)
	h.updates(id, &portinv1.WebhookEndpoint{Disabled: new(true)})
}

func TestListsAndPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var ids []string
		for i := range 5 {
			ids = append(ids, h.creates(&portinv1.WebhookEndpoint{}))
			pass(time.Duration(i%2) * time.Second)
		}
		h.ledger.tell(happened("o-1"), happened("o-2"), happened("o-3"))
		if err := h.spread(t.Context(), map[string]int64{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		req := &portinv1.ListWebhookEndpointsRequest{PageSize: 2}
		for pages := 1; ; pages++ {
			resp, err := h.Endpoints(t.Context(), tenant, req)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range resp.GetEndpoints() {
				got = append(got, e.GetEndpointId())
				if e.GetPendingCount() != 3 {
					t.Errorf("%d deliveries wait", e.GetPendingCount())
				}
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				if pages != 3 {
					t.Errorf("%d pages", pages)
				}
				break
			}
		}
		if diff := cmp.Diff(sorted(ids), sorted(got)); diff != "" {
			t.Errorf("endpoints (-want +got):\n%s", diff)
		}

		var sequences []int64
		deliveries := &portinv1.ListWebhookDeliveriesRequest{EndpointId: ids[0], PageSize: 2, States: []portinv1.WebhookDeliveryState{1, 2}}
		for {
			resp, err := h.Deliveries(t.Context(), tenant, deliveries)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range resp.GetDeliveries() {
				sequences = append(sequences, d.GetSequence())
			}
			if resp.GetNextPageToken() == "" {
				break
			}
			deliveries.PageToken = resp.GetNextPageToken()
		}
		if diff := cmp.Diff([]int64{3, 2, 1}, sequences); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}

		// A token is of its list: not of another endpoint's, nor with another filter, nor of the endpoints.
		stray := proto.CloneOf(deliveries)
		stray.States = nil
		_, err := h.Deliveries(t.Context(), tenant, stray)
		wantFault(t, err, fault.ReasonPageTokenInvalid)
		stray = proto.CloneOf(deliveries)
		stray.EndpointId = ids[1]
		_, err = h.Deliveries(t.Context(), tenant, stray)
		wantFault(t, err, fault.ReasonPageTokenInvalid)
		for _, token := range []string{deliveries.GetPageToken(), "x", "AAAA"} {
			_, err = h.Endpoints(t.Context(), tenant, &portinv1.ListWebhookEndpointsRequest{PageToken: token})
			wantFault(t, err, fault.ReasonPageTokenInvalid)
		}
	})
}

func TestDeletingAndWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.creates(&portinv1.WebhookEndpoint{})
	if err := h.DeleteEndpoint(t.Context(), "another", id); err != nil {
		t.Error(err)
	}
	h.reads(id)
	for range 2 {
		if err := h.DeleteEndpoint(t.Context(), tenant, strings.ToUpper(id)); err != nil {
			t.Error(err)
		}
	}
	_, err := h.Endpoint(t.Context(), tenant, id)
	wantFault(t, err, fault.ReasonWebhookEndpointNotFound)
	_, err = h.Deliveries(t.Context(), tenant, &portinv1.ListWebhookDeliveriesRequest{EndpointId: id})
	wantFault(t, err, fault.ReasonWebhookEndpointNotFound)
	_, err = h.Replay(t.Context(), tenant, &portinv1.ReplayWebhookDeliveriesRequest{EndpointId: id})
	wantFault(t, err, fault.ReasonWebhookEndpointNotFound)
	_, err = h.RotateSecret(t.Context(), tenant, &portinv1.RotateWebhookSecretRequest{EndpointId: id})
	wantFault(t, err, fault.ReasonWebhookEndpointNotFound)
}

func TestALedgerThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.creates(&portinv1.WebhookEndpoint{})
	h.ledger.fail = func(string) error { return ledger.ErrClosed }
	_, err := h.Endpoint(t.Context(), tenant, id)
	if e := faultIn(t, err, fault.ReasonLedgerUnavailable); e.RetryAfter != 5*time.Second {
		t.Errorf("wait %s", e.RetryAfter)
	}
	_, err = h.CreateEndpoint(t.Context(), tenant, &portinv1.CreateWebhookEndpointRequest{EndpointId: uuid.NewString()})
	wantFault(t, err, fault.ReasonLedgerUnavailable)
}
