package intake_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/reject"
)

// TestRenderOfWhatCannotBeRead: rejects of a later version keep nobody from an order; what a caller gave is never left out
// but where watches would end.
func TestRenderOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	content, err := proto.Marshal(&portinv1.PortInOrder{Form: &portinv1.PortForm{CustomerReference: new("ours")}})
	if err != nil {
		t.Fatal(err)
	}
	rejects, err := reject.Pack([]carrier.Reject{{Code: "1A"}})
	if err != nil {
		t.Fatal(err)
	}
	sound := ledger.Record{
		OrderID: "0193e3a0-0000-7000-8000-000000000001", Content: content, Rejects: rejects, Numbers: []string{"+14165550123"}, State: order.Accepted,
		Status: order.StatusPending, Created: time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC),
	}
	whole, err := intake.Render(sound)
	if err != nil || len(whole.GetRejects()) != 1 || whole.GetForm() == nil {
		t.Fatalf("the sound order is %v, %v", whole, err)
	}
	for name, c := range map[string]struct {
		spoil   func(*ledger.Record)
		without func(*portinv1.PortInOrder)
		fails   bool
	}{
		"nothing":          {func(*ledger.Record) {}, func(*portinv1.PortInOrder) {}, false},
		"later rejects":    {func(r *ledger.Record) { r.Rejects = []byte(`{"version":2}`) }, func(o *portinv1.PortInOrder) { o.Rejects = nil }, false},
		"broken rejects":   {func(r *ledger.Record) { r.Rejects = []byte(`{`) }, func(o *portinv1.PortInOrder) { o.Rejects = nil }, false},
		"broken content":   {func(r *ledger.Record) { r.Content = append(slices.Clone(content), 0xff) }, func(o *portinv1.PortInOrder) { o.Form = nil }, true},
		"broken warnings":  {func(r *ledger.Record) { r.Warnings = []byte{0xff} }, func(*portinv1.PortInOrder) {}, true},
		"nothing is sound": {func(r *ledger.Record) { r.Content, r.Warnings, r.Rejects = []byte{0xff}, []byte{0xff}, []byte{0xff} }, func(o *portinv1.PortInOrder) { o.Form, o.Rejects = nil, nil }, true},
	} {
		r, want := sound, proto.CloneOf(whole)
		c.spoil(&r)
		c.without(want)
		got, err := intake.Render(r)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" && !c.fails {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		var log strings.Builder
		teller := intake.NewTeller(slog.New(slog.NewTextHandler(&log, nil)))
		for range 2 {
			if diff := cmp.Diff(want, teller.Render(r), protocmp.Transform()); diff != "" {
				t.Errorf("%s, to who watches (-want +got):\n%s", name, diff)
			}
		}
		if n, want := strings.Count(log.String(), "\n"), map[bool]int{true: 1}[name != "nothing"]; n != want {
			t.Errorf("%s: the log has %d lines, want %d:\n%s", name, n, want, &log)
		}
	}
}
