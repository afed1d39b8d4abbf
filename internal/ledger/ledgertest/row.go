package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// rowCases are orders that correct each other, one after another.
func rowCases() []aCase {
	return []aCase{
		{"the events of a history are those of all its orders", historyIsTold},
		{"a list of a history has all its orders", historyIsListed},
	}
}

// row is a history of three orders, two of which were corrected, with changes of all of them in between.
func (t *trial) row(n int, tenant string) []ledger.Record {
	t.Helper()
	first := t.claimed(with(Record(n), func(r *ledger.Record) { r.Tenant = tenant }))
	all := []ledger.Record{first}
	for i := range 2 {
		was := t.advanced(all[i].OrderID, Move(order.Refused, order.ByAnswer, first.Claimed))
		all = append(all, t.claimed(Correct(was, n+1+i)))
		t.advanced(all[0].OrderID, redate(10*i))
	}
	t.advanced(all[2].OrderID, redate(20))
	t.advanced(all[1].OrderID, redate(21))
	for i, r := range all {
		all[i] = t.found(r)
	}
	return all
}

func historyIsTold(t *trial) {
	mine, alone := t.row(10, ledger.Default), t.claimed(Record(1))
	theirs := t.row(20, "another")
	// Another tenant's order says the same history: that is its own business.
	foreign := t.claimed(with(Record(2), func(r *ledger.Record) { r.Tenant, r.History = "another", mine[0].History }))
	var want []ledger.Event
	for _, r := range mine {
		want = append(want, t.told(r)...)
	}
	slices.SortFunc(want, func(a, b ledger.Event) int { return int(a.Sequence - b.Sequence) })
	if len(want) != 3+2+2+4 {
		t.Errorf("a history of %d events, want 11", len(want))
	}
	for _, r := range mine {
		for _, limit := range []int{1, 3, len(want), len(want) + 1} {
			for i, e := range want {
				got, err := t.Events(t.Context(), r.Tenant, r.OrderID, true, e.Sequence-1, limit)
				if err != nil {
					t.Fatal(err)
				}
				t.same(fmt.Sprintf("%d events of a history from the %dth on", limit, i), want[i:min(i+limit, len(want))], got)
			}
		}
	}
	for _, r := range []ledger.Record{alone, foreign} {
		got, err := t.Events(t.Context(), r.Tenant, r.OrderID, true, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		t.same("the events of a history of one", t.told(r), got)
	}
	_, err := t.Events(t.Context(), ledger.Default, theirs[0].OrderID, true, 0, 100)
	if !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Events of the history of another tenant's order: %v, want ErrNotFound", err)
	}
}

func historyIsListed(t *trial) {
	all := slices.Concat(t.row(10, ledger.Default), t.row(20, "another"), t.row(30, ledger.Default))
	for i, n := range []int{3, 1, 2} { // The order of creation is not that of the row.
		r := t.claimed(with(Record(40+n), func(r *ledger.Record) {
			r.History, r.Created = all[0].History, Epoch().Add(time.Duration(i)*time.Second)
		}))
		all = append(all, r)
	}
	for _, history := range []string{all[0].History, all[3].History, all[6].History, all[1].OrderID, Record(41).OrderID, "", "nobody"} {
		for _, tenant := range []string{ledger.Default, "another"} {
			q := ledger.Query{Tenant: tenant, History: history, Limit: 2, MaxBytes: 1 << 20}
			turnPages(t.TB, t.Store, q, all)
			q.States = []order.State{order.Refused}
			turnPages(t.TB, t.Store, q, all)
			q.States, q.Number, q.FromUpdated = nil, all[0].Numbers[0], all[0].Created
			turnPages(t.TB, t.Store, q, all)
		}
	}
}
