package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// overEvents is the JSON face when it is asked for server-sent events, the third way to watch.
const overEvents face = "server-sent events"

// waysToWatch are all of them.
func waysToWatch() []face { return []face{overGRPC, overJSON, overEvents} }

// watch watches once, until the watch ends, and hands over each answer.
func (c *client) watch(
	ctx context.Context, over face, req *portinv1.WatchPortInOrdersRequest, deal func(*portinv1.WatchPortInOrdersResponse),
) error {
	if over != overGRPC {
		return c.watchJSON(ctx, over, req, deal)
	}
	stream, err := c.grpc.WatchPortInOrders(ctx, req)
	if err != nil {
		return err
	}
	for {
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		deal(resp)
	}
}

func (c *client) watchJSON(
	ctx context.Context, over face, req *portinv1.WatchPortInOrdersRequest, deal func(*portinv1.WatchPortInOrdersResponse),
) error {
	query := url.Values{}
	for _, s := range req.GetCategories() {
		query.Add("categories", s.String())
	}
	if over == overJSON && req.GetResumeToken() != "" {
		query.Set("resumeToken", req.GetResumeToken())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.HTTPAddress+"/v1/port-ins:watch?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	if over == overEvents {
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Last-Event-ID", req.GetResumeToken()) // as a browser comes back
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s := &rpcstatus.Status{}
		body, err := io.ReadAll(resp.Body)
		if err == nil {
			err = protojson.Unmarshal(body, s)
		}
		return errors.Join(err, status.FromProto(s).Err())
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 8<<20)
	lines.Split(wholeLines)
	for id := ""; lines.Scan(); {
		line := lines.Text()
		if over == overEvents {
			var data bool
			if text, is := strings.CutPrefix(line, "id: "); is {
				id = text
			}
			if line, data = strings.CutPrefix(line, "data: "); !data {
				continue
			}
		}
		answer, err := readAnswer(line)
		if err != nil {
			c.heard.error(err)
			return err
		}
		if over == overEvents && answer.GetResumeToken() != id {
			return fmt.Errorf("the event's id is %q, and its token %q", id, answer.GetResumeToken())
		}
		deal(answer)
	}
	return lines.Err()
}

// wholeLines are the lines that came to their end: a process that is killed leaves half a line.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if atEOF && !bytes.ContainsRune(data, '\n') {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// readAnswer reads an answer of a watch, or the error that ends it.
func readAnswer(line string) (*portinv1.WatchPortInOrdersResponse, error) {
	var part struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal([]byte(line), &part); err != nil {
		return nil, fmt.Errorf("the line %q: %w", line, err)
	}
	if part.Error != nil {
		s := &rpcstatus.Status{}
		if err := protojson.Unmarshal(part.Error, s); err != nil {
			return nil, err
		}
		return nil, status.FromProto(s).Err()
	}
	answer := &portinv1.WatchPortInOrdersResponse{}
	return answer, protojson.Unmarshal(part.Result, answer)
}

// watcher is a caller who keeps its token, comes back with it whenever its watch has ended, and writes down what it is told.
type watcher struct {
	over  face
	told  chan struct{} // has something when something was told
	begun chan struct{} // closes with the first answer

	mu     sync.Mutex
	at     *client
	token  string
	events []*portinv1.PortInOrderEvent
	// ends are the reasons of the errors that ended its watches; "" for a connection that was lost.
	ends []string
}

// watcher begins to watch at a service, for as long as the test takes.
func (c *client) watcher(t *testing.T, over face) *watcher {
	t.Helper()
	w := &watcher{over: over, told: make(chan struct{}, 1), begun: make(chan struct{}), at: c}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var going sync.WaitGroup
	going.Go(func() { w.goOn(ctx) })
	t.Cleanup(func() {
		stop()
		going.Wait()
	})
	select {
	case <-w.begun:
	case <-time.After(patience):
		t.Fatalf("a watch over %s does not begin", over)
	}
	return w
}

// goOn watches again and again.
func (w *watcher) goOn(ctx context.Context) {
	var once sync.Once
	for ctx.Err() == nil {
		w.mu.Lock()
		at, token := w.at, w.token
		w.mu.Unlock()
		err := at.watch(ctx, w.over, &portinv1.WatchPortInOrdersRequest{ResumeToken: token}, func(a *portinv1.WatchPortInOrdersResponse) {
			w.deal(a)
			once.Do(func() { close(w.begun) })
		})
		w.mu.Lock()
		w.ends = append(w.ends, failed(status.Convert(err)).reason)
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// deal writes down an answer, with its token.
func (w *watcher) deal(a *portinv1.WatchPortInOrdersResponse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.token = a.GetResumeToken()
	if a.GetEvent() != nil {
		w.events = append(w.events, a.GetEvent())
	}
	select {
	case w.told <- struct{}{}:
	default:
	}
}

// turn has the watcher come back to another service from now on.
func (w *watcher) turn(to *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = to
}

// ended are the reasons for which its watches ended so far.
func (w *watcher) ended() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ends)
}

// wantAll waits until the watcher has been told as many events as these, and wants the first to be these, in this order.
func (w *watcher) wantAll(t *testing.T, want []*portinv1.PortInOrderEvent) {
	t.Helper()
	late := time.After(patience)
	for {
		w.mu.Lock()
		got := slices.Clone(w.events)
		w.mu.Unlock()
		if len(got) >= len(want) {
			if diff := cmp.Diff(want, got[:len(want)], protocmp.Transform()); diff != "" {
				t.Errorf("what a watch over %s told (-ledger +watch):\n%s", w.over, diff)
			}
			return
		}
		select {
		case <-w.told:
		case <-late:
			t.Errorf("a watch over %s told %d events of %d; its watches ended with %q", w.over, len(got), len(want), w.ended())
			return
		}
	}
}

// allEvents are the events of all orders up to the newest one of a moment ago, in their sequence: none before the last is
// missing, also while more of them come.
func (c *client) allEvents(t *testing.T) []*portinv1.PortInOrderEvent {
	t.Helper()
	var newest int64
	for _, event := range c.readEvents(t) {
		newest = max(newest, event.GetSequence())
	}
	all := slices.DeleteFunc(c.readEvents(t), func(e *portinv1.PortInOrderEvent) bool { return e.GetSequence() > newest })
	slices.SortFunc(all, func(a, b *portinv1.PortInOrderEvent) int { return int(a.GetSequence() - b.GetSequence()) })
	return all
}

// readEvents reads the events of one order after the other.
func (c *client) readEvents(t *testing.T) []*portinv1.PortInOrderEvent {
	t.Helper()
	var all []*portinv1.PortInOrderEvent
	for _, o := range c.list(t) {
		all = append(all, c.events(t, o.GetOrderId())...)
	}
	return all
}

// restful waits until the carrier was asked about every order, and returns the events of all. There are no more for a while.
func (c *client) restful(t *testing.T) []*portinv1.PortInOrderEvent {
	t.Helper()
	until(t, "the carrier was asked about every order", func() bool {
		return !slices.ContainsFunc(c.list(t), func(o *portinv1.PortInOrder) bool { return o.GetCarrierStatusWord() == "" })
	})
	return c.allEvents(t)
}
