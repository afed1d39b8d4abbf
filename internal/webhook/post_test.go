package webhook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "168.63.129.16", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
		"100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
	} {
		if !inward(netip.MustParseAddr(text)) {
			t.Errorf("%s is not refused", text)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1",
		"198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1",
	} {
		if inward(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	if !inward(netip.Addr{}) {
		t.Error("no address is not refused")
	}
	for _, address := range []string{"", "x", "example.com:80", "[::1]:80", "127.0.0.1:80", "[fe80::1%lo]:80"} {
		if err := refuseInward(t.Context(), "tcp", address, nil); !errors.Is(err, errInward) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := refuseInward(t.Context(), "tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}

// nameServer answers every question for an IPv4 address with what it is told, over connections in memory.
type nameServer struct {
	address atomic.Pointer[[4]byte]
	asked   atomic.Int64
	serving sync.WaitGroup
}

func (s *nameServer) says(address [4]byte) { s.address.Store(&address) }

// resolver asks the name server.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s.serving.Go(func() {
			defer theirs.Close()
			s.serve(theirs)
		})
		return ours, nil
	}}
}

// serve answers questions as they come over a stream: each with its length before it.
func (s *nameServer) serve(conn net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		question := make([]byte, int(length[0])<<8|int(length[1]))
		var asked dnsmessage.Message
		if _, err := io.ReadFull(conn, question); err != nil || asked.Unpack(question) != nil {
			return
		}
		asked.Response, asked.RecursionAvailable, asked.Additionals = true, true, nil
		for _, q := range asked.Questions {
			if q.Type == dnsmessage.TypeA {
				s.asked.Add(1)
				asked.Answers = append(asked.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: *s.address.Load()},
				})
			}
		}
		answer, err := asked.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...)); err != nil {
			return
		}
	}
}

// outward is an address of the loopback net that these tests take for one of the internet.
var outward = [4]byte{127, 0, 0, 2}

func refuseAllBut(address [4]byte) control {
	return func(ctx context.Context, network, to string, conn syscall.RawConn) error {
		if strings.HasPrefix(to, netip.AddrFrom4(address).String()+":") {
			return nil
		}
		return refuseInward(ctx, network, to, conn)
	}
}

// site is a real server at an address, and a client that finds it through a name server.
type site struct {
	w       *Webhooks
	names   *nameServer
	port    string
	visits  atomic.Int64
	handler atomic.Pointer[http.HandlerFunc]
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{names: &nameServer{}}
	s.names.says(outward)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.visits.Add(1)
		w.Header().Set("Connection", "close")
		if h := s.handler.Load(); h != nil {
			(*h)(w, r)
		}
	})}}
	server.Start()
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	s.w = newHouse(t, func(p *Params) { p.Config.AllowHTTP = true }).Webhooks
	s.w.client = newClient(newTransport(s.names.resolver(), s.w.config, refuseAllBut(outward)))
	t.Cleanup(func() {
		s.w.client.CloseIdleConnections()
		server.Close()
		s.names.serving.Wait()
	})
	return s
}

func (s *site) post(t *testing.T, url string) outcome {
	t.Helper()
	return s.w.post(t.Context(), endpoint{spec: spec{URL: url}, secret: newSecret()}, "msg_1", []byte("{}"))
}

const insideProblem = "the address is inside a network"

func TestFault31_NameThatResolvesInward(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	url := "http://receiver.example:" + s.port + "/"
	if o := s.post(t, url); o != (outcome{status: 200}) {
		t.Fatalf("outward: %+v", o)
	}
	// The name leads inward from now on.
	for _, inside := range [][4]byte{{127, 0, 0, 1}, {169, 254, 169, 254}, {10, 0, 0, 1}} {
		s.names.says(inside)
		if o := s.post(t, url); o != (outcome{problem: insideProblem}) {
			t.Errorf("%v: %+v", inside, o)
		}
	}
	if s.visits.Load() != 1 || s.names.asked.Load() < 4 {
		t.Errorf("%d visits, %d questions", s.visits.Load(), s.names.asked.Load())
	}
	// Literals, however they are written, never get past the dialer either.
	for _, host := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		if o := s.post(t, "http://"+host+":"+s.port+"/"); o != (outcome{problem: insideProblem}) {
			t.Errorf("%s: %+v", host, o)
		}
	}
	if s.visits.Load() != 1 {
		t.Errorf("%d visits", s.visits.Load())
	}
}

func TestFault31_RedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		before := s.visits.Load()
		for _, to := range []string{"http://127.0.0.1:" + s.port + "/", "http://receiver.example:" + s.port + "/other"} {
			s.handler.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, code) })))
			want := outcome{status: code, problem: fmt.Sprintf("it answered %d; redirects are not followed", code)}
			if o := s.post(t, "http://receiver.example:"+s.port+"/"); o != want {
				t.Errorf("%d: %+v", code, o)
			}
		}
		if n := s.visits.Load() - before; n != 2 {
			t.Errorf("%d: %d visits, want 2", code, n)
		}
	}
}

func TestProxiesAndCookiesHaveNoSay(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	s := newSite(t)
	var cookies atomic.Int64
	s.handler.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies.Add(int64(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})))
	for range 2 {
		if o := s.post(t, "http://receiver.example:"+s.port+"/"); !o.taken() {
			t.Errorf("%+v", o)
		}
	}
	if cookies.Load() != 0 {
		t.Errorf("%d cookies came back", cookies.Load())
	}
}

func TestTLSIsChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if o := s.post(t, "https://receiver.example:"+s.port+"/"); o != (outcome{problem: "TLS could not be agreed on"}) {
		t.Errorf("no TLS: %+v", o)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	s.w.client = newClient(newTransport(nil, s.w.config, nil))
	if o := s.post(t, secure.URL); o != (outcome{problem: "its TLS certificate is not to be trusted"}) {
		t.Errorf("an unknown certificate: %+v", o)
	}
	address := secure.URL
	secure.Close()
	if o := s.post(t, address); o != (outcome{problem: "no connection could be made"}) {
		t.Errorf("nobody: %+v", o)
	}
	s.w.config.AllowHTTP = false
	if o := s.post(t, "http://receiver.example/"); o.problem != "the URL is not allowed by the settings of the service" {
		t.Errorf("no encryption: %+v", o)
	}
}

// Servers that misbehave, over connections in memory, so that time is the test's.
func TestFault31_AnswersThatAreSlowOrHuge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer func(conn net.Conn)
		want   outcome
		within time.Duration
	}{
		{"nothing", func(net.Conn) {}, outcome{problem: "it did not answer within 15 seconds"}, 15 * time.Second},
		{"hanging up", func(conn net.Conn) { conn.Close() }, outcome{problem: "the connection broke before an answer that can be read"}, 0},
		{"no HTTP", func(conn net.Conn) { fmt.Fprint(conn, "hello\r\n\r\n") }, outcome{problem: "the connection broke before an answer that can be read"}, 0},
		{"a byte a second", func(conn net.Conn) { drip(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }, outcome{problem: "it did not answer within 15 seconds"}, 15 * time.Second},
		{"a body of a byte a second", func(conn net.Conn) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
			drip(conn, strings.Repeat("x", 1000))
		}, outcome{status: 200}, drainWithin},
		{"a huge body", func(conn net.Conn) {
			fmt.Fprint(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 1000000000000\r\n\r\n")
			pour(conn)
		}, outcome{status: 202}, 0},
		{"a huge header", func(conn net.Conn) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nX: ")
			pour(conn)
		}, outcome{problem: "the connection broke before an answer that can be read"}, 0},
		{"a bomb", func(conn net.Conn) {
			fmt.Fprint(conn, "HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb")
		}, outcome{status: 500, problem: "it answered 500"}, 0},
		{"another protocol", func(conn net.Conn) {
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		}, outcome{status: 101, problem: "it answered 101"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, func(p *Params) { p.Config.AllowHTTP = true })
				transport := newTransport(nil, h.config, refuseInward)
				var poured atomic.Int64
				var serving sync.WaitGroup
				transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					serving.Go(func() {
						counted := counting{theirs, &poured}
						if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
							c.answer(counted)
						}
						_, _ = io.Copy(io.Discard, theirs) // until the client goes
						theirs.Close()
					})
					return ours, nil
				}
				h.client = newClient(transport)
				began := time.Now()
				got := h.post(t.Context(), endpoint{spec: spec{URL: "http://receiver.example/"}, secret: newSecret()}, "msg_1", []byte("{}"))
				if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
					t.Errorf("outcome (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took != c.within {
					t.Errorf("it took %s, want %s", took, c.within)
				}
				transport.CloseIdleConnections()
				serving.Wait()
				if n := poured.Load(); n > 64<<10 {
					t.Errorf("%d bytes of the answer were read", n)
				}
			})
		})
	}
}

// counting counts what the other side has read.
type counting struct {
	net.Conn

	n *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// drip writes a byte a second, until the other side goes.
func drip(conn net.Conn, text string) {
	for i := range len(text) {
		if _, err := conn.Write([]byte{text[i]}); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

// pour writes without end, until the other side goes.
func pour(conn net.Conn) {
	for {
		if _, err := conn.Write([]byte(strings.Repeat("x", 1024))); err != nil {
			return
		}
	}
}

// A hanging endpoint takes its four places and no more, and the others get theirs.
func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(p *Params) { p.Config.AtOnce, p.Chance = 10, rand.Float64 }) // which endpoint is first is chance
		defer h.runs()()
		for i := range 6 {
			h.creates(at(fmt.Sprintf("https://host-%d.example/?%s", i, planted)))
		}
		var now, most atomic.Int64
		h.receiver.answers(func(ctx context.Context, m message) (*http.Response, error) {
			if m.host == "host-0.example" {
				return hang(ctx, m)
			}
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-time.After(time.Second)
			return status(http.StatusOK), nil
		})
		for i := range 100 {
			h.ledger.tell(happened("o-" + itoa(i)))
		}
		pass(14 * time.Second) // those that hang do so for longer
		hosts := map[string]int{}
		for _, m := range h.receiver.got() {
			hosts[m.host]++
		}
		if hosts["host-0.example"] > 4 || most.Load() > 10 || len(hosts) != 6 {
			t.Errorf("messages %v, %d at once", hosts, most.Load())
		}
		h.receiver.answers(nil)
		pass(5 * time.Minute)
	})
}

// An endpoint that hangs has as many deliveries under way as one may have: no more, and no fewer.
func TestAnEndpointHasItsPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		h.creates(at("https://host-0.example/?" + planted))
		h.receiver.answers(hang)
		for i := range 100 {
			h.ledger.tell(happened("o-" + itoa(i)))
		}
		pass(10 * time.Second)
		if n := len(h.receiver.got()); n != 4 {
			t.Errorf("%d deliveries are under way, want 4", n)
		}
	})
}
