// Package certs holds the certificate of a server, its key, and the CAs of its clients, and follows their files.
//
// It promises that a new set of files is in force within two looks at them, without a restart and without closing a
// connection; that broken or half-written files change nothing but a line in the log and a count; and that every
// handshake is held against the set that is in force when it begins. It refuses to show anything of a key, and to decide
// what a client that has a certificate may do.
package certs

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files are looked at unless Params say otherwise. Two looks are the ten seconds within which
// a new certificate has to be served.
const lookEvery = 5 * time.Second

// Observer is told how the files fare, for metrics. Its methods are called by New and by Run, never at the same time.
type Observer interface {
	// Reloaded tells of each look that found something: true when new files have come into force, or the ones in force are
	// whole again; false, look after look, while the files are broken and others stay in force.
	Reloaded(ok bool)
	// ExpiresAt tells when the certificate that has just come into force expires, the first one too.
	ExpiresAt(at time.Time)
}

// Params are what Files are built from. All are required but for ClientCAFile and Every.
type Params struct {
	// CertFile has the certificate and after it those that lead to its CA, KeyFile its key, both in PEM.
	CertFile, KeyFile string
	// ClientCAFile has the certificates of the CAs whose clients are trusted, in PEM. None is trusted without it.
	ClientCAFile string
	Log          *slog.Logger
	Observer     Observer
	// Every is how often the files are looked at; zero is five seconds.
	Every time.Duration
}

// Files are a certificate, its key and CAs that follow their files. Build them with New. But for Run, which is called
// once, their methods are safe for concurrent use.
type Files struct {
	params Params
	inUse  atomic.Pointer[set]
	// broken is the content that the log has last called broken, zero when the files are whole.
	broken sum
	// warned is the certificate whose dates the log has complained about.
	warned *x509.Certificate
}

// New reads the files. Its error names the file that is at fault and says why. A certificate that has expired is taken,
// with a line in the log: a service that does not start can tell nobody when it did.
func New(p Params) (*Files, error) {
	if p.Every <= 0 {
		p.Every = lookEvery
	}
	f := &Files{params: p}
	first, err := parse(f.read())
	if err != nil {
		return nil, fmt.Errorf("reading the certificates of the server: %w", err)
	}
	f.inUse.Store(first)
	p.Observer.ExpiresAt(first.expiresAt())
	f.checkDates(context.Background())
	return f, nil
}

// ExpiresAt is when the certificate in force expires.
func (f *Files) ExpiresAt() time.Time { return f.inUse.Load().expiresAt() }

// Run looks at the files until ctx ends. It looks at what they hold and at nothing else: links that are swapped, as
// Kubernetes does it, and files that are written in place within one tick of the file system's clock look alike to it.
func (f *Files) Run(ctx context.Context) {
	tick := time.NewTicker(f.params.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.once(ctx)
		}
	}
}

// once looks at the files, and survives that. What was thrown may be a piece of a key, so only its type is shown.
func (f *Files) once(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			f.params.Log.ErrorContext(ctx, "looking at the certificate files panicked",
				slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", string(stack[:min(len(stack), 2<<10)])))
		}
	}()
	f.look(ctx)
	f.checkDates(ctx)
}

// look brings what the files hold into force if it is new and whole.
func (f *Files) look(ctx context.Context) {
	found := f.read()
	if found.sum == f.inUse.Load().sum {
		if f.broken != (sum{}) {
			f.broken = sum{}
			f.params.Log.InfoContext(ctx, "the certificate files are again what is in force")
			f.params.Observer.Reloaded(true)
		}
		return
	}
	next, err := parse(found)
	if err != nil {
		if f.broken != found.sum { // once for each content: a file that stays broken would fill the log
			f.broken = found.sum
			f.params.Log.ErrorContext(ctx, "the certificate files are broken; those read before stay in force",
				slog.Any("error", err), slog.Time("expires_at", f.ExpiresAt()))
		}
		f.params.Observer.Reloaded(false)
		return
	}
	f.broken = sum{}
	f.inUse.Store(next)
	f.params.Log.InfoContext(ctx, "new certificate files are in force", slog.Time("expires_at", next.expiresAt()))
	f.params.Observer.ExpiresAt(next.expiresAt())
	f.params.Observer.Reloaded(true)
}

// checkDates complains once of a certificate that clients will refuse for its dates, also when it grew old in use.
func (f *Files) checkDates(ctx context.Context) {
	leaf, now := f.inUse.Load().cert.Leaf, time.Now()
	if leaf == f.warned || !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter) {
		return
	}
	f.warned = leaf
	f.params.Log.ErrorContext(ctx, "the certificate in force is not valid now; clients will refuse it",
		slog.String("file", f.params.CertFile), slog.Time("valid_from", leaf.NotBefore), slog.Time("expires_at", leaf.NotAfter))
}
