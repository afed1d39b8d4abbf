package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// endpointCases are who is to be told.
func endpointCases() []aCase {
	return []aCase{
		{"every field of an endpoint is kept", endpointIsKept},
		{"a new endpoint begins at the head", beginsAtTheHead},
		{"an endpoint id has one endpoint", endpointIDIsTaken},
		{"only the next version replaces an endpoint", onlyTheNextVersion},
		{"an endpoint is its tenant's own", endpointIsATenants},
		{"the oldest endpoint comes first", oldestEndpointFirst},
		{"an endpoint that is deleted is gone with its deliveries", deletedWithDeliveries},
		{"of many that change an endpoint one does", oneChangesAnEndpoint},
	}
}

// Endpoint is a complete record of a new webhook endpoint. Endpoints of different n share nothing but their tenant; one of a
// higher n is newer.
func Endpoint(n int) ledger.Endpoint {
	return ledger.Endpoint{
		EndpointID: fmt.Sprintf("0e0d9017-0000-4000-8000-%012x", n), Tenant: ledger.Default, Version: 1,
		Content: fmt.Appendf(nil, "\x00\xff endpoint %d", n), Created: Epoch().Add(time.Duration(n) * time.Second),
	}
}

// put writes an endpoint, which must succeed.
func (t *trial) put(e ledger.Endpoint) ledger.Endpoint {
	t.Helper()
	got, err := t.PutEndpoint(t.Context(), e)
	if err != nil {
		t.Fatalf("PutEndpoint of %s, version %d: %v", e.EndpointID, e.Version, err)
	}
	return got
}

// refusedPut fails the test unless an endpoint is refused with an error and this endpoint.
func (t *trial) refusedPut(e, want ledger.Endpoint, refusal error) {
	t.Helper()
	got, err := t.PutEndpoint(t.Context(), e)
	if !errors.Is(err, refusal) {
		t.Fatalf("PutEndpoint of %s, version %d: %v, want %v", e.EndpointID, e.Version, err, refusal)
	}
	t.same("the endpoint that comes with the refusal", want, got)
}

// endpoints are those of a tenant.
func (t *trial) endpoints(tenant string) []ledger.Endpoint {
	t.Helper()
	got, err := t.Endpoints(t.Context(), tenant)
	if err != nil {
		t.Fatalf("Endpoints of %q: %v", tenant, err)
	}
	return got
}

// altered is an endpoint with a change.
func altered(e ledger.Endpoint, change func(e *ledger.Endpoint)) ledger.Endpoint {
	e.Content = slices.Clone(e.Content)
	change(&e)
	return e
}

// next is the version after an endpoint, which changes all that a version may.
func next(e ledger.Endpoint) ledger.Endpoint {
	return altered(e, func(e *ledger.Endpoint) {
		e.Version, e.Disabled, e.Content = e.Version+1, !e.Disabled, fmt.Appendf(nil, "version %d", e.Version+1)
	})
}

func endpointIsKept(t *trial) {
	t.claimed(Record(1)) // So that the head is not zero.
	want := altered(Endpoint(1), func(e *ledger.Endpoint) { e.Disabled, e.Cursor = true, t.head() })
	if names := blanks(want); len(names) > 0 {
		t.Fatalf("Endpoint leaves %s zero: fill it, and every engine needs a place for it", strings.Join(names, ", "))
	}
	kept := func(when string) {
		t.same(when, []ledger.Endpoint{want}, t.endpoints(ledger.Default))
	}
	in := altered(want, func(e *ledger.Endpoint) { e.Created = e.Created.Add(999 * time.Nanosecond).Local() })
	t.same("the endpoint that PutEndpoint returns", want, t.put(in))
	kept("the endpoint")
	want = altered(want, func(e *ledger.Endpoint) { e.Version, e.Disabled, e.Content = 2, false, nil })
	t.same("the second version that PutEndpoint returns", want, t.put(want))
	kept("the second version")
	want = altered(want, func(e *ledger.Endpoint) { e.Version, e.Disabled, e.Content = 3, true, make([]byte, 100_000) })
	t.same("the third version that PutEndpoint returns", want, t.put(want))
	t.reopen()
	kept("the third version, opened again")
}

func beginsAtTheHead(t *trial) {
	for i := range 4 {
		e := t.put(altered(Endpoint(i), func(e *ledger.Endpoint) { e.Cursor = 77 }))
		if head := t.head(); e.Cursor != head {
			t.Errorf("a new endpoint begins at %d, and the head is %d", e.Cursor, head)
		}
		t.claimed(with(Record(i), func(r *ledger.Record) { r.Tenant = []string{ledger.Default, "another"}[i%2] }))
	}
	for i, e := range t.endpoints(ledger.Default) {
		want := int64(0)
		if i > 0 {
			r := with(Record(i-1), func(r *ledger.Record) { r.Tenant = []string{ledger.Default, "another"}[(i-1)%2] })
			want = t.told(r)[0].Sequence
		}
		if e.Cursor != want {
			t.Errorf("endpoint %d stands at %d, want %d", i, e.Cursor, want)
		}
	}
}

func endpointIDIsTaken(t *trial) {
	first := t.put(Endpoint(1))
	for _, tenant := range []string{ledger.Default, "another"} {
		other := altered(Endpoint(2), func(e *ledger.Endpoint) { e.EndpointID, e.Tenant = first.EndpointID, tenant })
		t.refusedPut(other, first, ledger.ErrMoved)
	}
	changed := t.put(next(first))
	t.refusedPut(first, changed, ledger.ErrMoved)
	t.same("the endpoints", []ledger.Endpoint{changed}, t.endpoints(""))
}

func onlyTheNextVersion(t *trial) {
	is := t.put(Endpoint(1))
	r := t.claimed(Record(1))
	t.queued(is, 1, Delivery(r.OrderID, 1, 0))
	is.Cursor++
	for range 3 {
		for _, version := range []int64{1, is.Version, is.Version + 2, is.Version + 10} {
			t.refusedPut(altered(next(is), func(e *ledger.Endpoint) { e.Version = version }), is, ledger.ErrMoved)
		}
		t.same("the endpoints", []ledger.Endpoint{is}, t.endpoints(""))
		// What is fixed stays, whatever the next version says.
		want := next(is)
		is = t.put(altered(want, func(e *ledger.Endpoint) { e.Cursor, e.Created = 999, Epoch() }))
		t.same("the endpoint that PutEndpoint returns", want, is)
		t.same("the endpoints", []ledger.Endpoint{want}, t.endpoints(""))
	}
	t.refusedPut(next(Endpoint(2)), ledger.Endpoint{}, ledger.ErrNotFound)
	t.same("the endpoints", []ledger.Endpoint{is}, t.endpoints(""))
}

func endpointIsATenants(t *trial) {
	is := t.put(Endpoint(1))
	t.claimed(Record(1))
	t.queued(is, 5, Delivery(Record(1).OrderID, 1, 0))
	is.Cursor += 5
	for _, tenant := range []string{"another", "DEFAULT", " "} {
		t.refusedPut(altered(next(is), func(e *ledger.Endpoint) { e.Tenant = tenant }), ledger.Endpoint{}, ledger.ErrNotFound)
		if err := t.DeleteEndpoint(t.Context(), tenant, is.EndpointID); err != nil {
			t.Errorf("DeleteEndpoint of another tenant's: %v", err)
		}
		if _, _, err := t.Deliveries(t.Context(), tenant, is.EndpointID, nil, 0, 10); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("Deliveries of another tenant's endpoint: %v, want ErrNotFound", err)
		}
		if _, err := t.Redeliver(t.Context(), tenant, is.EndpointID, 0, deliveryStates(), Epoch()); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("Redeliver of another tenant's endpoint: %v, want ErrNotFound", err)
		}
		t.same("the endpoints of another tenant", []ledger.Endpoint(nil), t.endpoints(tenant))
		t.waiting(tenant, nil)
	}
	t.same("the endpoints", []ledger.Endpoint{is}, t.endpoints(ledger.Default))
	t.waiting(ledger.Default, map[string]int{is.EndpointID: 1})
}

func oldestEndpointFirst(t *trial) {
	var mine, theirs, all []ledger.Endpoint
	for i := range 10 {
		// The ids run against the times, and some share a time.
		e := t.put(altered(Endpoint(9-i), func(e *ledger.Endpoint) {
			e.Created, e.Tenant = Epoch().Add(time.Duration(i/3)*time.Microsecond), []string{ledger.Default, "another"}[i%2]
		}))
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b ledger.Endpoint) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.EndpointID, b.EndpointID)
	})
	for _, e := range all {
		if e.Tenant == ledger.Default {
			mine = append(mine, e)
		} else {
			theirs = append(theirs, e)
		}
	}
	t.same("my endpoints", mine, t.endpoints(ledger.Default))
	t.same("their endpoints", theirs, t.endpoints("another"))
	t.same("all endpoints", all, t.endpoints(""))
	t.same("nobody's endpoints", []ledger.Endpoint(nil), t.endpoints("nobody"))
}

func deletedWithDeliveries(t *trial) {
	r := t.claimed(Record(1))
	is, other := t.put(Endpoint(1)), t.put(Endpoint(2))
	t.queued(is, 2, Delivery(r.OrderID, 1, 0), Delivery(r.OrderID, 2, 0))
	t.queued(other, 2, Delivery(r.OrderID, 1, 0))
	other.Cursor += 2
	taken := t.takenDeliveries(is, Epoch().Add(time.Hour), 10)
	for range 2 {
		if err := t.DeleteEndpoint(t.Context(), is.Tenant, is.EndpointID); err != nil {
			t.Fatalf("DeleteEndpoint: %v", err)
		}
	}
	t.same("the endpoints", []ledger.Endpoint{other}, t.endpoints(""))
	t.waiting("", map[string]int{other.EndpointID: 1})
	if err := t.SettleDelivery(t.Context(), taken[0]); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("SettleDelivery for an endpoint that is deleted: %v, want ErrNotFound", err)
	}
	if err := t.Enqueue(t.Context(), is.EndpointID, is.Cursor+2, is.Cursor+3, nil); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Enqueue for an endpoint that is deleted: %v, want ErrNotFound", err)
	}
	if _, _, err := t.Deliveries(t.Context(), is.Tenant, is.EndpointID, nil, 0, 10); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Deliveries of an endpoint that is deleted: %v, want ErrNotFound", err)
	}
	t.refusedPut(next(is), ledger.Endpoint{}, ledger.ErrNotFound)
	if got := t.takenDeliveries(is, Epoch().AddDate(1, 0, 0), 10); len(got) > 0 {
		t.Errorf("deliveries of an endpoint that is deleted were handed out: %v", got)
	}
	// The id is as free as ever, and what it was is forgotten.
	t.advanced(r.OrderID, Move(order.InDoubt, order.ByAnswer, r.Claimed))
	again := t.put(is)
	t.same("the endpoints", []ledger.Endpoint{again, other}, t.endpoints(""))
	t.same("the deliveries of a new endpoint", []ledger.Delivery(nil), t.shown(again))
}

func oneChangesAnEndpoint(t *trial) {
	const callers = 40
	stores := t.stores(3)
	change := func(is ledger.Endpoint, i int) ledger.Endpoint {
		return altered(next(is), func(e *ledger.Endpoint) { e.Version, e.Content = e.Version-1, fmt.Appendf(nil, "caller %d", i) })
	}
	is := Endpoint(1)
	for range 4 {
		got, errs := make([]ledger.Endpoint, callers), make([]error, callers)
		together(callers, func(i int) { got[i], errs[i] = stores[i%len(stores)].PutEndpoint(t.Context(), change(is, i)) })
		won := slices.Index(errs, nil)
		if won < 0 {
			t.Fatalf("nobody changed the endpoint:%s", joined(errs))
		}
		for i, err := range errs {
			if i != won && !errors.Is(err, ledger.ErrMoved) {
				t.Errorf("caller %d: %v, want ErrMoved", i, err)
			}
			t.same("the endpoint that a caller got", change(is, won), got[i])
		}
		is = got[won]
		t.same("the endpoints", []ledger.Endpoint{is}, t.endpoints(""))
		is.Version++
	}
}
