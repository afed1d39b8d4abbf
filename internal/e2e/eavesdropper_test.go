package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// eavesdropper hears every error that a client is told, and every page of metrics, and looks them through. What may be in an error
// all the same is the carrier's own message, within its bounds, for the tenant of its order; and the number that the caller sent, where
// another order has it.
type eavesdropper struct{ errors, metrics sieve }

// eavesdrop begins to listen, and reports at the end of the test.
func eavesdrop(t testing.TB) *eavesdropper {
	t.Helper()
	e := newEavesdropper()
	t.Cleanup(func() {
		e.errors.report(t)
		e.metrics.report(t)
	})
	return e
}

func newEavesdropper() *eavesdropper {
	return &eavesdropper{errors: sieve{where: "the errors"}, metrics: sieve{where: "the metrics"}}
}

// carriersLimit bounds the carrier's own message, in bytes.
const carriersLimit = 1 << 10

// anExample is how the service shows what a telephone number looks like.
const anExample = "for example +14165550123"

// error hears an error.
func (e *eavesdropper) error(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		e.status(status.Convert(err).Proto())
	}
}

// status hears an error with its details.
func (e *eavesdropper) status(s *rpcstatus.Status) {
	said := proto.CloneOf(s)
	for i, detail := range said.GetDetails() {
		info := &errdetails.ErrorInfo{}
		if detail.UnmarshalTo(info) != nil {
			continue
		}
		switch info.GetReason() {
		case "CARRIER_REFUSED", "CARRIER_INVALID":
			if len(said.GetMessage()) > carriersLimit {
				e.errors.hit("a message of the carrier beyond its bounds")
			}
			said.Message = ""
		case "NUMBER_IN_OPEN_ORDER":
			delete(info.GetMetadata(), "number")
			if packed, err := anypb.New(info); err == nil {
				said.Details[i] = packed
			}
		}
	}
	text, err := protojson.Marshal(said)
	if err != nil {
		text = fmt.Append(nil, said)
	}
	_, _ = e.errors.Write(append(bytes.ReplaceAll(text, []byte(anExample), nil), '\n'))
}

// answer hears an answer over HTTP. One that is an error is read whole, and can be read again.
func (e *eavesdropper) answer(r *http.Request, resp *http.Response) error {
	failed, metrics := resp.StatusCode >= http.StatusBadRequest, r.URL.Path == "/metrics"
	if !failed && !metrics {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if metrics {
		_, _ = e.metrics.Write(append(body, '\n'))
		return nil
	}
	_, _ = e.errors.Write([]byte(headerText(resp.Header)))
	s := &rpcstatus.Status{}
	if protojson.Unmarshal(body, s) == nil {
		e.status(s)
		return nil
	}
	_, _ = e.errors.Write(append(body, '\n'))
	return nil
}

// options have a connection overheard.
func (e *eavesdropper) options() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(
			ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption,
		) error {
			err := invoker(ctx, method, req, reply, cc, opts...)
			e.error(err)
			return err
		}),
		grpc.WithChainStreamInterceptor(func(
			ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			stream, err := streamer(ctx, desc, cc, method, opts...)
			e.error(err)
			return heardStream{stream, e}, err
		}),
	}
}

// heardStream is a stream whose end is heard.
type heardStream struct {
	grpc.ClientStream

	by *eavesdropper
}

// RecvMsg receives.
func (s heardStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	s.by.error(err)
	return err
}

// overheard passes on what a service answers, and has what is an error or a metric looked through.
type overheard struct {
	http.RoundTripper

	by *eavesdropper
}

// RoundTrip sends a request.
func (o overheard) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := o.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := o.by.answer(r, resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// CloseIdleConnections does so where the transport can.
func (o overheard) CloseIdleConnections() {
	if t, ok := o.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// headerText are the header's values in lines.
func headerText(h http.Header) string {
	var text strings.Builder
	for name, values := range h {
		fmt.Fprintln(&text, name, values)
	}
	return text.String()
}
