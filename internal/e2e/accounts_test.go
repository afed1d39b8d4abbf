package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// accounts are the files of a service with an account for each of two tenants, and of a third that has none.
type accounts struct{ folder string }

// retailPilot is the pilot number of the trunk that the account of globex has and that of acme has not.
const retailPilot = 4165550150

// shared runs a service with two accounts at the carrier.
func shared(t *testing.T, e engine) (*service, guests, accounts) {
	t.Helper()
	a, files := newAuthority(t), accounts{t.TempDir()}
	roster := "tenants: [acme, globex, hooli]\ncallers:\n"
	keys := map[string]string{}
	for _, tenant := range []string{"acme", "globex", "hooli"} {
		key, sum := apiKey()
		keys[tenant] = key
		roster += fmt.Sprintf("  - {name: %s, tenant: %s, scopes: [read, order, operate, admin], key_sha256: %s}\n", tenant, tenant, sum)
	}
	files.write(t, "wholesale.txt", "sandbox")
	files.write(t, "retail.txt", "canary-first")
	files.write(t, "accounts.yaml", `
accounts:
  - {name: wholesale, username: sandbox, password_file: wholesale.txt, tenants: [acme]}
  - {name: retail, username: retail, password_file: retail.txt, tenants: [globex]}
`)
	carrier := newStandin(t, sandbox.Config{Accounts: []sandbox.Account{
		{Username: "retail", Password: "canary-first", Pilots: []int64{retailPilot}},
	}})
	s := serve(t, carrier, e.ledger(t), a.guarded(t, roster), curious, func(p *app.Params) {
		p.Config.Carrier.Username, p.Config.Carrier.Password = "", ""
		p.Config.Carrier.AccountsFile = filepath.Join(files.folder, "accounts.yaml")
		p.Config.Orders.PollInterval, p.Config.Orders.LookTimeout = time.Second, time.Second
	})
	all := guests{}
	for tenant, key := range keys {
		all[tenant] = s.as(t, a, key)
	}
	s.become(t, all["acme"])
	return s, all, files
}

func (f accounts) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// retail is an order to the trunk of globex' account.
func (s *standin) retail(t *testing.T, outcome string) *portinv1.PortInOrder {
	t.Helper()
	o := s.order(t, outcome)
	o.GetTrunkDid().PilotNumber = fmt.Sprintf("+1%d", retailPilot)
	return o
}

// askedAs are the accounts with which the carrier was asked about a number, or got an order of it.
func (s *standin) askedAs(number int64, ticket string) []string {
	var all []string
	for _, r := range s.Received() {
		about := slices.Contains(r.Numbers, number) || strings.Contains(r.Path, fmt.Sprintf("/%d/", number)) ||
			ticket != "" && strings.Contains(r.Path, "/"+ticket+"/")
		if about && !slices.Contains(all, r.Account) {
			all = append(all, r.Account)
		}
	}
	return all
}

// asked counts the questions about a ticket.
func (s *standin) asked(ticket string) (n int) {
	for _, r := range s.Received() {
		if strings.Contains(r.Path, "/"+ticket+"/") {
			n++
		}
	}
	return n
}

// A tenant's orders go to its own account, and all that the service asks about them it asks with that one: before the order,
// while it is in doubt, while it is followed, and when its tenant asks.
func TestEachTenantHasItsAccount(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s, all, _ := shared(t, e)
		for tenant, c := range map[string]struct {
			order func(t *testing.T, outcome string) *portinv1.PortInOrder
			user  string
		}{
			"acme": {s.carrier.order, "sandbox"}, "globex": {s.carrier.retail, "retail"},
		} {
			client := all[tenant]
			plain := client.must(t, f, c.order(t, ""), newKey(), accepted)
			unsure := client.must(t, f, c.order(t, "cut-after-ticket"), newKey(), inDoubt)
			until(t, "the order in doubt is found", func() bool { return client.get(t, unsure.orderID).GetState() == accepted })
			until(t, "the order is followed", func() bool { return client.get(t, plain.orderID).GetCarrierStatus() != 0 })
			for _, r := range []reply{plain, unsure} {
				o := client.get(t, r.orderID)
				number := strings.TrimPrefix(o.GetNumbers()[0], "+1")
				for _, path := range []string{"/v1/tickets/" + o.GetTicketId() + "/status", "/v1/numbers/" + number + "/status"} {
					if a := client.do(t, http.MethodGet, "http://"+s.HTTPAddress+path, nil); a.status != http.StatusOK {
						t.Errorf("%s is answered %d to %s: %s", path, a.status, tenant, a.body)
					}
				}
				if diff := cmp.Diff([]string{c.user}, s.carrier.askedAs(digits(t, o), o.GetTicketId())); diff != "" {
					t.Errorf("the accounts that an order of %s is asked about with (-want +got):\n%s", tenant, diff)
				}
			}
		}
		if r := all["globex"].portIn(t.Context(), f, s.carrier.order(t, ""), newKey()); r.code != codes.InvalidArgument {
			t.Errorf("an order to a trunk of another tenant's account is answered %+v", r)
		}
		if a := all["globex"].do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/sip-trunks", nil); !strings.Contains(string(a.body), fmt.Sprint(retailPilot)) || strings.Contains(string(a.body), "4165550100") {
			t.Errorf("globex' trunks are %s", a.body)
		}
		posts := s.carrier.Counts().Orders
		if r := all["hooli"].portIn(t.Context(), f, s.carrier.order(t, ""), newKey()); r.reason != "CARRIER_CREDENTIALS" || r.orderID != "" {
			t.Errorf("an order of a tenant without an account is answered %+v", r)
		}
		if n := s.carrier.Counts().Orders; n != posts || len(all["hooli"].list(t)) != 0 {
			t.Errorf("the carrier got %d POSTs of a tenant without an account, which has the orders %v", n-posts, all["hooli"].list(t))
		}
	})
}

// A password that has changed at the carrier stops its own account's orders alone, until its file has changed too.
func TestFault06_AnAccountIsLockedOutAlone(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s, all, files := shared(t, e)
		s.carrier.SetPassword("retail", "canary-second")
		refused := func(account string) float64 {
			return s.metric(t, `portin_carrier_credentials_refused{account="`+account+`"}`)
		}
		o, key := s.carrier.retail(t, ""), newKey()
		until(t, "submissions pause", func() bool {
			r := all["globex"].portIn(t.Context(), f, o, key)
			if r.reason != "CARRIER_CREDENTIALS" {
				t.Fatalf("an order with the old password is answered %+v", r)
			}
			return refused("retail") == 1
		})
		all["acme"].must(t, f, s.carrier.order(t, ""), newKey(), accepted)
		if n := refused("wholesale"); n != 0 {
			t.Errorf("the other account's credentials are refused, says the metric: %v", n)
		}
		const exchanges = `portin_carrier_exchange_seconds_count{account="%s",class="%s",operation="DIDs"}`
		if ours, theirs := s.metric(t, fmt.Sprintf(exchanges, "wholesale", "accepted")), s.metric(t, fmt.Sprintf(exchanges, "retail", "credentials")); ours != 1 || theirs < 1 {
			t.Errorf("%v orders of the one account were accepted, and %v of the other refused, say the metrics", ours, theirs)
		}
		if n := s.metric(t, `portin_carrier_unreachable{account="retail"}`); n != 0 {
			t.Errorf("the carrier cannot be reached with an account that it refuses, says the metric: %v", n)
		}

		files.write(t, "retail.txt", "")
		until(t, "the broken file is noticed", func() bool { return s.metric(t, "portin_carrier_accounts_broken") == 1 })
		files.write(t, "retail.txt", "canary-second\n")
		until(t, "the new password is taken", func() bool { return refused("retail") == 0 })
		until(t, "the order is placed", func() bool { return all["globex"].portIn(t.Context(), f, o, key).order.GetState() == accepted })
		if n := s.metric(t, "portin_carrier_accounts_broken"); n != 0 {
			t.Errorf("the files are broken, says the metric: %v", n)
		}
		if n := s.carrier.Counts().Tickets; n != 2 {
			t.Errorf("the carrier has %d orders", n)
		}
	})
}

// An account that is moved to another tenant, or that no tenant has any more, keeps the orders that it has.
func TestAnOrderKeepsItsAccount(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s, all, files := shared(t, e)
		before := all["globex"].must(t, f, s.carrier.retail(t, ""), newKey(), accepted)
		files.write(t, "accounts.yaml", `
accounts:
  - {name: wholesale, username: sandbox, password_file: wholesale.txt, tenants: [acme, globex]}
  - {name: retail, username: retail, password_file: retail.txt}
`)
		var after reply
		until(t, "the tenant has another account", func() bool {
			after = all["globex"].portIn(t.Context(), f, s.carrier.order(t, ""), newKey())
			return after.order.GetState() == accepted
		})
		want := map[string]string{before.orderID: "retail", after.orderID: "sandbox"}
		for id, user := range want {
			o := all["globex"].get(t, id)
			if a := all["globex"].do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/tickets/"+o.GetTicketId()+"/status", nil); a.status != http.StatusOK {
				t.Errorf("the status of an order of the account %s is answered %d: %s", user, a.status, a.body)
			}
			asked := s.carrier.asked(o.GetTicketId())
			until(t, "the order is followed", func() bool { return s.carrier.asked(o.GetTicketId()) > asked })
			if diff := cmp.Diff([]string{user}, s.carrier.askedAs(digits(t, o), o.GetTicketId())); diff != "" {
				t.Errorf("the accounts with which the order is asked about (-want +got):\n%s", diff)
			}
		}
	})
}
