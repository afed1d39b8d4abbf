package certs_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/portin/portin/internal/certs"
)

// wantClient shakes hands with a server that wants to see a certificate.
func wantClient(t *testing.T, w *world, client *tls.Config, accepted bool) {
	t.Helper()
	c, err := dial(w.files.Server(tls.RequireAndVerifyClientCert), client)
	if (err == nil) != accepted {
		t.Errorf("the handshake came to %v, want accepted %v", err, accepted)
	}
	if err == nil {
		c.close()
	}
}

func TestFault33_WithdrawnCAIsRefused(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]tls.ClientAuthType{
		"required": tls.RequireAndVerifyClientCert, "if given": tls.VerifyClientCertIfGiven,
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+" over "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ca, stays, goes := newAuthority(t, "CA"), newAuthority(t, "stays"), newAuthority(t, "goes")
					w := newWorld(t, ca.issue(t, "server", day), stays.pem+goes.pem)
					w.run()
					server := w.files.Server(auth)
					staying, going := ca.clientWith(t, stays.issue(t, "staying", day)), ca.clientWith(t, goes.issue(t, "going", day))
					for _, client := range []*tls.Config{staying, going} {
						client.MaxVersion, client.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
						for range 2 {
							wantFullHandshake(t, server, client)
						}
					}
					w.write("ca.crt", stays.pem)
					pass(10 * time.Second)
					wantFullHandshake(t, server, staying)
					if c, err := dial(server, going); err == nil {
						t.Errorf("the client of the withdrawn CA is let in, resumed %v", c.server.ConnectionState().DidResume)
						c.close()
					}
				})
			})
		}
	}
}

// A client that resumed would go on seeing the certificate that was replaced.
func TestNoSessionIsResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, ca.issue(t, "server", day), ca.pem)
		w.run()
		server, client := w.files.Server(tls.NoClientCert), ca.client()
		client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		for range 2 {
			wantFullHandshake(t, server, client)
		}
	})
}

// wantFullHandshake wants the client let in with a handshake of its own.
func wantFullHandshake(t *testing.T, server, client *tls.Config) {
	t.Helper()
	c, err := dial(server, client)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if c.server.ConnectionState().DidResume {
		t.Error("the session was resumed")
	}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, ca.issue(t, "server", day), ca.pem)
		w.run()
		known, late := ca.clientWith(t, ca.issue(t, "client", day)), ca.clientWith(t, ca.issue(t, "late", -time.Hour))
		stranger := ca.clientWith(t, newAuthority(t, "CA").issue(t, "client", day))
		got := map[string][4]bool{}
		for _, auth := range []tls.ClientAuthType{tls.NoClientCert, tls.VerifyClientCertIfGiven, tls.RequireAndVerifyClientCert} {
			var in [4]bool
			for i, client := range []*tls.Config{ca.client(), known, stranger, late} {
				c, err := dial(w.files.Server(auth), client)
				if in[i] = err == nil; err == nil {
					c.close()
				}
			}
			got[auth.String()] = in
		}
		want := map[string][4]bool{ // without a certificate, with a good one, of another CA, expired
			"NoClientCert":               {true, true, true, true},
			"VerifyClientCertIfGiven":    {true, true, false, false},
			"RequireAndVerifyClientCert": {false, true, false, false},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("let in (-want +got):\n%s", diff)
		}
	})
}

// Without a pool, package tls would trust the CAs of the machine, among them those that sell certificates to anybody.
func TestWithoutClientCAsNobodyIsTrusted(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	p := newWorld(t, ca.issue(t, "server", day), "").params()
	p.ClientCAFile = ""
	files, err := certs.New(p)
	if err != nil {
		t.Fatal(err)
	}
	each, err := files.Server(tls.RequireAndVerifyClientCert).GetConfigForClient(nil)
	if err != nil || each.ClientCAs == nil {
		t.Fatalf("the pool is %v, %v, want an empty one", each.ClientCAs, err)
	}
	c, err := dial(files.Server(tls.RequireAndVerifyClientCert), ca.clientWith(t, ca.issue(t, "client", day)))
	if err == nil {
		c.close()
		t.Error("a client is trusted although no CA is")
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		w := newWorld(t, ca.issue(t, "server", day), ca.pem)
		w.run()
		got := map[string]bool{}
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			client := ca.client()
			client.MinVersion, client.MaxVersion = version, version
			c, err := dial(w.files.Server(tls.NoClientCert), client)
			if got[tls.VersionName(version)] = err == nil; err == nil {
				c.close()
			}
		}
		if diff := cmp.Diff(map[string]bool{"TLS 1.0": false, "TLS 1.1": false, "TLS 1.2": true, "TLS 1.3": true}, got); diff != "" {
			t.Errorf("accepted (-want +got):\n%s", diff)
		}
	})
}

// loopback is Files over loopback, without Run.
func loopback(t *testing.T) (*authority, *certs.Files, net.Listener) {
	t.Helper()
	ca := newAuthority(t, "CA")
	files, err := certs.New(newWorld(t, ca.issue(t, "server", day), ca.pem).params())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ca, files, listener
}

func TestServesHTTP(t *testing.T) {
	t.Parallel()
	ca, files, listener := loopback(t)
	server := &http.Server{
		TLSConfig: files.Server(tls.NoClientCert), ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
	}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener, "", "") }()
	for http2, want := range map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"} {
		client := &http.Transport{TLSClientConfig: ca.client(), ForceAttemptHTTP2: http2}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+listener.Addr().String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(answer.Body); err != nil || string(got) != want {
			t.Errorf("the server speaks %q, %v, want %q", got, err, want)
		}
		answer.Body.Close()
		client.CloseIdleConnections()
	}
	if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

func TestServesGRPC(t *testing.T) {
	t.Parallel()
	ca, files, listener := loopback(t)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(files.Server(tls.RequireAndVerifyClientCert, "h2"))))
	healthpb.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	creds := credentials.NewTLS(ca.clientWith(t, ca.issue(t, "client", day)))
	client, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := healthpb.NewHealthClient(client).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	client.Close()
	server.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
