package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portin/portin/internal/handfile"
)

// maxFile is how large a file may be: there are bundles of all CAs of the world in less.
const maxFile = 4 << 20

// sum stands for what the files hold, and for why they could not be read. It is kept in place of a second copy of the key.
type sum [sha256.Size]byte

// set is what the files held at one moment, whole and read. It is never changed.
type set struct {
	sum       sum
	cert      tls.Certificate
	clientCAs *x509.CertPool
}

func (s *set) expiresAt() time.Time { return s.cert.Leaf.NotAfter }

// content is what the files hold, or why they could not be read.
type content struct {
	sum           sum
	cert, key, ca file
	err           error
}

// file is one of the files, with the name that errors call it by.
type file struct {
	name string
	text []byte
}

// read reads all files.
func (f *Files) read() content {
	var c content
	digest := sha256.New()
	one := func(what, path string) file {
		text, err := handfile.Read(path, maxFile)
		if err != nil {
			c.err = errors.Join(c.err, fmt.Errorf("the %s cannot be read: %w", what, err))
		}
		// The length keeps apart what moved from one file to the next.
		_, _ = fmt.Fprintf(digest, "%d %v\n%s", len(text), err, text) // a digest cannot fail
		return file{what + " " + path, text}
	}
	c.cert = one("certificate file", f.params.CertFile)
	c.key = one("key file", f.params.KeyFile)
	if f.params.ClientCAFile != "" {
		c.ca = one("client CA file", f.params.ClientCAFile)
	}
	digest.Sum(c.sum[:0])
	return c
}

// parse makes a set of what was read, or says which file is at fault and why. It never quotes a file.
func parse(c content) (*set, error) {
	if c.err != nil {
		return nil, c.err
	}
	chain, err := c.cert.certificates()
	if err != nil {
		return nil, err
	}
	if err := c.key.wantKey(); err != nil {
		return nil, err
	}
	// Both files were looked through above, so what is left for it to say are fixed words about the pair.
	pair, err := tls.X509KeyPair(c.cert.text, c.key.text)
	if err != nil {
		return nil, fmt.Errorf("the %s and the %s are no pair: %w", c.key.name, c.cert.name, err)
	}
	pair.Leaf = chain[0]
	// Empty, not nil: without a pool of its own, package tls trusts all CAs that the machine does.
	s := &set{sum: c.sum, cert: pair, clientCAs: x509.NewCertPool()}
	if c.ca.name == "" {
		return s, nil
	}
	trusted, err := c.ca.certificates()
	if err != nil {
		return nil, err
	}
	for _, ca := range trusted {
		s.clientCAs.AddCert(ca)
	}
	return s, nil
}

// certificates are those of a file, at least one.
func (f file) certificates() ([]*x509.Certificate, error) {
	blocks, err := f.blocks()
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for i, b := range blocks {
		// Another kind of block is a file given for another, or a CA that would silently not be trusted.
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("the %s holds something else than certificates: block %d", f.name, i+1)
		}
		one, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the %s holds a certificate that cannot be read: block %d: %w", f.name, i+1, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// wantKey reports an error unless the file has a key that can be read without a pass phrase.
func (f file) wantKey() error {
	blocks, err := f.blocks()
	if err != nil {
		return err
	}
	for _, b := range blocks {
		switch {
		case !strings.HasSuffix(" "+b.Type, " PRIVATE KEY"): // OpenSSL writes the curve's parameters before the key
		case strings.HasPrefix(b.Type, "ENCRYPTED") || b.Headers["DEK-Info"] != "":
			return fmt.Errorf("the %s is encrypted with a pass phrase, which nobody can be asked for", f.name)
		default:
			return nil
		}
	}
	return fmt.Errorf("the %s holds no private key", f.name)
}

// blocks are the PEM blocks of a file, at least one. A block that was begun and cannot be read is an error: package pem
// passes over it, so that a file caught while it is written would seem to be a shorter one, with a CA less. One that was
// cut exactly between two blocks cannot be told; the next look finds the rest.
func (f file) blocks() ([]*pem.Block, error) {
	var all []*pem.Block
	for rest := f.text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		all = append(all, b)
	}
	switch begun := bytes.Count(f.text, []byte("-----BEGIN")); {
	case begun == 0:
		return nil, fmt.Errorf("the %s is not in PEM", f.name)
	case begun != len(all):
		return nil, fmt.Errorf("the %s is broken: %d of %d PEM blocks can be read", f.name, len(all), begun)
	}
	return all, nil
}
