// Package postgres keeps a ledger in PostgreSQL, for as many replicas of the service as there are.
//
// It promises the contract of ledger.Store between processes: races are decided by unique indexes and row locks of the
// database, never by what a process remembers; a commit that was answered is durable; and a call ends in bounded time
// whatever becomes of the server, which it finds again by itself. Each file says how its races are decided. It works behind
// PgBouncer in transaction mode: no prepared statement, setting or lock outlives its transaction. Hints of what other
// processes do are all that is missing there: see listen.go.
//
// It refuses to make a database, and to say the connection URL in an error: there may be a password in it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/portin/portin/internal/ledger"
)

// Config says which database, and for whom.
type Config struct {
	// URL is a PostgreSQL connection URL (postgres://…). It may hold a password, and never reaches an error.
	URL string
	// Carrier identifies the carrier that the orders go to: its base URL. A ledger remembers it.
	Carrier string
	// MaxConns is how many connections a process has at the most, but for one more that listens; zero is 16.
	MaxConns int32
	// Timeout is how long a call may take at the most, waiting for a connection included; zero is 10 s. A transaction of a
	// process that has stopped ends after it too, so that it does not keep the other replicas.
	Timeout time.Duration
}

const (
	defaultMaxConns = 16
	defaultTimeout  = 10 * time.Second
)

// Store is a ledger in PostgreSQL. Open makes one.
type Store struct {
	id      string
	pool    *pgxpool.Pool
	timeout time.Duration
	// begin is the statement that begins a transaction that writes.
	begin string

	// hints are for those who wait for events, and listener brings those of other processes.
	hints    hints
	listener listener

	// broken is when a connection was last found broken, in nanoseconds since 1970.
	broken atomic.Int64
	life   context.Context //nolint:containedctx // the store's own life, which no call's context stands for; done once Close has been called
	end    context.CancelFunc
}

var _ ledger.Store = (*Store)(nil)

// errEncoding: there are texts that such a database cannot keep, and an order must not be lost for its text.
var errEncoding = errors.New("the ledger's database has to have the encoding UTF8, and has")

// Open opens the ledger in a database, and makes it when there is none. Any number of processes may open it at once. It is
// ledger.ErrOtherCarrier when the ledger is another carrier's.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.MaxConns == 0 {
		c.MaxConns = defaultMaxConns
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	config, err := poolConfig(c)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, config.ConnConfig); err != nil {
		return nil, fmt.Errorf("bring the ledger's tables up to date: %w", err)
	}
	s := &Store{timeout: c.Timeout, begin: beginWriting(c.Timeout)}
	config.ShouldPing = s.doubtful
	s.listener.config = config.ConnConfig
	config.ConnConfig.OnNotification = s.heard
	s.pool, err = pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.identify(ctx, c.Carrier); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// identify reads whose ledger this is. The first to come writes it down: the row's key lets only one through.
func (s *Store) identify(ctx context.Context, carrier string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	var encoding, holds string
	err = s.write(ctx, "identify the ledger", func(ctx context.Context, tx *writing) error {
		const insert = `INSERT INTO ledger (id, carrier) VALUES ($1, $2) ON CONFLICT DO NOTHING`
		if _, err := tx.Exec(ctx, insert, id.String(), clean(carrier)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT id, carrier, current_setting('server_encoding') FROM ledger`).Scan(&s.id, &holds, &encoding)
	})
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w %s", errEncoding, encoding)
	}
	if holds != clean(carrier) {
		return fmt.Errorf("%w: those of %s, not of %s", ledger.ErrOtherCarrier, holds, carrier)
	}
	return nil
}

// ID is the ledger's own identity.
func (s *Store) ID() string { return s.id }

// Exclusive is false: other replicas write to the ledger too.
func (*Store) Exclusive() bool { return false }

// Close ends the calls that are under way, whose outcome is then not known, and every connection.
func (s *Store) Close() error {
	s.end()
	s.listener.close()
	s.pool.Close()
	return nil
}
