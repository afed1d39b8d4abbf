package directory_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/product"
)

func trunks(ctx context.Context, d *directory.Directory) (int, error) {
	resp, err := d.SipTrunks(ctx, &portinv1.ListSipTrunksRequest{})
	return len(resp.GetSipTrunks()), err
}

// asked asserts how often the carrier was asked so far.
func asked(t *testing.T, f *fakeCarrier, want int32) {
	t.Helper()
	if got := f.asked.Load(); got != want {
		t.Errorf("the carrier was asked %d times, want %d", got, want)
	}
}

// pass lets time pass in a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestAListIsKeptForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		d := directory.New(f, directory.Config{})
		for range 3 {
			if n, err := trunks(t.Context(), d); n != 3 || err != nil {
				t.Errorf("%d trunks, %v", n, err)
			}
		}
		asked(t, f, 1)
		f.change(func(f *fakeCarrier) { f.lists.trunks = nil })
		pass(5*time.Minute - time.Nanosecond)
		if n, _ := trunks(t.Context(), d); n != 3 {
			t.Errorf("%d trunks before the end of the TTL", n)
		}
		pass(time.Nanosecond)
		if n, _ := trunks(t.Context(), d); n != 0 {
			t.Errorf("%d trunks after the end of the TTL", n)
		}
		asked(t, f, 2)

		// Nothing older than the TTL is handed out, even if the carrier cannot be asked.
		pass(5 * time.Minute)
		f.change(func(f *fakeCarrier) { f.fails = errDown })
		if _, err := trunks(t.Context(), d); !fault.Is(err, fault.ReasonCarrierUnreachable) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAFailureIsKeptForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.fails = errDown
		d := directory.New(f, directory.Config{})
		for range 3 {
			if _, err := trunks(t.Context(), d); !fault.Is(err, fault.ReasonCarrierUnreachable) {
				t.Errorf("error %v", err)
			}
		}
		asked(t, f, 1)
		f.change(func(f *fakeCarrier) { f.fails = nil })
		pass(5 * time.Second)
		if n, err := trunks(t.Context(), d); n != 3 || err != nil {
			t.Errorf("%d trunks, %v", n, err)
		}
		asked(t, f, 2)
	})
}

func TestOneCallIsInFlightHoweverManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.hang = make(chan struct{})
		d := directory.New(f, directory.Config{})
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if n, err := trunks(t.Context(), d); n != 3 || err != nil {
					t.Errorf("%d trunks, %v", n, err)
				}
			})
		}
		synctest.Wait()
		asked(t, f, 1)
		close(f.hang)
		wg.Wait()
		asked(t, f, 1)
	})
}

func TestACallerWhoLeavesTakesNobodysAnswerAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.hang = make(chan struct{})
		d := directory.New(f, directory.Config{})
		first, leave := context.WithCancel(t.Context())
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results := make(chan error, 3)
		go func() {
			_, err := trunks(first, d)
			results <- err
		}()
		synctest.Wait()
		leave()
		if err := <-results; !fault.Is(err, fault.ReasonCancelled) {
			t.Errorf("the first caller: %v", err)
		}
		go func() {
			_, err := trunks(t.Context(), d)
			results <- err
		}()
		if _, err := trunks(short, d); !fault.Is(err, fault.ReasonDeadlineExceeded) {
			t.Errorf("the caller with a deadline: %v", err)
		}
		close(f.hang)
		if err := <-results; err != nil {
			t.Errorf("the caller who waited: %v", err)
		}
		asked(t, f, 1)
	})
}

func TestTheAnswerIsKeptThoughEverybodyLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.hang = make(chan struct{})
		d := directory.New(f, directory.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := trunks(ctx, d); err == nil {
			t.Error("no error")
		}
		close(f.hang)
		synctest.Wait()
		f.change(func(f *fakeCarrier) { f.fails = errDown })
		if n, err := trunks(ctx, d); n != 3 || err != nil {
			t.Errorf("%d trunks, %v", n, err)
		}
		asked(t, f, 1)
	})
}

func TestACarrierThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.hang = make(chan struct{})
		d := directory.New(f, directory.Config{})
		begun := time.Now()
		if _, err := trunks(t.Context(), d); !fault.Is(err, fault.ReasonCarrierUnreadable) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// panicky is a carrier whose list of trunks panics.
type panicky struct{ *fakeCarrier }

func (panicky) Trunks(context.Context) ([]carrier.Trunk, error) { panic("hunter2") }

func TestFault32_APanicIsAnError(t *testing.T) {
	t.Parallel()
	d := directory.New(panicky{stocked()}, directory.Config{})
	if _, err := trunks(t.Context(), d); !fault.Is(err, fault.ReasonInternal) {
		t.Errorf("error %v", err)
	}
}

// What a call has done beside it ends with the call, not with the process.
func TestFault32_APanicBesideACall(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.portable = func(context.Context, string) (carrier.Portability, error) { panic("hunter2") }
	if _, err := check(t, directory.New(f, directory.Config{}), "416-555-0123", "416-555-0124"); !fault.Is(err, fault.ReasonInternal) {
		t.Errorf("error %v", err)
	}

	d := directory.New(stocked(), directory.Config{Observer: startled{}})
	defer func() {
		if thrown, ok := recover().(error); !ok || strings.Contains(thrown.Error(), "hunter2") {
			t.Errorf("the caller met %v, want a panic of its own", thrown)
		}
	}()
	d.Check(t.Context(), []product.Reference{{Kind: product.Trunk, Field: "order.trunk_did.pilot_number", Value: "4165550100"}})
	t.Error("a panic was lost")
}

// startled panics when a list is read.
type startled struct{}

func (startled) Read(directory.List, directory.Had) { panic("hunter2") }

func (startled) Renewed(directory.List, time.Time) {}

func TestFault34_AClockThatJumpsBackMakesNothingImmortal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	f := stocked()
	d := directory.New(f, directory.Config{Now: func() time.Time { return now }})
	_, _ = trunks(t.Context(), d)
	now = now.Add(-time.Hour)
	_, _ = trunks(t.Context(), d)
	asked(t, f, 2)
	_, _ = trunks(t.Context(), d)
	asked(t, f, 2)
}
