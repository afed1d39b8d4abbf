package tracker

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/bookmark"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

const anOrder = "0193e3a0-0000-7000-8000-000000000001"

var (
	aPosition = ledger.Position{Created: time.Date(2026, 11, 24, 4, 0, 0, 123000, time.UTC), OrderID: anOrder}
	aMark     = markOf(&ledger.Event{OrderID: anOrder, Sequence: 7, Time: aPosition.Created})
	places    = []place{
		{},
		{sequence: 1, mark: aMark},
		{sequence: 1<<63 - 1, mark: aMark},
		{sequence: 7, mark: aMark, listing: true},
		{sequence: 7, mark: aMark, listing: true, last: aPosition},
	}
	aBinding = bind("ledger", newFilter("default", &portinv1.WatchPortInOrdersRequest{}))
)

func TestTokensAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, want := range places {
		token := want.token(aBinding)
		got, err := readToken(token, aBinding)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(place{})); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if len(token) >= 100 {
			t.Errorf("a token has %d characters", len(token))
		}
	}
}

func TestATokenIsOfOneWatch(t *testing.T) {
	t.Parallel()
	request := func(change func(*portinv1.WatchPortInOrdersRequest)) filter {
		r := &portinv1.WatchPortInOrdersRequest{}
		change(r)
		return newFilter("default", r)
	}
	accepted := portinv1.OrderState_ORDER_STATE_ACCEPTED
	sending := portinv1.OrderState_ORDER_STATE_SENDING
	none := request(func(*portinv1.WatchPortInOrdersRequest) {})
	all := map[bookmark.Binding]string{}
	for name, b := range map[string]bookmark.Binding{
		"plain":          bind("ledger", none),
		"another ledger": bind("other", none),
		"another tenant": bind("ledger", newFilter("other", &portinv1.WatchPortInOrdersRequest{})),
		"one order":      bind("ledger", request(func(r *portinv1.WatchPortInOrdersRequest) { r.OrderId = new(anOrder) })),
		"a state":        bind("ledger", request(func(r *portinv1.WatchPortInOrdersRequest) { r.States = []portinv1.OrderState{accepted} })),
		"a category": bind("ledger", request(func(r *portinv1.WatchPortInOrdersRequest) {
			r.Categories = []portinv1.Category{portinv1.Category_CATEGORY_OPEN}
		})),
		"nothing": bind("ledger", request(func(r *portinv1.WatchPortInOrdersRequest) {
			r.States, r.Categories = []portinv1.OrderState{sending}, []portinv1.Category{portinv1.Category_CATEGORY_OPEN}
		})),
	} {
		if other, twice := all[b]; twice {
			t.Errorf("%s and %s have the same binding", name, other)
		}
		all[b] = name
		if name == "plain" {
			continue
		}
		if _, err := readToken(place{sequence: 1, mark: aMark}.token(b), aBinding); !fault.Is(err, fault.ReasonWatchTokenExpired) {
			t.Errorf("the token of a watch of %s: %v", name, err)
		}
	}
	// The same filter in other words is the same.
	if a, b := request(func(r *portinv1.WatchPortInOrdersRequest) { r.States = []portinv1.OrderState{accepted, sending} }),
		request(func(r *portinv1.WatchPortInOrdersRequest) {
			r.States = []portinv1.OrderState{sending, accepted, sending}
		}); bind("ledger", a) != bind("ledger", b) {
		t.Error("the order of states makes another token")
	}
}

// FuzzReadToken: whatever is read is what was written, and everything else has one error.
func FuzzReadToken(f *testing.F) {
	for _, p := range places {
		f.Add(p.token(aBinding))
	}
	negative := place{sequence: -1, mark: aMark}.token(aBinding)
	beyond := place{listing: true, last: ledger.Position{Created: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), OrderID: anOrder}}.token(aBinding)
	before := place{listing: true, last: ledger.Position{Created: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), OrderID: anOrder}}.token(aBinding)
	nobody := place{listing: true, last: ledger.Position{Created: time.Unix(1, 0), OrderID: "00000000-0000-0000-0000-000000000000"}}.token(aBinding)
	unmarked, tooSoon := place{sequence: 1}.token(aBinding), place{mark: aMark}.token(aBinding)
	for _, token := range []string{unmarked, tooSoon, negative, beyond, before, nobody, "", "AQ", "\n", places[0].token(bookmark.Binding{})} {
		if _, err := readToken(token, aBinding); !fault.Is(err, fault.ReasonWatchTokenExpired) {
			f.Errorf("%q is read: %v", token, err)
		}
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		// The binding is the hard part to guess: a token of any other length and place is tried with the right one too.
		for _, s := range []string{token, base64.RawURLEncoding.EncodeToString(append(append([]byte{tokenVersion}, aBinding[:]...), token...))} {
			p, err := readToken(s, aBinding)
			switch {
			case err != nil && !fault.Is(err, fault.ReasonWatchTokenExpired):
				t.Errorf("%q: %v", s, err)
			case err == nil && p.token(aBinding) != s:
				t.Errorf("%q is read as %+v", s, p)
			case err == nil && (p.sequence < 0 || p.last.Created.Year() > 9999):
				t.Errorf("%q is read as %+v", s, p)
			}
		}
	})
}
