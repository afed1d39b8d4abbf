package certs_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/certs"
)

// A key may be of each kind and in each form that tools write.
func TestKeys(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	curve := newKey(t)
	curveDER, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	modulus, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edDER, err := x509.MarshalPKCS8PrivateKey(edKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		public any
		key    string
	}{
		"of a curve, after its parameters": {curve.Public(), toPEM("EC PARAMETERS", []byte{6, 0}) + toPEM("EC PRIVATE KEY", curveDER)},
		"RSA":                              {modulus.Public(), toPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(modulus))},
		"Ed25519, after a text":            {edPublic, "Key of the server\n" + toPEM("PRIVATE KEY", edDER)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, issued{ca.certify(t, "server", day, c.public), c.key}, ca.pem)
			files, err := certs.New(w.params())
			if err != nil {
				t.Fatal(err)
			}
			w.files = files
			if got := w.served(ca.client()); got != "server" {
				t.Errorf("served %q", got)
			}
		})
	}
}

func TestACertificateThatIsNotValidNowIsTakenAndTold(t *testing.T) {
	t.Parallel()
	const complaint = "the certificate in force is not valid now; clients will refuse it"
	for name, c := range map[string]struct {
		until     time.Duration
		told      []string
		atOnce    []string
		afterADay []string
	}{
		"long ago":     {-time.Hour, []string{"expires in -1h0m0s"}, []string{complaint}, nil},
		"while in use": {time.Hour, []string{"expires in 1h0m0s"}, nil, []string{complaint}},
		"not yet":      {4 * day, []string{"expires in 96h0m0s"}, []string{complaint}, nil},
		"always":       {2 * day, []string{"expires in 48h0m0s"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ca := newAuthority(t, "CA")
				w := newWorld(t, ca.issue(t, "server", c.until), ca.pem)
				w.every = time.Minute
				w.run()
				if diff := cmp.Diff(c.atOnce, w.takeLog()); diff != "" {
					t.Errorf("log at once (-want +got):\n%s", diff)
				}
				pass(day)
				if diff := cmp.Diff(c.afterADay, w.takeLog()); diff != "" {
					t.Errorf("log after a day (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.told, w.takeTold()); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A rotation to a certificate that begins to be valid later is taken too, and complained about once.
func TestTheDatesOfEachCertificateAreChecked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, ca.issue(t, "server", day), ca.pem)
		w.run()
		late := ca.issue(t, "server", 4*day)
		w.write("tls.crt", late.cert)
		w.write("tls.key", late.key)
		pass(time.Hour)
		want := []string{"new certificate files are in force", "the certificate in force is not valid now; clients will refuse it"}
		if diff := cmp.Diff(want, w.takeLog()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// The files are looked at as often as was asked for.
func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, ca.issue(t, "server", day), ca.pem)
		w.every = time.Minute
		w.run()
		w.takeTold()
		w.write("tls.key", "")
		pass(10*time.Minute + time.Second)
		if n := len(w.takeTold()); n != 10 {
			t.Errorf("looked %d times, want 10", n)
		}
	})
}
