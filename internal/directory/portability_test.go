package directory_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
)

const (
	portable  = portinv1.PortabilityVerdict_PORTABILITY_VERDICT_PORTABLE
	immovable = portinv1.PortabilityVerdict_PORTABILITY_VERDICT_NOT_PORTABLE
	uncertain = portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNCERTAIN
	unknown   = portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNKNOWN
)

// replying answers by the digits asked about; what is not there cannot be read.
func replying(replies map[string]carrier.Reply) func(context.Context, string) (carrier.Portability, error) {
	return func(_ context.Context, digits string) (carrier.Portability, error) {
		reply, ok := replies[digits]
		if !ok {
			return carrier.Portability{}, fault.New(fault.ReasonCarrierUnreadable, "a page")
		}
		return carrier.Portability{Reply: reply, Message: "about " + digits}, nil
	}
}

func check(t *testing.T, d *directory.Directory, numbers ...string) (*portinv1.CheckPortabilityResponse, error) {
	t.Helper()
	return d.CheckPortability(t.Context(), &portinv1.CheckPortabilityRequest{Numbers: numbers})
}

func TestPortabilityIsInTheOrderOfTheRequest(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.portable = replying(map[string]carrier.Reply{
		"4165550123": carrier.ReplyAccepted, "416555": carrier.ReplyRejected, "4165550": carrier.ReplyDeferred,
		"41655501": carrier.ReplyConditional, "416555012": carrier.ReplyError,
	})
	d := directory.New(f, directory.Config{})
	got, err := check(t, d, "(416) 555-0123", "416-555", "416 555 0", "+1 416.555.01", "1-416-555-012", "+14165550123", "905555")
	if err != nil {
		t.Fatal(err)
	}
	want := &portinv1.CheckPortabilityResponse{Results: []*portinv1.Portability{
		{Number: "+14165550123", Verdict: portable, Message: "about 4165550123"},
		{Number: "416555", Verdict: immovable, Message: "about 416555"},
		{Number: "4165550", Verdict: uncertain, Message: "about 4165550"},
		{Number: "41655501", Verdict: uncertain, Message: "about 41655501"},
		{Number: "416555012", Verdict: unknown, Message: "about 416555012"},
		{Number: "+14165550123", Verdict: portable, Message: "about 4165550123"},
		{Number: "905555", Verdict: unknown},
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if f.checks.Load() != 6 {
		t.Errorf("%d questions, want each of 6 once", f.checks.Load())
	}
}

func TestEveryNumberThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.portable = replying(nil)
	numbers := []string{
		"416555", "", "41655", "41655501234", "116555", "416155", "416a55", "٤١٦٥٥٥", "+44 20 7946 0958", "416555\n",
		"4165550123 ext 5", strings.Repeat("4", 10_000),
	}
	_, err := check(t, directory.New(f, directory.Config{}), numbers...)
	e := fault.From(err)
	if e == nil || e.Reason != fault.ReasonInvalidFields {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, v := range e.Violations {
		got = append(got, v.Field)
		if strings.Contains(v.Description, "0958") {
			t.Errorf("%s quotes the value", v.Field)
		}
	}
	var want []string
	for i := 1; i < len(numbers); i++ {
		want = append(want, fmt.Sprintf("numbers[%d]", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	if f.checks.Load() != 0 {
		t.Error("the carrier was asked")
	}
}

func TestACarrierThatCannotBeAskedFailsTheCheck(t *testing.T) {
	t.Parallel()
	for reason, want := range map[fault.Reason]fault.Reason{
		fault.ReasonCarrierUnreachable: fault.ReasonCarrierUnreachable,
		fault.ReasonCarrierCredentials: fault.ReasonCarrierCredentials,
		fault.ReasonCarrierBusy:        fault.ReasonCarrierBusy,
		fault.ReasonCarrierUnreadable:  fault.ReasonCarrierUnreadable, // of every number
	} {
		f := stocked()
		f.portable = func(context.Context, string) (carrier.Portability, error) {
			return carrier.Portability{}, fault.New(reason, "no")
		}
		if resp, err := check(t, directory.New(f, directory.Config{}), "416555", "905555", "514555"); !fault.Is(err, want) || resp != nil {
			t.Errorf("%s: %v, %v", reason, resp, err)
		}
	}
}

func TestFewNumbersAreAskedAboutAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		var inside, most atomic.Int32
		f.portable = func(ctx context.Context, _ string) (carrier.Portability, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			defer inside.Add(-1)
			select {
			case <-time.After(time.Second):
				return carrier.Portability{Reply: carrier.ReplyAccepted}, nil
			case <-ctx.Done():
				return carrier.Portability{}, fault.New(fault.ReasonCancelled, "left")
			}
		}
		d := directory.New(f, directory.Config{Checks: 4})
		numbers := make([]string, 100)
		for i := range numbers {
			numbers[i] = fmt.Sprintf("416555%04d", i)
		}
		done := make(chan error)
		for range 2 {
			go func() {
				_, err := check(t, d, numbers...)
				done <- err
			}()
		}
		begun := time.Now()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most.Load() != 4 || time.Since(begun) != 50*time.Second {
			t.Errorf("%d at a time, %v", most.Load(), time.Since(begun))
		}

		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		f.checks.Store(0)
		if _, err := d.CheckPortability(ctx, &portinv1.CheckPortabilityRequest{Numbers: numbers}); err == nil {
			t.Error("no error")
		}
		if f.checks.Load() > 8 {
			t.Errorf("%d questions in one and a half seconds", f.checks.Load())
		}
	})
}
