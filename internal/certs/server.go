package certs

import "crypto/tls"

// Server returns the configuration of a server that asks for client certificates as clientAuth says and speaks protos,
// or "h2" and "http/1.1" when there are none; gRPC is "h2". It may be cloned and used by several servers.
//
// Versions start at TLS 1.2; curves and cipher suites are those that package tls holds to be safe today.
//
// Sessions are never resumed. A resumed session takes over the client's certificate, and at the client the server's, from
// the handshake in which it began. Whether a client whose CA has been withdrawn comes back that way would rest on what
// package tls checks again, which its security releases have changed; and for up to a week a client could go on seeing the
// certificate that was replaced, against which a VerifyConnection here could do nothing. The price is one signature for
// each connection; connections live long here, and since TLS 1.3 resumption saves no round trip.
//
// A connection that is open stays open, whatever becomes of its CA.
func (f *Files) Server(clientAuth tls.ClientAuthType, protos ...string) *tls.Config {
	if len(protos) == 0 {
		protos = []string{"h2", "http/1.1"}
	}
	base := &tls.Config{
		MinVersion:             tls.VersionTLS12,
		ClientAuth:             clientAuth,
		NextProtos:             protos,
		SessionTicketsDisabled: true,
	}
	// A whole configuration for each handshake, not GetCertificate alone: the CAs change together with the certificate.
	server := base.Clone()
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		s, c := f.inUse.Load(), base.Clone()
		c.Certificates, c.ClientCAs = []tls.Certificate{s.cert}, s.clientCAs
		return c, nil
	}
	return server
}
