package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/sandbox"
)

// The credentials of the stand-in; they protect nothing.
const (
	sandboxUser     = "sandbox"
	sandboxPassword = "sandbox"
)

// standin is the stand-in for the carrier, over real HTTP.
type standin struct {
	carrier  *sandbox.Carrier
	server   *http.Server
	listener net.Listener
}

// newStandin builds the stand-in and begins to listen.
func newStandin(ctx context.Context, c config.Standin, log *slog.Logger) (*standin, error) {
	unknowns, err := sandbox.ParseUnknowns(c.Unknowns)
	if err != nil {
		return nil, fmt.Errorf("sandbox-unknowns: %w", err)
	}
	simulator, err := sandbox.New(sandbox.Config{Username: sandboxUser, Password: sandboxPassword, Unknowns: unknowns})
	if err != nil {
		return nil, err
	}
	var listening net.ListenConfig
	l, err := listening.Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox-address: %w", err), simulator.Close())
	}
	return &standin{
		carrier:  simulator,
		listener: l,
		server: &http.Server{
			Handler: simulator, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

func (s *standin) address() string { return s.listener.Addr().String() }

func (s *standin) baseURL() string { return "http://" + s.address() + sandbox.BasePath }

// serve answers until close.
func (s *standin) serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// close ends every exchange, also those that an outcome on demand holds.
func (s *standin) close() error {
	return errors.Join(s.carrier.Close(), s.server.Close())
}

// Sandbox serves the stand-in for the carrier alone until ctx ends.
func Sandbox(ctx context.Context, c config.Config, log *slog.Logger, out io.Writer) error {
	c.Sandbox, c.Carrier.URL = true, "" // nobody calls a carrier here
	if err := c.Validate(); err != nil {
		return err
	}
	s, err := newStandin(ctx, c.Standin, log)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.close() })
	defer stop()
	if _, err := fmt.Fprintf(out, "The stand-in for the carrier: %s (user %s, password %s). What it offers: http://%s/_sandbox/\n",
		s.baseURL(), sandboxUser, sandboxPassword, s.address()); err != nil {
		return errors.Join(err, s.close())
	}
	return s.serve()
}
