package sqlite

import ("testing";"sync";"sync/atomic";"time";"fmt";"github.com/portin/portin/internal/ledger/ledgertest")

func BenchmarkGrouped(b *testing.B) {
	for b.Loop() {}
	c := cpuNow()
	ps, fl := commits(b, 256, 30000)
	b.Logf("%v a write, %.0f/s, %.3f", (cpuNow()-c)/60000, ps, fl)
}

func BenchmarkNaive(b *testing.B) {
	for b.Loop() {}
	dir := b.TempDir()
	s, err := Open(b.Context(), Config{Path: dir + "/x.db", Carrier: "b"})
	if err != nil { b.Fatal(err) }
	const orders = 2000
	var next, fails atomic.Int64
	var wg sync.WaitGroup
	var ws []*writer
	for range 64 {
		db, _ := connect(dir+"/x.db", writing)
		ws = append(ws, startWriter(b.Context(), db))
	}
	start := time.Now()
	for i := range 64 {
		o := &Store{writer: ws[i], reader: s.reader}
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > orders { return }
				r := ledgertest.Record(n)
				if _, err := o.Claim(b.Context(), r, ledgertest.Entry("claimed")); err != nil { fails.Add(1); continue }
				if _, err := o.Advance(b.Context(), r.OrderID, ledgertest.Accept(fmt.Sprint(n), r.Claimed)); err != nil { fails.Add(1) }
			}
		})
	}
	wg.Wait()
	b.Logf("naive %.0f/s fails %d", 2*orders/time.Since(start).Seconds(), fails.Load())
	for _, w := range ws { w.stop(); w.close() }
	s.Close()
}
