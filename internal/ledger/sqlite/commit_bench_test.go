package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger/ledgertest"
)

// BenchmarkCommit measures 64 writers that claim and settle orders: as they do, sharing commits; against the same writer with
// a commit for each write; and against a connection of its own for each of them, that waits for the others in SQLite. It prints
// the writes a second, the ratios, and the flushes that a shared write takes:
//
//	go test -run '^$' -bench Commit -benchtime 1x ./internal/ledger/sqlite
func BenchmarkCommit(b *testing.B) {
	const rounds, orders = 7, 2000
	for b.Loop() {
		var together, alone, apart, flushes, againstAlone, againstApart []float64
		for range rounds {
			t, a, p := crowdOf(b, orders, crowd, 1), crowdOf(b, orders/4, 1, 1), crowdOf(b, orders/4, 1, 64)
			together, alone, apart, flushes = append(together, t.rate), append(alone, a.rate), append(apart, p.rate), append(flushes, t.flushes)
			againstAlone, againstApart = append(againstAlone, t.rate/a.rate), append(againstApart, t.rate/p.rate)
		}
		fmt.Fprintf(os.Stdout, "\nshared commits %.0f/s (%.3f flushes a write), one writer that commits each %.0f/s, 64 connections %.0f/s\n",
			median(together), median(flushes), median(alone), median(apart))
		fmt.Fprintf(os.Stdout, "ratios (medians of %d): %.1f against one writer, %.1f against 64 connections\n",
			rounds, median(againstAlone), median(againstApart))
	}
}

// throughput is what a crowd got done.
type throughput struct {
	// rate is writes a second, flushes the commits for each.
	rate, flushes float64
}

// crowdOf lets 64 callers write to a new ledger, through so many writers that let so many share a commit.
func crowdOf(b *testing.B, orders, crowd, writers int) throughput {
	b.Helper()
	path := filepath.Join(b.TempDir(), "ledger.db")
	s, err := Open(b.Context(), Config{Path: path, Carrier: ledgertest.Carrier})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.writer.crowd = crowd
	stores := []*Store{s}
	for len(stores) < writers {
		db, err := connect(path, writing)
		if err != nil {
			b.Fatal(err)
		}
		w := startWriter(b.Context(), db)
		b.Cleanup(func() {
			if err := errors.Join(w.stop(), w.close()); err != nil {
				b.Error(err)
			}
		})
		stores = append(stores, &Store{writer: w})
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for i := range 64 {
		wg.Go(func() {
			for n := int(next.Add(1)); n <= orders; n = int(next.Add(1)) {
				r := ledgertest.Record(n)
				r.Content = make([]byte, 600)
				if _, err := stores[i%writers].Claim(b.Context(), r, ledgertest.Entry("claimed")); err != nil {
					b.Error(err)
				}
				if _, err := stores[i%writers].Advance(b.Context(), r.OrderID, ledgertest.Accept(ledgertest.Ticket(n), r.Claimed)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	writes := float64(2 * orders)
	return throughput{rate: writes / time.Since(began).Seconds(), flushes: float64(s.writer.commits.Load()) / writes}
}

// median is the middle one.
func median[T cmp.Ordered](all []T) T { return slices.Sorted(slices.Values(all))[len(all)/2] }
