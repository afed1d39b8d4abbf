package certs_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// day is how long a certificate of these tests has to live yet, unless that is what is tested.
const day = 24 * time.Hour

func TestFault33_RotatedCertificateIsServedWithinTenSeconds(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]func(w *world, next issued){
		"written in place": func(w *world, next issued) {
			w.write("tls.crt", next.cert)
			w.write("tls.key", next.key)
		},
		"put in the place of the old": func(w *world, next issued) {
			for name, text := range map[string]string{"tls.crt": next.cert, "tls.key": next.key} {
				w.write(name+".new", text)
				w.rename(name+".new", name)
			}
		},
		"written in place, with the time of the old": func(w *world, next issued) {
			for name, text := range map[string]string{"tls.crt": next.cert, "tls.key": next.key} {
				was, err := os.Stat(w.path(name))
				if err != nil {
					w.t.Fatal(err)
				}
				w.write(name, text)
				if err := os.Chtimes(w.path(name), was.ModTime(), was.ModTime()); err != nil {
					w.t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ca := newAuthority(t, "CA")
				w := newWorld(t, ca.issue(t, "old", day), ca.pem)
				wantRotation(t, w, ca, func() { rotate(w, ca.issue(t, "new", 2*day)) })
			})
		})
	}
}

// Kubernetes keeps the files in a directory that a link names, links to them through that link, and swaps it.
func TestFault33_LinksSwappedByKubernetes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, issued{}, "")
		release := func(version string, own issued) {
			if err := os.Mkdir(w.path(version), 0o700); err != nil {
				t.Fatal(err)
			}
			w.write(filepath.Join(version, "tls.crt"), own.cert)
			w.write(filepath.Join(version, "tls.key"), own.key)
			w.write(filepath.Join(version, "ca.crt"), ca.pem)
			w.link(version, "..data_tmp")
			w.rename("..data_tmp", "..data")
		}
		release("..2026_01", ca.issue(t, "old", day))
		for _, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
			if err := os.Remove(w.path(name)); err != nil {
				t.Fatal(err)
			}
			w.link(filepath.Join("..data", name), name)
		}
		wantRotation(t, w, ca, func() {
			release("..2026_02", ca.issue(t, "new", 2*day))
			if err := os.RemoveAll(w.path("..2026_01")); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// wantRotation holds a rotation from the certificate "old", which lives a day, to "new", which lives two.
func wantRotation(t *testing.T, w *world, ca *authority, rotate func()) {
	t.Helper()
	w.run()
	server := w.files.Server(tls.NoClientCert)
	open, err := dial(server, ca.client())
	if err != nil {
		t.Fatal(err)
	}
	defer open.close()
	pass(time.Hour)
	if diff := cmp.Diff([]string{"expires in 24h0m0s"}, w.takeTold()); diff != "" {
		t.Errorf("told before (-want +got):\n%s", diff)
	}
	rotate()
	pass(10 * time.Second)
	after, err := dial(server, ca.client()) // of a configuration that was made before
	if err != nil {
		t.Fatal(err)
	}
	defer after.close()
	if open.name() != "old" || after.name() != "new" {
		t.Errorf("served %q and then %q, want old and new", open.name(), after.name())
	}
	if err := open.hears(); err != nil {
		t.Errorf("the connection that was open: %v", err)
	}
	if left := time.Until(w.files.ExpiresAt()).Round(time.Minute); left != 48*time.Hour {
		t.Errorf("expires in %v, want 48h", left)
	}
	pass(time.Minute)
	if diff := cmp.Diff([]string{"expires in 48h0m0s", "reloaded true"}, w.takeTold()); diff != "" {
		t.Errorf("told then (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"new certificate files are in force"}, w.takeLog()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(w.path(from), w.path(to)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) link(to, name string) {
	w.t.Helper()
	if err := os.Symlink(to, w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}
