package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/auth"
)

// authority makes certificates for a test: of the service, and of callers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
	folder      string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool(), folder: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newECDSA(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.certificate)
	a.write(t, "ca.crt", "CERTIFICATE", der)
	return a
}

func newECDSA(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write writes a file in PEM, whole at once, and returns its path.
func (a *authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.folder, name)
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue makes a certificate of this machine and a name, with a serial number by which it is told from others.
func (a *authority) issue(t *testing.T, name string, serial int64) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	key := newECDSA(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serverFiles writes the service's certificate and key, the key first, as a careful tool does.
func (a *authority) serverFiles(t *testing.T, serial int64) (cert, key string) {
	t.Helper()
	made := a.issue(t, "localhost", serial)
	der, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key = a.write(t, "tls.key", "PRIVATE KEY", der)
	return a.write(t, "tls.crt", "CERTIFICATE", made.Certificate[0]), key
}

// guarded are settings of a service that asks who calls.
func (a *authority) guarded(t *testing.T, roster string) func(p *app.Params) {
	t.Helper()
	cert, key := a.serverFiles(t, 2)
	file := filepath.Join(a.folder, "callers.yaml")
	if err := os.WriteFile(file, []byte(roster), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(p *app.Params) {
		p.Config.TLS.CertFile, p.Config.TLS.KeyFile, p.Config.TLS.ClientCAFile = cert, key, filepath.Join(a.folder, "ca.crt")
		p.Config.Auth.CallersFile = file
	}
}

// guardedArgs are the same settings, for the program.
func (a *authority) guardedArgs(t *testing.T, roster string) []string {
	t.Helper()
	var p app.Params
	a.guarded(t, roster)(&p)
	c := p.Config
	return []string{
		"--tls-cert-file=" + c.TLS.CertFile, "--tls-key-file=" + c.TLS.KeyFile, "--tls-client-ca-file=" + c.TLS.ClientCAFile,
		"--auth-callers-file=" + c.Auth.CallersFile,
	}
}

// apiKey makes an API key, and the digest by which a roster knows it.
func apiKey() (key, sum string) { return auth.NewKey() }

// as is a client of the same service for another caller: with an API key, or a certificate, or neither.
func (c *client) as(t *testing.T, a *authority, key string, certificates ...tls.Certificate) *client {
	t.Helper()
	config := &tls.Config{RootCAs: a.pool, ServerName: "localhost", Certificates: certificates, MinVersion: tls.VersionTLS12}
	heard := eavesdrop(t)
	conn, err := grpc.NewClient(c.GRPCAddress,
		append(heard.options(), grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithPerRPCCredentials(bearer(key)))...)
	if err != nil {
		t.Fatal(err)
	}
	other := &client{
		GRPCAddress: c.GRPCAddress, HTTPAddress: c.HTTPAddress, AdminAddress: c.AdminAddress, conn: conn,
		grpc: portinv1.NewPortInServiceClient(conn), operators: portinv1.NewOperatorServiceClient(conn),
		http: &http.Client{Transport: overheard{
			encrypted{c.HTTPAddress, key, &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}, heard,
		}},
		heard: heard,
	}
	t.Cleanup(other.disconnect)
	return other
}

// become has the service called by another caller from now on.
func (s *service) become(t *testing.T, c *client) {
	t.Helper()
	t.Cleanup(s.disconnect)
	s.client = c
}

// bearer is an API key beside each call over gRPC; empty is none.
type bearer string

// GetRequestMetadata is the key.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if b == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity keeps it off connections in the clear.
func (bearer) RequireTransportSecurity() bool { return true }

// encrypted sends what is meant for the JSON face over https, with an API key.
type encrypted struct {
	face, key string
	*http.Transport
}

// RoundTrip sends a request.
func (e encrypted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != e.face { // the admin face is never encrypted
		return e.Transport.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme = "https"
	if e.key != "" {
		r.Header.Set("Authorization", "Bearer "+e.key)
	}
	return e.Transport.RoundTrip(r)
}
