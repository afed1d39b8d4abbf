package tracker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/tracker"
)

const (
	firstNumber, secondNumber = "+14165550123", "+14165550124"
	firstDigits               = 4165550123
	pollEvery                 = 30 * time.Minute
)

// shelf is a ledger of accepted orders, in memory.
type shelf struct {
	mu          sync.Mutex
	orders      map[string]ledger.Record
	events      []ledger.Event
	advanced    int
	failNumbers bool
	fail        error
}

// Owners returns whose orders have a ticket or a number.
func (s *shelf) Owners(_ context.Context, account, ticket, number string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	var all []string
	for _, r := range s.orders {
		if ticket != "" && r.Ticket == ticket && r.CarrierAccount == account || slices.Contains(r.Numbers, number) {
			all = append(all, r.Tenant)
		}
	}
	return all, nil
}

func newShelf(all ...ledger.Record) *shelf {
	s := &shelf{orders: map[string]ledger.Record{}}
	for _, r := range all {
		s.orders[r.OrderID] = r
	}
	return s
}

func (s *shelf) Take(_ context.Context, t ledger.Turn) ([]ledger.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []ledger.Record
	for _, r := range s.orders {
		if r.State == t.State && !r.Due.IsZero() && !r.Due.After(t.Now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b ledger.Record) int { return a.Due.Compare(b.Due) })
	due = due[:min(len(due), t.Limit)]
	for i := range due {
		due[i] = due[i].Clone()
		due[i].Due, due[i].Fence = t.Until, due[i].Fence+1
		s.orders[due[i].OrderID] = due[i].Clone()
	}
	return due, nil
}

func (s *shelf) Advance(_ context.Context, orderID string, step ledger.Step) (ledger.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.orders[orderID]
	if s.fail != nil {
		return ledger.Record{}, s.fail
	}
	next, events, err := step.Apply(was)
	if err != nil {
		return was, err
	}
	for id, r := range s.orders {
		if id != orderID && next.Ticket != was.Ticket && r.Ticket == next.Ticket {
			return was, ledger.ErrTicketTaken
		}
	}
	s.advanced++
	s.orders[orderID] = next
	s.events = append(s.events, events...)
	return next.Clone(), nil
}

func (s *shelf) List(_ context.Context, q ledger.Query) (all []ledger.Record, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.orders {
		if r.Tenant == q.Tenant && (q.Ticket == "" || r.Ticket == q.Ticket) && (q.Number == "" || slices.Contains(r.Numbers, q.Number)) &&
			(len(q.States) == 0 || slices.Contains(q.States, r.State)) {
			all = append(all, r.Clone())
		}
	}
	return all, false, s.fail
}

func (s *shelf) OfNumber(_ context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failNumbers {
		return nil, errBook
	}
	for _, r := range s.orders {
		if slices.Contains(r.Numbers, q.Number) && r.OrderID != q.But {
			all = append(all, r.Clone())
		}
	}
	return all[:min(q.Limit, len(all))], nil
}

// set changes the shelf under its lock.
func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// order is an order as it is now.
func (s *shelf) order(n int) (r ledger.Record) {
	s.set(func() { r = s.orders[orderID(n)].Clone() })
	return r
}

// alter changes the first order behind the tracker's back.
func (s *shelf) alter(change func(r *ledger.Record)) {
	s.set(func() {
		r := s.orders[orderID(1)]
		change(&r)
		s.orders[r.OrderID] = r
	})
}

// told are the events since it was asked last.
func (s *shelf) told() (events []ledger.Event) {
	s.set(func() { events, s.events = s.events, nil })
	return events
}

// types are the types of the events since it was asked last.
func (s *shelf) types() (all []ledger.EventType) {
	for _, e := range s.told() {
		all = append(all, e.Type)
	}
	return all
}

// line is a carrier that answers as it is told to, and notes when it was asked.
type line struct {
	mu     sync.Mutex
	ticket map[string]carrier.Status
	number map[int64]carrier.Status
	fail   error
	panics bool
	// onAsk is called before each answer, and takes how long that comes after the question.
	onAsk func()
	takes time.Duration
	asks  []time.Time
	by    []string
}

func newLine() *line {
	return &line{ticket: map[string]carrier.Status{}, number: map[int64]carrier.Status{}}
}

func (l *line) StatusByTicket(ctx context.Context, ticket string) (carrier.Status, error) {
	return l.answer(ctx, ticket, func() (carrier.Status, bool) {
		s, ok := l.ticket[ticket]
		return s, ok
	})
}

func (l *line) StatusByNumber(ctx context.Context, number int64) (carrier.Status, error) {
	return l.answer(ctx, fmt.Sprint(number), func() (carrier.Status, bool) {
		s, ok := l.number[number]
		return s, ok
	})
}

func (l *line) answer(ctx context.Context, by string, find func() (carrier.Status, bool)) (carrier.Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks, l.by = append(l.asks, time.Now()), append(l.by, by)
	if l.onAsk != nil {
		l.onAsk()
	}
	if l.panics {
		panic(fmt.Sprint("cannot read ", by))
	}
	if l.takes > 0 {
		select {
		case <-ctx.Done():
			return carrier.Status{}, ctx.Err()
		case <-time.After(l.takes):
		}
	}
	if l.fail != nil {
		return carrier.Status{}, l.fail
	}
	s, ok := find()
	if !ok {
		return carrier.Status{}, fault.New(fault.ReasonPortInNotFound, "none")
	}
	return s, nil
}

// set changes the line under its lock.
func (l *line) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// says has the carrier answer for a ticket.
func (l *line) says(s carrier.Status) {
	l.set(func() { l.ticket[s.Ticket] = s })
}

// asked is by what the carrier was asked since it was looked at last.
func (l *line) asked() (by []string) {
	l.set(func() { by, l.by = l.by, nil })
	return by
}

// safeLog is a log that may be read while it is written.
type safeLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// accepted is an order that the carrier has just accepted.
func accepted(n int, ticket string, numbers ...string) ledger.Record {
	if len(numbers) == 0 {
		numbers = []string{firstNumber, secondNumber}
	}
	now := time.Now().UTC()
	return ledger.Record{
		OrderID: orderID(n), Tenant: ledger.Default, RequestID: orderID(n), CarrierAccount: ledger.Default, History: orderID(n),
		State: order.Accepted, Attempt: 1, Numbers: numbers, Ticket: ticket, Content: []byte("Wong Mary"),
		Created: now, Claimed: now, Settled: now, Progressed: now, Due: now,
	}
}

// station is a tracker at work with its surroundings.
type station struct {
	*shelf
	*line

	log  *safeLog
	stop func()
}

// opened starts a tracker that asks about an open order every half hour, until the test ends.
func opened(t *testing.T, s *shelf, l *line, change ...func(*tracker.Params)) *station {
	t.Helper()
	log := &safeLog{}
	p := tracker.Params{
		Pace:   tracker.Pace{Interval: pollEvery, Every: 5 * time.Second, PerSecond: 1000, NoProgressDays: 3, Patience: time.Hour},
		Ledger: s, Accounts: oneAccount{}, Carrier: always(l), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Closed: func(context.Context, string, time.Time) bool { return false },
	}
	for _, c := range change {
		c(&p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { tracker.New(p).Run(ctx) })
	stop := func() {
		cancel()
		work.Wait()
	}
	t.Cleanup(stop)
	return &station{shelf: s, line: l, log: log, stop: stop}
}

// pass lets time go by, and what begins then come to rest.
func pass(d time.Duration) {
	pause(d)
	synctest.Wait()
}

// oneAccount is a service with the one account at the carrier that everybody has.
type oneAccount struct{}

func (oneAccount) Of(string) string { return ledger.Default }

func (oneAccount) Names() []string { return []string{ledger.Default} }

// always is the same carrier for every account.
func always(c portstatus.Carrier) func(account string) portstatus.Carrier {
	return func(string) portstatus.Carrier { return c }
}
