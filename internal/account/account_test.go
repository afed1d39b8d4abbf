package account_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// two is a file with two accounts.
const two = `
accounts:
  - name: wholesale
    username: porter
    password_file: wholesale.txt
    tenants: [acme, globex]
  - name: retail
    username: shop
    password_file: retail.txt
    tenants: [initech]
`

// twoPasswords writes the files that two names.
func twoPasswords(t *testing.T, w *world) {
	t.Helper()
	w.write(t, "wholesale.txt", "first\n")
	w.write(t, "retail.txt", "second\r\n")
}

// asks has the carrier asked with an account for each name, and returns with which credentials that was done.
func asks(t *testing.T, w *world, a *account.Accounts, names ...string) []string {
	t.Helper()
	w.since()
	for _, name := range names {
		if _, err := a.Carrier(name).Trunks(t.Context()); err != nil && !fault.Is(err, fault.ReasonCarrierCredentials) {
			t.Errorf("asking with the account %q: %v", name, err)
		}
	}
	asked, _ := w.since()
	return asked
}

func differ(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestOneAccountIsEverybodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*account.Params){
		"a password":           func(p *account.Params) { p.Password = "hunter2" },
		"a file of a password": func(p *account.Params) { p.PasswordFile = w.write(t, "password", "hunter2\n") },
	} {
		p := w.params()
		p.Username = "porter"
		change(&p)
		a, err := account.New(p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		differ(t, name+": the accounts of two tenants", []string{account.Default, account.Default}, []string{a.Of("acme"), a.Of(account.Default)})
		differ(t, name+": the names", []string{account.Default}, a.Names())
		differ(t, name+": who asks", []string{"porter:hunter2"}, asks(t, w, a, account.Default))
		a.Close()
	}
}

func TestTenantsHaveTheirAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	a := w.open(t, two)
	of := func(a *account.Accounts) (all []string) {
		for _, tenant := range []string{"acme", "globex", "initech", "hooli", account.Default} {
			all = append(all, a.Of(tenant))
		}
		return all
	}
	differ(t, "the accounts", []string{"wholesale", "wholesale", "retail", "", ""}, of(a))
	differ(t, "the names", []string{"retail", "wholesale"}, a.Names())
	differ(t, "who asks", []string{"porter:first", "shop:second"}, asks(t, w, a, "wholesale", "retail", "", "gone"))
	differ(t, "why submissions pause", map[string]fault.Reason{
		"wholesale": "", "retail": "", "gone": fault.ReasonCarrierCredentials,
	}, a.Paused())

	all := w.open(t, strings.Replace(two, "initech", `initech, "*"`, 1), func(p *account.Params) { p.Adopted = "globex" })
	differ(t, "with one that adopted what was there, and an account for the others",
		[]string{"wholesale", "retail", "retail", "retail", "wholesale"}, of(all))
}

// A password travels to the carrier and is seen nowhere else.
func TestNoPasswordIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "wholesale.txt", "hunter2")
	w.write(t, "retail.txt", "hunter2")
	a := w.open(t, two)
	w.write(t, "wholesale.txt", "hunter22")
	a.Look(t.Context())
	a.Look(t.Context())
	p := w.params()
	p.Username, p.Password = "porter", "hunter2"
	one, err := account.New(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, of := range []any{a, one, p} {
			if shown := fmt.Sprintf(verb, of); strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") {
				t.Errorf("%s of a %T shows a password", verb, of)
			}
		}
	}
	if log := w.log.take(); strings.Contains(log, "hunter2") || !strings.Contains(log, "the carrier accounts have changed") {
		t.Errorf("the log is %q", log)
	}
}

// How files may name what they name.
func TestWaysOfWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elsewhere := newWorld(t)
	content := fmt.Sprintf("accounts:\n  - {name: a, username: x, password_file: %s, tenants: [default]}\n", elsewhere.write(t, "a", " first \n\n"))
	a := w.open(t, content)
	differ(t, "who asks, with a file elsewhere and a password with spaces", []string{"x: first "}, asks(t, w, a, "a"))
	differ(t, "the account of those who have no tenants", "a", a.Of(account.Default))
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"empty":       {"", []string{"the file is empty"}},
		"not YAML":    {"accounts: [" + secret, []string{"the file is not YAML: line 1"}},
		"no accounts": {"accounts: []", []string{"accounts (line 1): is empty"}},
		"unknown fields": {"accounts:\n  - name: a\n    password: " + secret + "\n    username: b\n    password_file: right\nmore: 1", []string{
			"the file (line 6): has an unknown field; there are accounts",
			"accounts[0] (line 3): has an unknown field; there are name, username, password_file, tenants",
		}},
		"what is missing": {"accounts:\n  - tenants: [a]", []string{
			"accounts[0] (line 2): must have a name", "accounts[0] (line 2): must have a username", "accounts[0] (line 2): must have a password_file",
		}},
		"a password in the place of its file": {"accounts:\n  - {name: a, username: b, password_file: " + secret + "}", []string{
			"accounts[0].password_file (line 2): no such file or directory",
		}},
		"files that hold no password": {"accounts:\n  - {name: a, username: b, password_file: nothing}\n  - {name: c, username: d, password_file: huge}", []string{
			"accounts[0].password_file (line 2): the file is empty", "accounts[1].password_file (line 3): the file is larger than 4 KiB",
		}},
		"names": {"accounts:\n  - {name: A b, username: " + secret + ":x, password_file: right}\n  - {name: c, username: d, password_file: right}\n  - {name: c, username: d, password_file: right}", []string{
			"accounts[0].name (line 2): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen",
			"accounts[0] (line 2): carrier: Username holds a colon or a control character, which Basic authentication cannot carry",
			"accounts[2].name (line 4): is there twice",
			"accounts[2].username (line 4): is the same as accounts[1].username; an account has one name here, or its tickets would be taken for those of two",
		}},
		"tenants": {"accounts:\n  - {name: a, username: b, password_file: right, tenants: [x, 'Y', default]}\n  - {name: c, username: d, password_file: right, tenants: [x, '*', '*', [z]]}", []string{
			`accounts[0].tenants[1] (line 2): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen, or "*" for all that no account names`,
			"accounts[0].tenants[2] (line 2): is what the ledger calls the tenant that adopted what was there before there were tenants; write that one's name",
			"accounts[1].tenants[0] (line 3): is the same as accounts[0].tenants[0]; a tenant has one account",
			"accounts[1].tenants[2] (line 3): is the same as accounts[1].tenants[1]; a tenant has one account",
			"accounts[1].tenants[3] (line 3): must be a text",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(t, "right", "right")
			w.write(t, "nothing", "\n")
			w.write(t, "huge", strings.Repeat("x", 5000))
			p := w.params()
			p.File, p.Adopted = w.write(t, "accounts.yaml", c.content), "acme"
			_, err := account.New(p)
			if err == nil {
				t.Fatal("it can be used")
			}
			if checked := account.Check(p); checked == nil || checked.Error() != err.Error() {
				t.Errorf("checking says %v, and starting %v", checked, err)
			}
			differ(t, "problems", c.want, strings.Split(strings.TrimPrefix(err.Error(), "the carrier accounts cannot be used: "), "\n"))
			if strings.Contains(err.Error(), secret) {
				t.Error("the problems quote the file")
			}
		})
	}
}

func TestOneAccountThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want, change := range map[string]func(*account.Params){
		"carrier: Password is missing":                            func(p *account.Params) { p.Username = "porter" },
		"carrier: Username is missing":                            func(p *account.Params) { p.Password = "hunter2" },
		"the carrier's password: no such file or directory":       func(p *account.Params) { p.Username, p.PasswordFile = "porter", w.dir+"/hunter2" },
		"reading the carrier accounts: no such file or directory": func(p *account.Params) { p.File = w.dir + "/hunter2" },
		"reading the carrier accounts: is a directory":            func(p *account.Params) { p.File = w.dir },
		"carrier: BaseURL is not the URL of a host":               func(p *account.Params) { p.Username, p.Password, p.Carrier.BaseURL = "a", "b", "x" },
	} {
		p := w.params()
		change(&p)
		if _, err := account.New(p); err == nil || err.Error() != want {
			t.Errorf("it says %v, want %s", err, want)
		}
	}
}

// Files that change are in force at the second look that finds them so; files that are broken change nothing, and are said to
// be once.
func TestAccountsFollowTheirFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	a := w.open(t, two)
	look := func(want ...bool) (log string) {
		t.Helper()
		w.since()
		w.log.take()
		a.Look(t.Context())
		a.Look(t.Context())
		_, told := w.since()
		differ(t, "what was told", want, told)
		return w.log.take()
	}
	look()

	w.write(t, "retail.txt", "third")
	look(true)
	differ(t, "who asks after a password has changed", []string{"porter:first", "shop:third"}, asks(t, w, a, "wholesale", "retail"))
	w.write(t, "accounts.yaml", strings.ReplaceAll(two, "shop", "store"))
	look(true)
	differ(t, "who asks after a user has changed", []string{"porter:first", "store:third"}, asks(t, w, a, "wholesale", "retail"))

	before := a.Carrier("wholesale")
	if err := os.Remove(w.dir + "/wholesale.txt"); err != nil {
		t.Fatal(err)
	}
	if log := look(false); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "accounts[0].password_file (line 5): no such file or directory") {
		t.Errorf("the log of a password that is gone: %q", log)
	}
	look()
	differ(t, "who asks without the file", []string{"porter:first"}, asks(t, w, a, "wholesale"))

	w.write(t, "wholesale.txt", "first")
	wholesale, _, _ := strings.Cut(two, "  - name: retail")
	w.write(t, "accounts.yaml", wholesale+"  - {name: other, username: o, password_file: retail.txt, tenants: [initech]}\n")
	held := a.Carrier("retail")
	look(true)
	if a.Carrier("wholesale") != before {
		t.Error("an account whose credentials are the same has another client, which knows nothing of what the carrier did")
	}
	differ(t, "the account of a tenant that was moved", "other", a.Of("initech"))
	differ(t, "who asks after one has gone", []string{"o:third"}, asks(t, w, a, "retail", "other"))
	if out := held.Submit(t.Context(), carrier.Call{Operation: "x", Path: "/x", Body: []byte("{}")}); out.Settlement != carrier.NotSent || !fault.Is(out.Fault, fault.ReasonCarrierCredentials) {
		t.Errorf("one who still has the account that is gone: %+v", out)
	}
	differ(t, "why submissions pause", map[string]fault.Reason{"wholesale": "", "other": "", "retail": fault.ReasonCarrierCredentials}, a.Paused())

	w.write(t, "accounts.yaml", two)
	look(true)
	differ(t, "who asks after it has come back", []string{"shop:third"}, asks(t, w, a, "retail"))
	differ(t, "why submissions pause then", map[string]fault.Reason{"wholesale": "", "retail": ""}, a.Paused())
	w.write(t, "accounts.yaml", wholesale)
	look(true)
	differ(t, "why submissions pause while nobody wants the one that is gone", map[string]fault.Reason{"wholesale": ""}, a.Paused())
}

// A pause belongs to the credentials: another account's that change do not end it.
func TestAPauseOutlastsOtherChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	a := w.open(t, two)
	w.refuses.Store(true)
	for range 3 {
		a.Carrier("wholesale").Submit(t.Context(), carrier.Call{Operation: "x", Path: "/x", Body: []byte("{}")})
	}
	want := map[string]fault.Reason{"wholesale": fault.ReasonCarrierCredentials, "retail": ""}
	differ(t, "why submissions pause", want, a.Paused())
	w.write(t, "retail.txt", "third")
	a.Look(t.Context())
	a.Look(t.Context())
	differ(t, "the accounts that are told to have changed", 1, strings.Count(w.log.take(), "the carrier accounts have changed"))
	differ(t, "why submissions pause after another password has changed", want, a.Paused())
	w.write(t, "wholesale.txt", "second")
	a.Look(t.Context())
	a.Look(t.Context())
	differ(t, "why submissions pause after their own has", map[string]fault.Reason{"wholesale": "", "retail": ""}, a.Paused())
}

// Half a file may be one that can be used, and gives a tenant's orders to the account of all others, which they would keep. What
// is being written does not count.
func TestHalfAFileDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	half := strings.Replace(two, "[acme, globex]", `[acme, "*"]`, 1)
	a := w.open(t, half)
	half, _, _ = strings.Cut(half, "    tenants: [initech]")
	for i, content := range []string{half, half + "    tenants: [initech]\n", half + "    tenants: [initech, globex]\n"} {
		w.write(t, "accounts.yaml", content)
		a.Look(t.Context())
		_, told := w.since()
		differ(t, fmt.Sprintf("look %d: accounts and what was told", i), []any{"retail", "wholesale", []bool(nil)}, []any{a.Of("initech"), a.Of("globex"), told})
	}
	a.Look(t.Context())
	_, told := w.since()
	differ(t, "the whole file: accounts and what was told", []any{"retail", "retail", []bool{true}}, []any{a.Of("initech"), a.Of("globex"), told})
	w.write(t, "accounts.yaml", half)
	a.Look(t.Context())
	w.write(t, "accounts.yaml", half+"    tenants: [initech, globex]\n")
	for range 3 {
		a.Look(t.Context())
	}
	_, told = w.since()
	differ(t, "what was told of a file that is what it was", []bool(nil), told)
}

// An account that is gone shows as one while somebody asks for it, and no longer: the last order that has it may be over.
func TestAnAccountThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	a := w.open(t, two)
	synctest.Test(t, func(t *testing.T) {
		shows := func(want map[string]fault.Reason) {
			t.Helper()
			differ(t, "why submissions pause", want, a.Paused())
		}
		gone := map[string]fault.Reason{"wholesale": "", "retail": "", "gone": fault.ReasonCarrierCredentials}
		for range 3 {
			a.Carrier("gone")
			shows(gone)
			<-time.After(72 * time.Minute) // the longest time between two looks at an order in doubt
			shows(gone)
		}
		<-time.After(time.Hour)
		shows(map[string]fault.Reason{"wholesale": "", "retail": ""})
		a.Carrier("gone")
		shows(gone)
	})
}

func TestRunLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twoPasswords(t, w)
	a := w.open(t, two, func(p *account.Params) { p.Every = time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Run(ctx)
	}()
	w.write(t, "accounts.yaml", strings.ReplaceAll(two, "retail", "shops"))
	w.write(t, "shops.txt", "x")
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for a.Of("initech") != "shops" {
		select {
		case <-look.C:
		case <-t.Context().Done():
			t.Fatal("the file has no effect")
		}
	}
	cancel()
	<-ended
}
