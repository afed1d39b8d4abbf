package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/sandbox"
)

// Whatever is planted is found, however it is written and wherever it is cut, with its place; and its report does not show it.
func TestFault28_WhatIsPlantedIsFound(t *testing.T) {
	t.Parallel()
	key, _ := apiKey()
	for text, want := range map[string]string{
		"canary-account":                         "a planted canary",
		"THE CANARY BAKERY":                      "a planted canary",
		"O'Canary":                               "a planted canary",
		"canary%40example":                       "a planted canary",
		"63616e6172792d31":                       "a planted canary",
		"(416) 555-0142":                         "a telephone number",
		"+14165550142":                           "a telephone number",
		"416-555-0142":                           "a telephone number",
		"1 416.555.0142":                         "a telephone number",
		"H9Z 9Z9":                                "a postal code",
		"m9z9z9":                                 "a postal code",
		"Sandbox rejected":                       "the name of a customer",
		key:                                      "an API key",
		"eyJhbGciOi.eyJpc3.x":                    "a token",
		"c2FuZGJveDpzYW5kYm94":                   "the carrier's password",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "a webhook's secret",
		base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n" + "x" + "\ncanary-document")):   "a canary in base64",
		base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n" + "xy" + "\ncanary-document")):  "a canary in base64",
		base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n" + "xyz" + "\ncanary-document")): "a canary in base64",

		"the sandbox carrier, SANDBOX-5550142, portin_orders, 14165550199x, 9Z9, key=eyJ": "",
	} {
		line := "one\ntwo\nmsg=call why=" + text + " reason=NONE\nfour\n"
		for cut := range len(line) {
			s := &sieve{where: "the log"}
			_, _ = io.WriteString(s, line[:cut])
			_, _ = io.WriteString(s, line[cut:])
			hits, size := s.found()
			if want == "" {
				if len(hits) > 0 {
					t.Errorf("%q is taken for a secret: %q", text, hits)
				}
				continue
			}
			if len(hits) != 1 || !strings.HasPrefix(hits[0], "the log, line 3: "+want+" after ") || size != len(line) || strings.Contains(hits[0], text) {
				t.Fatalf("of %q, cut at %d, is said %q", text, cut, hits)
			}
		}
	}
}

// A line that does not end is looked at as it comes, also across what is kept of it.
func TestFault28_ALineWithoutAnEndIsLookedAt(t *testing.T) {
	t.Parallel()
	s := &sieve{where: "the log"}
	for range 5 {
		_, _ = io.WriteString(s, strings.Repeat("x", longestLine/2-3))
	}
	_, _ = io.WriteString(s, "canary")
	for range 5 {
		_, _ = io.WriteString(s, strings.Repeat("x", longestLine/2))
	}
	if hits, _ := s.found(); len(hits) == 0 || len(s.rest) > longestLine {
		t.Errorf("of a long line is said %q, and %d bytes of it are kept", hits, len(s.rest))
	}
}

// An error that quotes an order is heard over each face; but for the carrier's own message within its bounds.
func TestFault28_AnErrorThatQuotesAnOrderIsHeard(t *testing.T) {
	t.Parallel()
	refusal := func(reason, message string, facts map[string]string) error {
		s, err := status.New(codes.FailedPrecondition, message).WithDetails(&errdetails.ErrorInfo{
			Reason: reason, Domain: "portin.v1", Metadata: facts,
		})
		return errors.Join(err, s.Err())
	}
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"of the service":                {refusal("INVALID_FIELDS", "the name Canary Bakery is none", nil), 1},
		"of the service, in its facts":  {refusal("INVALID_FIELDS", "no", map[string]string{"number": "+14165550142"}), 1},
		"of the carrier":                {refusal("CARRIER_REFUSED", "no Canary Bakery here", nil), 0},
		"of the carrier, in its facts":  {refusal("CARRIER_INVALID", "no", map[string]string{"carrier_error_id": "canary"}), 1},
		"of the carrier, beyond bounds": {refusal("CARRIER_INVALID", strings.Repeat("x", carriersLimit+1), nil), 1},
		"about a number":                {refusal("NUMBER_IN_OPEN_ORDER", "no", map[string]string{"number": "+14165550142"}), 0},
		"about a number and a name":     {refusal("NUMBER_IN_OPEN_ORDER", "no", map[string]string{"number": "+14165550142", "name": "Canary"}), 1},
		"about a number, in words":      {refusal("NUMBER_IN_OPEN_ORDER", "not +14165550142", nil), 1},
		"with an example":               {refusal("INVALID_FIELDS", "is no number; want one, "+anExample, nil), 0},
		"that is discreet":              {refusal("INVALID_FIELDS", "the name is none", nil), 0},
		"that is the end":               {io.EOF, 0},
	} {
		e := newEavesdropper()
		e.error(c.err)
		if hits, _ := e.errors.found(); len(hits) != c.want {
			t.Errorf("of an error %s is said %q", name, hits)
		}
	}
}

// Every error over HTTP and every page of metrics passes the ears of a client, whatever it is asked for, and its reader gets all of it.
func TestFault28_AnswersOverHTTPAreHeard(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			http.Error(w, "no canary here", http.StatusBadGateway)
		case "/header":
			w.Header().Set("Location", "/canary")
			w.WriteHeader(http.StatusNotFound)
		case "/json":
			http.Error(w, `{"code":3,"message":"canary"}`, http.StatusBadRequest)
		default: // the metrics, and an answer that its caller may have
			fmt.Fprint(w, "portin_canary 1\n")
		}
	}))
	t.Cleanup(server.Close)
	got := map[string][2]int{}
	for _, path := range []string{"/page", "/header", "/json", "/metrics", "/v1/port-ins"} {
		e := newEavesdropper()
		c := &client{http: &http.Client{Transport: overheard{server.Client().Transport, e}}}
		a := c.do(t, http.MethodGet, server.URL+path, nil)
		if path != "/header" && !strings.Contains(string(a.body), "canary") {
			t.Errorf("%s is read as %q", path, a.body)
		}
		errs, _ := e.errors.found()
		metrics, _ := e.metrics.found()
		got[path] = [2]int{len(errs), len(metrics)}
	}
	want := map[string][2]int{"/page": {1, 0}, "/header": {1, 0}, "/json": {1, 0}, "/metrics": {0, 1}, "/v1/port-ins": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was heard, of errors and of metrics (-want +got):\n%s", diff)
	}
}

// Every error over gRPC passes the ears of a client, of a call and of a watch.
func TestFault28_ErrorsOverGRPCAreHeard(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.Internal, "the canary is dead")
	}))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	e := newEavesdropper()
	conn, err := grpc.NewClient(l.Addr().String(), append(e.options(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{grpc: portinv1.NewPortInServiceClient(conn)}
	_, _ = c.grpc.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{})
	_ = c.watch(t.Context(), overGRPC, &portinv1.WatchPortInOrdersRequest{}, func(*portinv1.WatchPortInOrdersResponse) {})
	if hits, _ := e.errors.found(); len(hits) != 2 {
		t.Errorf("of two errors is said %q", hits)
	}
}

// An answer of a watch that is cut short, as by a killed process, is no error of the service; and none that its watcher is told.
func TestFault28_HalfAnAnswerOfAWatchIsNoError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := ""
		if r.Header.Get("Accept") == "text/event-stream" {
			begin = "id: a\ndata: "
		}
		_, _ = io.WriteString(w, begin+`{"result":{"resumeToken":"a"}}`+"\n"+begin+`{"result":{"order":{"form":{"customerName":"Canary`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	for _, over := range []face{overJSON, overEvents} {
		e := newEavesdropper()
		c := &client{HTTPAddress: server.Listener.Addr().String(), heard: e, http: &http.Client{Transport: overheard{server.Client().Transport, e}}}
		var told []string
		err := c.watch(t.Context(), over, &portinv1.WatchPortInOrdersRequest{}, func(a *portinv1.WatchPortInOrdersResponse) {
			told = append(told, a.GetResumeToken())
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) || !slices.Equal(told, []string{"a"}) {
			t.Errorf("a watch over %s that is cut short tells %q and ends with %v", over, told, err)
		}
		if hits, _ := e.errors.found(); len(hits) != 0 {
			t.Errorf("of half an answer over %s is said %q", over, hits)
		}
	}
}

// Every personal field of every order that the tests make is recognised, by what the contract says is personal. The fullest orders
// have all of them.
func TestFault28_EveryPersonalFieldIsPlanted(t *testing.T) {
	t.Parallel()
	filled, want := map[string]bool{}, map[string]bool{}
	look := func(o *portinv1.PortInOrder) {
		eachPersonal(o.ProtoReflect(), func(fd protoreflect.FieldDescriptor, value string) {
			filled[string(fd.FullName())] = true
			if kind, _ := find([]byte(value)); kind == "" {
				t.Errorf("nobody would recognise %s", fd.FullName())
			}
		})
	}
	for _, spec := range product.Specs() {
		for _, name := range []string{"smallest", "fullest"} {
			look(golden(t, spec, name))
		}
	}
	look(newStandin(t, sandbox.Config{}).order(t, "rejected"))
	personalFields((&portinv1.PortInOrder{}).ProtoReflect().Descriptor(), want)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(filled))); diff != "" {
		t.Errorf("personal fields that the orders of the tests have (-contract +orders):\n%s", diff)
	}
}

// eachPersonal calls do for each value of the personal fields of a message that are set, at any depth.
func eachPersonal(m protoreflect.Message, do func(fd protoreflect.FieldDescriptor, value string)) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		values := []protoreflect.Value{v}
		if fd.IsList() {
			values = nil
			for i := range v.List().Len() {
				values = append(values, v.List().Get(i))
			}
		}
		for _, v := range values {
			switch {
			case fd.Message() != nil:
				eachPersonal(v.Message(), do)
			case isPersonal(fd) && fd.Kind() == protoreflect.BytesKind:
				do(fd, string(v.Bytes()))
			case isPersonal(fd):
				do(fd, v.String())
			}
		}
		return true
	})
}

// personalFields are the personal fields that a caller may set, of a message and of those in it, by their names.
func personalFields(m protoreflect.MessageDescriptor, all map[string]bool) {
	for i := range m.Fields().Len() {
		fd := m.Fields().Get(i)
		behaviors, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
		switch {
		case slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY):
		case fd.Message() != nil:
			personalFields(fd.Message(), all)
		case isPersonal(fd):
			all[string(fd.FullName())] = true
		}
	}
}
