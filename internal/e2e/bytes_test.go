package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

const (
	// largeDocuments are the documents of a large order, and largeWeight what it takes of the memory.
	largeDocuments = 20 << 20
	largeWeight    = 4 * largeDocuments
	// roomForLarge is how many of them the service takes at once, and largeEach how many are sent at once over each face.
	roomForLarge, largeEach = 3, 5
)

// parcel is a large order on its way over a face.
type parcel struct {
	face  face
	key   string
	order *portinv1.PortInOrder
	reply reply
}

// parcels are large orders for each face, all with the same documents.
func parcels(t *testing.T, carrier *standin) []*parcel {
	t.Helper()
	document := append([]byte("%PDF-1.7\n"+canary+"-document"), bytes.Repeat([]byte{0xa5}, largeDocuments/2)...)[:largeDocuments/2]
	var all []*parcel
	for range largeEach {
		for _, f := range faces() {
			o := carrier.order(t, "")
			o.Form.LettersOfAuthorization = nil
			for i := range 2 {
				o.Form.LettersOfAuthorization = append(o.Form.LettersOfAuthorization, &portinv1.Document{
					FileName: fmt.Sprintf("%s-%d.pdf", canary, i), MimeType: "application/pdf", Content: document,
				})
			}
			all = append(all, &parcel{face: f, key: newKey(), order: o})
		}
	}
	return all
}

// memory reads a figure of a process's memory in bytes; 0 where the system does not tell.
func (p *process) memory(t *testing.T, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if os.IsNotExist(err) {
		return 0
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	if err != nil || found == nil {
		t.Fatalf("the memory of the process: %v", err)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// busy reports whether an order was refused because it does not fit, and wants the refusal to be whole.
func (p *parcel) busy(t *testing.T) bool {
	t.Helper()
	r := p.reply
	if r.reason != "SERVICE_BUSY" {
		return false
	}
	if r.code != codes.ResourceExhausted || r.wait < time.Second || r.wait%time.Second != 0 {
		t.Errorf("over %s a large order that does not fit is answered %v, to come back in %v", p.face, r.code, r.wait)
	}
	if p.face == overJSON && (r.http != http.StatusTooManyRequests || r.retryAfter != strconv.Itoa(int(r.wait/time.Second))) {
		t.Errorf("over JSON it is answered %d, Retry-After %s", r.http, r.retryAfter)
	}
	return true
}

// TestManyLargeOrdersAtOnce: what does not fit into memory is refused and comes later by the same key, what fits is placed, and
// everybody else is served meanwhile.
func TestManyLargeOrdersAtOnce(t *testing.T) {
	t.Parallel()
	carrier := newStandin(t, sandbox.Config{Delay: 15 * time.Second})
	limit := int64(roomForLarge*largeWeight + largeWeight/2)
	p := startProgram(t, carrier, "--ledger-file="+t.TempDir()+"/ledger.db", fmt.Sprintf("--limits-bytes-in-flight=%d", limit),
		"--carrier-post-timeout=10m") // the stand-in reads slowly on a busy machine
	small := p.must(t, overGRPC, carrier.order(t, ""), newKey(), accepted)
	idle, all := p.memory(t, "VmRSS"), parcels(t, carrier)
	carrier.next(t, slices.Repeat([]string{"slow"}, roomForLarge)...)

	var sent sync.WaitGroup
	for _, one := range all {
		sent.Go(func() { one.reply = p.portIn(t.Context(), one.face, one.order, one.key) })
	}
	carrier.awaitOrders(t, 1+roomForLarge)
	if weight := p.metric(t, "portin_bytes_in_flight"); weight <= float64(limit-largeWeight) || weight > float64(limit) {
		t.Errorf("%v bytes are in flight; want room for none more, of %d", weight, limit)
	}
	if got := p.get(t, small.order.GetOrderId()); got.GetState() != accepted {
		t.Errorf("meanwhile a small order is read as %v", got.GetState())
	}
	p.must(t, overJSON, carrier.order(t, ""), newKey(), accepted)
	sent.Wait()

	refused := 0
	for _, one := range all {
		switch {
		case one.busy(t):
			refused++
		case one.reply.lost != nil || one.reply.order.GetState() != accepted:
			t.Errorf("over %s a large order is answered %v %s (%v), %v", one.face, one.reply.code, one.reply.reason, one.reply.lost, one.reply.order.GetState())
		}
	}
	if want := len(all) - roomForLarge; refused != want {
		t.Errorf("of %d large orders %d were refused, want %d", len(all), refused, want)
	}
	if n := int(p.metric(t, "portin_bytes_in_flight_refused_total")); n != refused {
		t.Errorf("%d refusals were counted, %d callers were refused", n, refused)
	}
	peak := p.memory(t, "VmHWM") - idle
	t.Logf("%d large orders, of which %d were refused, took %d MiB; %d MiB of documents may be in flight", len(all), refused, peak>>20, roomForLarge*largeDocuments>>20)
	// What is in flight, and what arrives over gRPC and is not weighed yet, with its garbage.
	if most := limit + 2*largeEach*largeDocuments; peak > most {
		t.Errorf("the service took %d MiB of memory, want at most %d", peak>>20, most>>20)
	}

	for _, one := range all {
		until(t, "a large order is placed in the end", func() bool {
			one.reply = p.portIn(t.Context(), one.face, one.order, one.key)
			return !one.busy(t)
		})
		if posts := carrier.OrdersFor(digits(t, one.order)); one.reply.order.GetState() != accepted || posts != 1 {
			t.Errorf("over %s a large order is %v (%s) in the end; the carrier got it %d times", one.face, one.reply.order.GetState(), one.reply.reason, posts)
		}
	}
	until(t, "nothing is in flight", func() bool { return p.metric(t, "portin_bytes_in_flight") == 0 })
}
