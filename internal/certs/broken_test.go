package certs_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/certs"
)

// breakage is a way to break the files, and what is said of it.
type breakage struct {
	does func(w *world, ca *authority)
	says string
}

// breakages break files of which the certificate is followed by its CA's, and two CAs are trusted.
func breakages() map[string]breakage {
	written := func(name string, text func(was string) string) func(w *world, _ *authority) {
		return func(w *world, _ *authority) { w.write(name, text(w.text(name))) }
	}
	to := func(text string) func(string) string { return func(string) string { return text } }
	cut := func(was string) string { return was[:len(was)-100] }
	dented := func(was string) string { return strings.Replace(was, "\nM", "\n!", 1) }
	return map[string]breakage{
		"certificate empty":      {written("tls.crt", to("")), "the certificate file tls.crt is not in PEM"},
		"certificate not in PEM": {written("tls.crt", to("hello\n")), "the certificate file tls.crt is not in PEM"},
		"certificate dented":     {written("tls.crt", dented), "the certificate file tls.crt is broken: 1 of 2 PEM blocks can be read"},
		"chain cut off":          {written("tls.crt", cut), "the certificate file tls.crt is broken: 1 of 2 PEM blocks can be read"},
		"certificate gone":       {removed("tls.crt"), "the certificate file cannot be read: open tls.crt: no such file or directory"},
		"not a certificate": {
			written("tls.crt", to(toPEM("CERTIFICATE", []byte("hello")))),
			"the certificate file tls.crt holds a certificate that cannot be read: block 1: x509: malformed certificate",
		},
		"key in place of the certificate": {
			func(w *world, _ *authority) { w.write("tls.crt", w.text("tls.key")) },
			"the certificate file tls.crt holds something else than certificates: block 1",
		},
		"key empty":      {written("tls.key", to("")), "the key file tls.key is not in PEM"},
		"key not in PEM": {written("tls.key", to("hello\n")), "the key file tls.key is not in PEM"},
		"key cut off":    {written("tls.key", cut), "the key file tls.key is broken: 0 of 1 PEM blocks can be read"},
		"key gone":       {removed("tls.key"), "the key file cannot be read: open tls.key: no such file or directory"},
		"certificate in place of the key": {
			func(w *world, _ *authority) { w.write("tls.key", w.text("tls.crt")) }, "the key file tls.key holds no private key",
		},
		"key that cannot be read": {
			written("tls.key", to(toPEM("PRIVATE KEY", []byte("hello")))),
			"the key file tls.key and the certificate file tls.crt are no pair: tls: failed to parse private key",
		},
		"key encrypted": {
			written("tls.key", to(toPEM("ENCRYPTED PRIVATE KEY", []byte("hello")))),
			"the key file tls.key is encrypted with a pass phrase, which nobody can be asked for",
		},
		"key encrypted, the old way": {
			written("tls.key", to("-----BEGIN EC PRIVATE KEY-----\nDEK-Info: AES-256-CBC,00\n\naGVsbG8=\n-----END EC PRIVATE KEY-----\n")),
			"the key file tls.key is encrypted with a pass phrase, which nobody can be asked for",
		},
		"new certificate, old key": {
			func(w *world, ca *authority) { w.write("tls.crt", ca.issue(w.t, "new", 2*day).cert) },
			"the key file tls.key and the certificate file tls.crt are no pair: tls: private key does not match public key",
		},
		"new key, old certificate": {
			func(w *world, ca *authority) { w.write("tls.key", ca.issue(w.t, "new", 2*day).key) },
			"the key file tls.key and the certificate file tls.crt are no pair: tls: private key does not match public key",
		},
		"CAs empty":      {written("ca.crt", to("")), "the client CA file ca.crt is not in PEM"},
		"CAs not in PEM": {written("ca.crt", to("hello\n")), "the client CA file ca.crt is not in PEM"},
		"CAs cut off":    {written("ca.crt", cut), "the client CA file ca.crt is broken: 1 of 2 PEM blocks can be read"},
		"CAs gone":       {removed("ca.crt"), "the client CA file cannot be read: open ca.crt: no such file or directory"},
		"a key among the CAs": {
			func(w *world, _ *authority) { w.write("ca.crt", w.text("ca.crt")+w.text("tls.key")) },
			"the client CA file ca.crt holds something else than certificates: block 3",
		},
		// A whole new certificate does not come into force without its CAs.
		"CAs a directory, the rest new": {
			func(w *world, ca *authority) {
				removed("ca.crt")(w, ca)
				if err := os.Mkdir(w.path("ca.crt"), 0o700); err != nil {
					w.t.Fatal(err)
				}
				next := ca.issue(w.t, "new", 2*day)
				w.write("tls.crt", next.cert)
				w.write("tls.key", next.key)
			},
			"the client CA file cannot be read: read ca.crt: is a directory",
		},
		"two files gone": {
			func(w *world, ca *authority) { removed("tls.crt")(w, ca); removed("tls.key")(w, ca) },
			"the certificate file cannot be read: open tls.crt: no such file or directory\n" +
				"the key file cannot be read: open tls.key: no such file or directory",
		},
	}
}

func removed(name string) func(w *world, _ *authority) {
	return func(w *world, _ *authority) {
		if err := os.Remove(w.path(name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) text(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// breakable are whole files to break.
func breakable(t *testing.T) (*world, *authority, issued) {
	t.Helper()
	ca := newAuthority(t, "CA")
	own := ca.issue(t, "old", day)
	return newWorld(t, issued{own.cert + ca.pem, own.key}, ca.pem+newAuthority(t, "another CA").pem), ca, own
}

func TestFault33_BrokenFilesLeaveTheOldInForce(t *testing.T) {
	t.Parallel()
	for name, b := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, ca, own := breakable(t)
				w.run()
				w.takeTold()
				b.does(w, ca)
				pass(11 * time.Second)
				if diff := cmp.Diff([]string{"reloaded false", "reloaded false"}, w.takeTold()); diff != "" {
					t.Errorf("told while broken (-want +got):\n%s", diff)
				}
				log := w.takeText()
				wantNoKey(t, log, own.key)
				if diff := cmp.Diff([]string{"the certificate files are broken; those read before stay in force"}, messages(log)); diff != "" {
					t.Errorf("log while broken (-want +got):\n%s", diff)
				}
				if got := w.served(ca.client()); got != "old" {
					t.Errorf("served %q, want old", got)
				}
				wantClient(t, w, ca.clientWith(t, own), true)

				// It is tried again until it is whole.
				_ = os.RemoveAll(w.path("ca.crt"))
				w.write("ca.crt", ca.pem)
				next := ca.issue(t, "next", 2*day)
				w.write("tls.crt", next.cert)
				w.write("tls.key", next.key)
				pass(10 * time.Second)
				if diff := cmp.Diff([]string{"expires in 48h0m0s", "reloaded true"}, w.takeTold()); diff != "" {
					t.Errorf("told then (-want +got):\n%s", diff)
				}
				if got := w.served(ca.client()); got != "next" {
					t.Errorf("served %q, want next", got)
				}
			})
		})
	}
}

func TestFault33_BrokenFilesAtTheStart(t *testing.T) {
	t.Parallel()
	for name, b := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ca, own := breakable(t)
			b.does(w, ca)
			files, err := certs.New(w.params())
			if err == nil || files != nil {
				t.Fatalf("New returned %v, %v", files, err)
			}
			wantNoKey(t, err.Error(), own.key)
			want := "reading the certificates of the server: " + b.says
			if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), w.dir+string(os.PathSeparator), "")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFault33_EachBrokenContentIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := breakable(t)
		w.run()
		whole := w.text("tls.key")
		w.takeTold()
		const broken, again = "the certificate files are broken; those read before stay in force",
			"the certificate files are again what is in force"
		for _, step := range []struct {
			key  string
			want []string
			told string
		}{
			{"a", []string{broken}, "reloaded false"},
			{"a", nil, "reloaded false"},
			{"b", []string{broken}, "reloaded false"},
			{whole, []string{again}, "reloaded true"},
			{whole, nil, ""},
			{"b", []string{broken}, "reloaded false"},
		} {
			w.write("tls.key", step.key)
			pass(5 * time.Second)
			if diff := cmp.Diff(step.want, w.takeLog()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if got := strings.Join(w.takeTold(), ", "); got != step.told {
				t.Errorf("told %q, want %q", got, step.told)
			}
		}
	})
}

// Row 32: a panic while the files are looked at is a line in the log, and they are looked at again.
func TestFault32_APanicWhileLookingIsSurvived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := breakable(t)
		w.run()
		w.panics = true
		w.write("tls.key", "a")
		pass(5 * time.Second)
		if text := w.takeText(); strings.Count(text, "looking at the certificate files panicked") != 1 || strings.Contains(text, "hunter2") || !strings.Contains(text, "certs.go") {
			t.Errorf("log %s", text)
		}
		w.takeTold()
		pass(5 * time.Second)
		if got := strings.Join(w.takeTold(), ", "); got != "reloaded false" {
			t.Errorf("told %q afterwards", got)
		}
	})
}

// wantNoKey finds a piece of the key in a text; what is shorter may be there by chance.
func wantNoKey(t *testing.T, text, key string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(key), "\n")
	for body := range slices.Chunk([]byte(strings.Join(lines[1:len(lines)-1], "")), 6) {
		if len(body) == 6 && strings.Contains(text, string(body)) {
			t.Errorf("a piece of the key is shown in: %s", text)
		}
	}
}
