package webhook

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// rotates the secret of an endpoint and returns the new one.
func (h *house) rotates(id string, hours *int32) string {
	h.t.Helper()
	resp, err := h.RotateSecret(h.t.Context(), tenant, &portinv1.RotateWebhookSecretRequest{EndpointId: id, OverlapHours: hours})
	if err != nil {
		h.t.Fatal(err)
	}
	h.secrets = append(h.secrets, resp.GetSecret())
	return resp.GetSecret()
}

func TestRotatedSecretsOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		zero := h.secrets[0]
		signed := func(secrets ...string) {
			t.Helper()
			h.ledger.tell(happened("o-1"))
			pass(time.Second)
			m := h.receiver.got()[0]
			for _, s := range secrets {
				h.verified(m, s)
			}
			if m.signatures != len(secrets) {
				t.Errorf("%d signatures, want %d", m.signatures, len(secrets))
			}
		}
		signed(zero)
		one := h.rotates(id, nil)
		signed(one, zero)
		if got := h.reads(id).GetOldSecretExpireTime().AsTime(); !got.Equal(time.Now().Add(24*time.Hour - time.Second)) {
			t.Errorf("the old secret expires at %s", got)
		}
		// The answer was lost, and the caller rotates again: the receiver still has the first secret.
		pass(time.Hour)
		two := h.rotates(id, new(int32(48)))
		signed(two, one, zero)
		pass(23 * time.Hour)
		signed(two, one)
		pass(25 * time.Hour)
		signed(two)
		if e := h.reads(id); e.OldSecretExpireTime != nil {
			t.Errorf("the endpoint is %v", e)
		}
		h.rotates(id, nil)
		signed(h.rotates(id, new(int32(0))))
	})
}

// A receiver has to have the new secret before the one before it ends, however long an older one is good.
func TestTheOldSecretIsTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.rotates(id, new(int32(168)))
		h.rotates(id, new(int32(1)))
		if got := h.reads(id).GetOldSecretExpireTime().AsTime(); !got.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("the secret before this one expires at %s", got)
		}
		pass(time.Hour)
		if got := h.reads(id).OldSecretExpireTime; got != nil {
			t.Errorf("the secret before this one has expired, and is said to expire at %v", got)
		}
	})
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	s := newSecret()
	e := endpoint{id: anID, spec: spec{URL: aURL}, secret: s, old: []oldSecret{{secret: s}}}
	holder := struct {
		Shown  secret
		hidden endpoint
		list   []oldSecret
	}{s, e, e.old}
	var out strings.Builder
	for _, v := range []any{s, &s, e, &e, holder, &holder, []endpoint{e}, e.old, map[string]endpoint{"x": e}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		for _, log := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(log).InfoContext(t.Context(), "x", slog.Any("v", v))
		}
	}
	key := s.key()
	for _, form := range []string{
		s.reveal(), strings.TrimPrefix(s.reveal(), secretPrefix), string(key[:]), fmt.Sprintf("%x", key[:8]), fmt.Sprintf("%d %d %d %d", key[0], key[1], key[2], key[3]),
		fmt.Sprintf("%#v", key[:6])[7:30],
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("a secret is shown as %q", form)
		}
	}
	again, err := readSecret(s.reveal())
	if err != nil || !again.equal(s) || again.equal(newSecret()) {
		t.Errorf("a secret that was written is not read: %v", err)
	}
	for _, text := range []string{"", "whsec_", "whsec_AAAA", "whsec_" + planted} {
		if _, err := readSecret(text); err == nil || strings.Contains(err.Error(), planted) {
			t.Errorf("%q is a secret: %v", text, err)
		}
	}
}

// An endpoint that cannot be read holds up no other, and its content is not in the log.
func TestAnEndpointThatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		bad := h.creates(&portinv1.WebhookEndpoint{})
		h.creates(&portinv1.WebhookEndpoint{})
		h.ledger.mu.Lock()
		broken := h.ledger.endpoints[bad]
		broken.Content = []byte(`{"secret":"` + planted + `"}`)
		h.ledger.endpoints[bad] = broken
		h.ledger.mu.Unlock()
		h.receiver.always(http.StatusOK)
		h.ledger.tell(happened("o-1"))
		pass(time.Second)
		if got := h.receiver.got(); len(got) != 1 {
			t.Errorf("%d messages, want 1", len(got))
		}
	})
}
