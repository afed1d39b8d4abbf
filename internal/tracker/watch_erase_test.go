package tracker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/tracker"
)

// notes are what those who come back to a place are told of the notes of events.
func notes(t *testing.T, w *tracker.Watches, token string) map[string][]string {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	told, ended := map[string][]string{}, make(chan error, 1)
	go func() {
		ended <- w.Watch(ctx, "default", from(token), func(u tracker.Update) error {
			if u.Event != nil {
				told[u.Event.Value.OrderID] = append(told[u.Event.Value.OrderID], u.Event.Value.Note)
			}
			return nil
		})
	}()
	synctest.Wait()
	pause(time.Second)
	synctest.Wait()
	leave()
	if err := <-ended; err != context.Canceled { //nolint:errorlint // exactly this one
		t.Errorf("the watch ended with %v", err)
	}
	return told
}

// What is remembered of the events of an order that is erased is what the ledger still has of them.
func TestWhoComesBackIsToldNothingThatWasErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		b.claim("default", 2)
		w := started(t, b)
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		token := c.token()
		says := func(n int, typed ledger.EventType, note string) {
			b.set(func() {
				b.commit(b.orders[orderID(n)], ledger.Event{OrderID: orderID(n), Tenant: "default", Type: typed, Note: note})
			})
			synctest.Wait()
			pause(time.Second)
		}
		says(1, ledger.EventEvidence, "about John")
		says(2, ledger.EventEvidence, "about Jane")
		says(1, ledger.EventEvidence, "about John again")
		says(1, ledger.EventErased, "asked for")
		want := map[string][]string{orderID(1): {"", "", "asked for"}, orderID(2): {"about Jane"}}
		if diff := cmp.Diff(want, notes(t, w, token)); diff != "" {
			t.Errorf("the notes (-want +got):\n%s", diff)
		}
		c.goes(t)
	})
}
