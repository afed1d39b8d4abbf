// Package inflight weighs what requests hold in memory, so that many large ones at once do not take all of it.
//
// It promises that all loads on a scale together never weigh more than it bears, that what does not fit is refused at once, and
// that a load is off the scale as soon as the last who holds it has let it go, and then for good. It refuses to make anybody
// wait, and to know what a request asks for.
package inflight

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/portin/portin/internal/fault"
)

// What a request weighs, in bytes of resident memory at its peak. An order with 25 MiB of documents was measured in a process of
// its own, placed with a carrier that takes its time, one and eight at once: 4.4 times its documents over gRPC (the message as it
// came, the documents decoded, the carrier's body of 4/3, and what the garbage collector has not fetched yet) and 3.8 times over
// JSON (a body of 4/3, and the rest as over gRPC); 3.2 to 3.5 times on either with a GOMEMLIMIT, which is how the service is to be
// run. So both faces weigh an order at four times its documents, of which a JSON body has 4/3.
const (
	perMessageByte = 4
	perJSONByte    = 3
	// Light is up to how many bytes a request is not weighed at all: reads, watches, and orders without documents always fit.
	Light = 64 << 10
)

// OfMessage is what a message of so many bytes weighs, and OfJSON a body of JSON.
func OfMessage(n int64) int64 { return weightOf(n, perMessageByte) }

// OfJSON is what a body of JSON of so many bytes weighs.
func OfJSON(n int64) int64 { return weightOf(n, perJSONByte) }

func weightOf(n, perByte int64) int64 {
	if n <= Light {
		return 0
	}
	return n * perByte
}

// Scale bears the loads of a process up to its limit. Build it with New; nil bears everything, and weighs nothing. It is safe
// for concurrent use.
type Scale struct {
	room            *semaphore.Weighted
	weight, refused atomic.Int64
}

// New returns a scale that bears so many bytes.
func New(limit int64) *Scale { return &Scale{room: semaphore.NewWeighted(limit)} }

// Begin returns a load that weighs nothing yet, held by whoever asks for it.
func (s *Scale) Begin() *Load {
	if s == nil {
		return nil
	}
	return &Load{scale: s, holders: 1}
}

// Put puts a load on the scale, held by whoever puts it there. The error is fault SERVICE_BUSY: it does not fit now. What weighs
// nothing is no load, and nil.
func (s *Scale) Put(weight int64) (*Load, error) {
	if weight == 0 {
		return nil, nil //nolint:nilnil // nil is a load that weighs nothing
	}
	l := s.Begin()
	if err := l.Grow(weight); err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Scale) take(weight int64) error {
	if !s.room.TryAcquire(weight) {
		s.refused.Add(1)
		return Busy()
	}
	s.weight.Add(weight)
	return nil
}

// Weight is what all loads on the scale weigh together.
func (s *Scale) Weight() int64 { return s.weight.Load() }

// Refused is how often something did not fit.
func (s *Scale) Refused() int64 { return s.refused.Load() }

// The seconds that who does not fit is told to wait, by chance, so that those of one moment do not come back in one moment.
const leastWait, mostWait = 3, 10

// Busy is the error of what does not fit: fault SERVICE_BUSY.
func Busy() error {
	wait := leastWait + rand.IntN(mostWait-leastWait+1) //nolint:gosec // it spreads callers, and keeps no secret
	return fault.New(fault.ReasonServiceBusy, "the service is busy with large requests; nothing was done; send the request again with the same request_id").
		WithRetryAfter(time.Duration(wait) * time.Second)
}

// Load is what a request weighs while somebody holds it. A nil load weighs nothing. It is safe for concurrent use.
type Load struct {
	scale *Scale

	mu      sync.Mutex
	weight  int64
	holders int
}

// Grow makes the load as heavy as this, unless it is heavier. On fault SERVICE_BUSY it is as it was.
func (l *Load) Grow(weight int64) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holders == 0 || weight <= l.weight {
		return nil
	}
	if err := l.scale.take(weight - l.weight); err != nil {
		return err
	}
	l.weight = weight
	return nil
}

// Hold is for one more who needs what the load stands for, and lets it go later. A load that was let go by all stays so.
func (l *Load) Hold() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holders > 0 {
		l.holders++
	}
}

// LetGo is for each who held the load, once. The last takes it off the scale.
func (l *Load) LetGo() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holders == 0 {
		return
	}
	l.holders--
	if l.holders == 0 {
		l.scale.weight.Add(-l.weight)
		l.scale.room.Release(l.weight)
	}
}

// key is where a context has its load.
type key struct{}

// With is a context of what belongs to a request with this load.
func With(ctx context.Context, l *Load) context.Context {
	if l == nil {
		return ctx
	}
	return context.WithValue(ctx, key{}, l)
}

// From is the load of a context; nil when it has none.
func From(ctx context.Context) *Load {
	l, _ := ctx.Value(key{}).(*Load)
	return l
}
