package auth

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runs begins Run, and returns what ends it.
func (h *house) runs() (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// pass lets time pass in a test's bubble, and what then happens.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAChangedRosterIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old, oldSum := NewKey()
		fresh, freshSum := NewKey()
		with := func(sums string) string {
			return "tenants: [globex, acme]\ncallers: [{name: billing, tenant: acme, scopes: [read], key_sha256: " + sums + "}]\n"
		}
		h := newHouse(t, with(oldSum), func(p *Params) { p.Adopted = "acme" })
		h.plants(old, fresh, oldSum, freshSum, planted)
		defer h.runs()()
		good := func(want ...bool) {
			t.Helper()
			for i, key := range []string{old, fresh} {
				got, why := h.bearer(key)
				if (why == "") != want[i] || want[i] && got.Tenant != "default" {
					t.Errorf("key %d: %v, %q", i, got, why)
				}
			}
		}
		told := func(lines int, want ...bool) {
			t.Helper()
			if diff := cmp.Diff(want, h.observer.told()); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if got := strings.Count(h.logged(), `"msg":"the callers file`); got != lines {
				t.Errorf("%d lines in the log, want %d: %s", got, lines, h.logged())
			}
		}
		good(true, false)
		told(0, true)
		pass(time.Minute)
		told(0)

		h.writes(with("[" + oldSum + ", " + freshSum + "]"))
		pass(10 * time.Second)
		good(true, true)
		told(1, true)

		// Half a file may be a roster with fewer callers; it is not taken while it is written.
		h.writes("tenants: [globex, acme]\n")
		pass(5 * time.Second)
		h.writes(with("[" + oldSum + ", " + freshSum + "]"))
		pass(time.Minute)
		good(true, true)
		told(1)

		// A broken one changes nothing, and is told of once, however long it stays.
		h.writes(with(planted))
		pass(time.Minute)
		good(true, true)
		told(2, false)
		h.writes(with("[" + planted + ", " + freshSum + "]"))
		pass(time.Minute)
		told(3, false)

		// So does none.
		if err := os.Remove(h.file); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		good(true, true)
		told(4, false)

		// What was in force comes back: it is all right again.
		h.writes(with("[" + oldSum + ", " + freshSum + "]"))
		pass(10 * time.Second)
		told(5, true)

		h.writes(with(freshSum))
		pass(10 * time.Second)
		good(false, true)
		told(6, true)
	})
}

// The same content with another time stamp is no change, and other content with the same one is.
func TestTheContentOfTheRosterCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, "tenants: [acme]", nil)
		defer h.runs()()
		stamp := func(at time.Time) {
			t.Helper()
			if err := os.Chtimes(h.file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		one, two := time.Unix(1e9, 0), time.Unix(2e9, 0)
		stamp(one)
		pass(10 * time.Second)
		stamp(two)
		pass(10 * time.Second)
		h.writes("tenants: [beta]")
		stamp(two)
		pass(10 * time.Second)
		if diff := cmp.Diff([]bool{true, true}, h.observer.told()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// The log is somebody else's code; a panic in it does not end the service.
func TestAPanicWhileLookingIsSurvived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, "tenants: [acme]", nil)
		h.Authenticator.observer = panicking{}
		h.plants(planted)
		defer h.runs()()
		h.writes("tenants: [beta]")
		pass(time.Minute)
		if log := h.logged(); strings.Count(log, "looking at the callers file panicked") != 1 {
			t.Errorf("the log is %s", log)
		}
	})
}

type panicking struct{ Observer }

func (panicking) Roster(bool) { panic(planted) }

func TestCheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "tenants: [acme]", nil)
	for content, want := range map[string]string{
		"tenants: [globex, acme]":            "globex <nil>",
		"tenants: [default, acme]":           "default <nil>",
		"tenants: [" + planted + "]":         " the callers file cannot be used: tenants[0] (line 1): " + nameRule,
		"#" + strings.Repeat("a", maxRoster): " reading the callers file: the file is larger than 8192 KiB",
	} {
		h.writes(content)
		first, err := Check(t.Context(), Params{Roster: h.file, Log: slog.New(slog.DiscardHandler)})
		if diff := cmp.Diff(want, fmt.Sprintf("%s %v", first, err)); diff != "" {
			t.Errorf("Check (-want +got):\n%s", diff)
		}
	}
	if _, err := Check(t.Context(), Params{Roster: t.TempDir(), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a directory is a roster")
	}
}
