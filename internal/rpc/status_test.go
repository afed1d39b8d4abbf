package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   *fault.Error
		code    codes.Code
		message string
		details []proto.Message
	}{
		"a reason and a message": {
			fault.New(fault.ReasonOrderNotFound, "there is no such order"), codes.NotFound, "there is no such order",
			[]proto.Message{&errdetails.ErrorInfo{Reason: "ORDER_NOT_FOUND", Domain: "portin.v1"}},
		},
		"facts, and a wait in whole seconds": {
			fault.New(fault.ReasonCarrierUnreachable, "x").WithMetadata("order_id", "1").WithRetryAfter(1500 * time.Millisecond).
				WithCause(errors.New(secret)),
			codes.Unavailable, "x",
			[]proto.Message{
				&errdetails.ErrorInfo{Reason: "CARRIER_UNREACHABLE", Domain: "portin.v1", Metadata: map[string]string{"order_id": "1"}},
				&errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: 2}},
			},
		},
		"fields": {
			fault.Fields([]fault.Violation{{Field: "order.form", Description: "is required"}, {Field: "request_id", Description: "is missing"}}),
			codes.InvalidArgument, "fields of the request break rules; see the field violations",
			[]proto.Message{
				&errdetails.ErrorInfo{Reason: "INVALID_FIELDS", Domain: "portin.v1", Metadata: map[string]string{"violations_total": "2"}},
				&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
					{Field: "order.form", Description: "is required"}, {Field: "request_id", Description: "is missing"},
				}},
			},
		},
		"the zero fault": {
			&fault.Error{}, codes.Internal, "", []proto.Message{&errdetails.ErrorInfo{Domain: "portin.v1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &spb.Status{Code: int32(c.code), Message: c.message}
			for _, d := range c.details {
				detail, err := anypb.New(d)
				if err != nil {
					t.Fatal(err)
				}
				want.Details = append(want.Details, detail)
			}
			if diff := cmp.Diff(want, statusOf(c.fault).Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWholeSeconds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int64{
		1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90, math.MaxInt64: math.MaxInt64/int64(time.Second) + 1,
	} {
		if got := wholeSeconds(d); got.GetSeconds() != want || got.GetNanos() != 0 {
			t.Errorf("wholeSeconds(%d) = %v, want %d s", d, got, want)
		}
	}
}

func TestOnlyTheFirstSixteenViolationsAreListed(t *testing.T) {
	t.Parallel()
	violations := make([]fault.Violation, 200)
	for i := range violations {
		violations[i] = fault.Violation{Field: fmt.Sprintf("order.virtual_fax.numbers[%d]", i), Description: "is not a number"}
	}
	st := wantError(t, statusOf(fault.Fields(violations)).Err(), codes.InvalidArgument, "INVALID_FIELDS")
	var want [][2]string
	for _, v := range violations[:16] {
		want = append(want, [2]string{v.Field, v.Description})
	}
	if diff := cmp.Diff(want, violationsOf(st)); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	info, _ := st.Details()[0].(*errdetails.ErrorInfo)
	if diff := cmp.Diff(map[string]string{"violations_total": "200"}, info.GetMetadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// worst are faults that hold as much as a stranger or a carrier can make them hold.
func worst() map[string]*fault.Error {
	violations := make([]fault.Violation, 200_000)
	huge := fault.Violation{Field: strings.Repeat("é\xff", 5000), Description: strings.Repeat("日本", 5000)}
	for i := range violations {
		violations[i] = huge
	}
	crowded := fault.New(fault.ReasonCarrierInvalid, strings.Repeat("\x00\xff日é", 100_000)).WithRetryAfter(time.Hour)
	for i := range 100 {
		crowded = crowded.WithMetadata(fmt.Sprintf("%d%s", i, strings.Repeat("\xff", 500)), strings.Repeat("é", 5000))
	}
	return map[string]*fault.Error{
		"violations":              fault.Fields(violations),
		"message":                 fault.New(fault.ReasonCarrierRefused, strings.Repeat("é", 100_000)),
		"message and violations":  fault.New(fault.ReasonCarrierInvalid, strings.Repeat("%", 100_000)).WithViolations(violations),
		"everything, and no UTF8": crowded.WithViolations(violations),
	}
}

func TestAnErrorIsWithinBounds(t *testing.T) {
	t.Parallel()
	for name, e := range worst() {
		st := wantError(t, statusOf(e).Err(), grpcCodes[e.Kind()], string(e.Reason))
		if !utf8.ValidString(st.Message()) {
			t.Errorf("%s: the message is no UTF-8", name)
		}
		info, _ := st.Details()[0].(*errdetails.ErrorInfo)
		if len(e.Violations) > 0 && info.GetMetadata()["violations_total"] != "200000" {
			t.Errorf("%s: violations_total is %q", name, info.GetMetadata()["violations_total"])
		}
		if len(e.Violations) > 0 && len(violationsOf(st)) == 0 {
			t.Errorf("%s: no violation is left", name)
		}
	}
}

// Clients in Java and on gRPC's C core take 8 KiB of metadata; a larger trailer is a broken call to them.
func TestTheWorstErrorFitsIntoEightKiB(t *testing.T) {
	t.Parallel()
	for name, e := range worst() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, &fake{size: func(*portinv1.PortInRequest) error { return e }}, grpc.WithMaxHeaderListSize(8<<10))
			_, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), &portinv1.PortInRequest{})
			wantError(t, err, grpcCodes[e.Kind()], string(e.Reason))
		})
	}
}

func TestFaultOf(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.ReasonCarrierRefused, "no")
	for name, c := range map[string]struct {
		err  error
		want fault.Reason
	}{
		"a fault":                     {refused, fault.ReasonCarrierRefused},
		"a fault in a chain":          {fmt.Errorf("placing: %w", refused.WithCause(context.Canceled)), fault.ReasonCarrierRefused},
		"a context that was left":     {fmt.Errorf("waiting: %w", context.Canceled), fault.ReasonCancelled},
		"a context that ended":        {context.DeadlineExceeded, fault.ReasonDeadlineExceeded},
		"a stream that was left":      {status.Error(codes.Canceled, "x"), fault.ReasonCancelled},
		"a stream that ended":         {status.Error(codes.DeadlineExceeded, "x"), fault.ReasonDeadlineExceeded},
		"a status without a reason":   {status.Error(codes.NotFound, secret), fault.ReasonInternal},
		"an error without a meaning":  {errors.New(secret), fault.ReasonInternal},
		"an OK status that is thrown": {status.Error(codes.Unknown, secret), fault.ReasonInternal},
	} {
		got := faultOf(c.err)
		if got.Reason != c.want || strings.Contains(got.Message, secret) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
		if !errors.Is(got, c.err) && !errors.Is(c.err, got) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc"},
		{"aé", 2, "a"},
		{"é", 1, ""},
		{"日本", 5, "日"},
		{"日本", 6, "日本"},
		{"a\xffb", 10, "a\uFFFDb"},
		{"a\xff\xfeb", 2, "a"},
		{"x", 0, ""},
	} {
		if got := cut(c.text, c.limit); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("日本\xff", 4)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 0), 1<<12)
		if got := cut(text, limit); len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("cut(%q, %d) = %q", text, limit, got)
		}
		if got := line(text, limit); strings.ContainsAny(got, "\n\r\x00\x1b\u2028") {
			t.Errorf("line(%q, %d) = %q", text, limit, got)
		}
	})
}
