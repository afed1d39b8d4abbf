package e2e_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// guests are the callers of a service that asks who calls, by their names.
type guests map[string]*client

// guarded runs a service that asks who calls, with a caller of everything and others of less, of two tenants.
func guarded(t *testing.T, e engine) (*service, guests) {
	t.Helper()
	a := newAuthority(t)
	roster := "tenants: [acme, globex]\ncallers:\n"
	keys := map[string]string{}
	for _, c := range []struct{ name, tenant, scopes string }{
		{"boss", "acme", "read, order, operate, admin"},
		{"reader", "acme", "read"},
		{"clerk", "acme", "order"},
		{"stranger", "globex", "read, order, operate, admin"},
	} {
		key, sum := apiKey()
		keys[c.name] = key
		roster += fmt.Sprintf("  - {name: %s, tenant: %s, scopes: [%s], key_sha256: %s}\n", c.name, c.tenant, c.scopes, sum)
	}
	roster += "  - {name: machine, tenant: acme, scopes: [read], certificate: machine.example.com}\n"
	s := start(t, e, a.guarded(t, roster))
	all := guests{
		"nobody": s.as(t, a, ""), "thief": s.as(t, a, strings.Repeat("x", 60)),
		"machine": s.as(t, a, "", a.issue(t, "machine.example.com", 3)), "robot": s.as(t, a, "", a.issue(t, "robot.example.com", 4)),
	}
	for name, key := range keys {
		all[name] = s.as(t, a, key)
	}
	s.become(t, all["boss"])
	return s, all
}

// Where nobody says who they are, a name that somebody made point to this machine is not asked by. Where callers are told apart it
// is, and where an operator has said that everybody may call.
func TestANameThatPointsToThisMachine(t *testing.T) {
	t.Parallel()
	_, all := guarded(t, sqlite)
	for name, c := range map[string]struct {
		at   *client
		host string
		want int
	}{
		"its own name":            {start(t, sqlite).client, "localhost:8080", http.StatusOK},
		"another name":            {start(t, sqlite).client, "rebound.example:8080", http.StatusForbidden},
		"everybody, asked for":    {start(t, sqlite, func(p *app.Params) { p.Config.InsecureListen = true }).client, "portin.example:8080", http.StatusOK},
		"callers, and a good key": {all["reader"], "portin.example:8080", http.StatusOK},
		"callers, and no key":     {all["nobody"], "portin.example:8080", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.at.HTTPAddress+"/v1/port-ins", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = c.host
			resp, err := c.at.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("by %s it answers %d, want %d", c.host, resp.StatusCode, c.want)
			}
		})
	}
}

// code is what listing orders comes to for a client over a face.
func (c *client) code(t *testing.T, over face) codes.Code {
	t.Helper()
	if over == overGRPC {
		_, err := c.grpc.ListPortInOrders(t.Context(), &portinv1.ListPortInOrdersRequest{})
		return status.Code(err)
	}
	a := c.do(t, http.MethodGet, "http://"+c.HTTPAddress+"/v1/port-ins", nil)
	return map[int]codes.Code{200: codes.OK, 401: codes.Unauthenticated, 403: codes.PermissionDenied}[a.status]
}

// Who proves who it is may do what its scopes allow, over both faces, by a key or a certificate; nobody else may do anything.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s, all := guarded(t, e)
		for name, want := range map[string]codes.Code{
			"boss": codes.OK, "reader": codes.OK, "machine": codes.OK, "stranger": codes.OK,
			"clerk": codes.PermissionDenied, "nobody": codes.Unauthenticated, "thief": codes.Unauthenticated, "robot": codes.Unauthenticated,
		} {
			if got := all[name].code(t, f); got != want {
				t.Errorf("%s is told %v, want %v", name, got, want)
			}
		}
		for name, want := range map[string]codes.Code{"reader": codes.PermissionDenied, "machine": codes.PermissionDenied, "nobody": codes.Unauthenticated} {
			if r := all[name].portIn(t.Context(), f, s.carrier.order(t, ""), newKey()); r.code != want {
				t.Errorf("an order of %s is answered %+v, want %v", name, r, want)
			}
		}
		if n := len(s.carrier.posts()); n != 0 {
			t.Errorf("the carrier got %d orders of those who may not", n)
		}
		r := all["clerk"].must(t, f, s.carrier.order(t, ""), newKey(), accepted)
		if actor := s.events(t, r.orderID)[0].GetActor(); actor != "clerk" {
			t.Errorf("the order was placed by %q, says its event", actor)
		}
	})
}

// One tenant's orders, events, keys, watches and statuses are not there for another, also in errors; numbers are the one thing
// that both know of.
func TestFault29_AnotherTenantsOrderIsNotThere(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s, all := guarded(t, e)
		boss, stranger := all["boss"], all["stranger"]
		o, key := s.carrier.order(t, ""), newKey()
		mine := boss.must(t, f, o, key, accepted)
		if got := stranger.list(t); len(got) != 0 {
			t.Errorf("the stranger lists %v", got)
		}
		ticket := mine.order.GetTicketId()
		number := strings.TrimPrefix(mine.order.GetNumbers()[0], "+1")
		for _, path := range []string{
			"/v1/port-ins/" + mine.orderID, "/v1/port-ins/" + mine.orderID + "/events", "/v1/port-ins:watch?orderId=" + mine.orderID,
			"/v1/tickets/" + ticket + "/status", "/v1/numbers/" + number + "/status",
		} {
			if a := stranger.do(t, http.MethodGet, "http://"+s.HTTPAddress+path, nil); a.status != http.StatusNotFound {
				t.Errorf("%s is answered %d to a stranger: %s", path, a.status, a.body)
			}
			if strings.Contains(path, "watch") {
				continue // it would go on
			}
			if a := boss.do(t, http.MethodGet, "http://"+s.HTTPAddress+path, nil); a.status != http.StatusOK {
				t.Errorf("%s is answered %d to its own: %s", path, a.status, a.body)
			}
		}
		if _, err := stranger.operators.ResolveInDoubt(t.Context(), &portinv1.ResolveInDoubtRequest{
			OrderId: mine.orderID, Resolution: &portinv1.InDoubtResolution{
				Outcome: &portinv1.InDoubtResolution_NotPlaced_{NotPlaced: &portinv1.InDoubtResolution_NotPlaced{}}, Reason: "x", Attempt: new(int32(1)),
			},
		}); status.Code(err) != codes.NotFound {
			t.Errorf("a stranger resolves: %v", err)
		}
		if r := stranger.resubmit(t, f, mine.orderID, newKey()); r.code != codes.NotFound {
			t.Errorf("a stranger corrects: %+v", r)
		}
		if r := stranger.portIn(t.Context(), f, o, newKey()); r.reason != "NUMBER_IN_OPEN_ORDER" || r.orderID != "" {
			t.Errorf("a stranger's order of the same numbers is answered %+v", r)
		}
		// The same key is another one in another tenant.
		if r := stranger.must(t, f, s.carrier.order(t, ""), key, accepted); r.replayed || r.orderID == mine.orderID {
			t.Errorf("a stranger's order under the same key is answered %+v", r)
		}
		if r := boss.must(t, f, o, key, accepted); !r.replayed || r.orderID != mine.orderID {
			t.Errorf("a replay is answered %+v", r)
		}
	})
}

// Switching authentication on changes no request key: what was placed before belongs to the first tenant, once and for all.
func TestTheFirstTenantAdoptsWhatWasThere(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e)
		o, id := s.carrier.order(t, ""), newKey()
		before := s.must(t, overGRPC, o, id, accepted)
		a := newAuthority(t)
		acme, acmesSum := apiKey()
		globex, globexSum := apiKey()
		roster := func(tenants string) string {
			return fmt.Sprintf("tenants: [%s]\ncallers:\n  - {name: a, tenant: acme, scopes: [read, order], key_sha256: %s}\n"+
				"  - {name: g, tenant: globex, scopes: [read, order], key_sha256: %s}\n", tenants, acmesSum, globexSum)
		}
		for _, tenants := range []string{"acme, globex", "globex, acme"} {
			s = s.again(t, a.guarded(t, roster(tenants)))
			s.become(t, s.as(t, a, acme))
			if r := s.must(t, overJSON, o, id, accepted); !r.replayed || r.orderID != before.orderID {
				t.Errorf("with the tenants %s the same request is answered %+v", tenants, r)
			}
			if got := s.as(t, a, globex).list(t); len(got) != 0 {
				t.Errorf("with the tenants %s the other one lists %v", tenants, got)
			}
		}
		if n := len(s.carrier.posts()); n != 1 {
			t.Errorf("the carrier got %d orders", n)
		}
	})
}

// A certificate that is rotated is served to new connections, and a broken one is not; a key that is taken out of the callers
// file is refused, and a broken file changes nothing. All of it without a restart, in the program itself.
func TestFault33_FilesChangeWithoutARestart(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	key, sum := apiKey()
	roster := fmt.Sprintf("tenants: [acme]\ncallers:\n  - {name: boss, tenant: acme, scopes: [read], key_sha256: %s}\n", sum)
	var p app.Params
	a.guarded(t, roster)(&p)
	carrier := newStandin(t, sandbox.Config{})
	service := startProgram(t, carrier, "--ledger-file="+sqlite.ledger(t).File, "--auth-callers-file="+p.Config.Auth.CallersFile,
		"--tls-cert-file="+p.Config.TLS.CertFile, "--tls-key-file="+p.Config.TLS.KeyFile)
	boss := service.as(t, a, key)
	if got := boss.code(t, overGRPC); got != codes.OK {
		t.Fatalf("the caller is told %v", got)
	}
	serial := func() int64 {
		conn, err := tls.Dial("tcp", service.HTTPAddress, &tls.Config{RootCAs: a.pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	a.serverFiles(t, 77)
	until(t, "the new certificate is served", func() bool { return serial() == 77 })
	if err := os.WriteFile(p.Config.TLS.CertFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the broken file is noticed", func() bool { return service.metric(t, "portin_tls_files_broken") == 1 })
	if got := serial(); got != 77 {
		t.Errorf("with a broken file the certificate %d is served", got)
	}
	replace := func(text string) {
		path := filepath.Join(a.folder, "callers.yaml")
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace("tenants: nobody")
	until(t, "the broken callers file is noticed", func() bool { return service.metric(t, "portin_auth_roster_broken") == 1 })
	if got := boss.code(t, overJSON); got != codes.OK {
		t.Errorf("with a broken callers file the caller is told %v", got)
	}
	replace("tenants: [acme]\n")
	until(t, "the caller is refused", func() bool { return boss.code(t, overJSON) == codes.Unauthenticated })
	if n := service.metric(t, `portin_auth_refused_total{why="unknown_key"}`); n < 1 {
		t.Errorf("%v refusals are counted", n)
	}
}
