package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is how long a connection may take to come about, unless the URL says otherwise (connect_timeout).
	connectTimeout = 3 * time.Second
	// pingTimeout is how long a doubtful connection may take to prove that it lives.
	pingTimeout = time.Second
	// fresh is how long a connection is trusted after its last use.
	fresh = time.Second
)

var errURL = errors.New("the ledger's URL is no PostgreSQL connection URL, postgres://user:password@host:port/database; " +
	"it is not shown, since it may hold a password")

// poolConfig is the pool's configuration. The reasons that pgx gives for a URL that it cannot read quote the URL, with all
// that a slip of the pen has made of its password: they are kept back.
func poolConfig(c Config) (*pgxpool.Config, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errURL
	}
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, errURL
	}
	config.MaxConns = c.MaxConns
	config.PingTimeout = pingTimeout
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	// Statements go out unnamed, parsed and executed in one message exchange: behind PgBouncer the next exchange may meet
	// another server process. Only their descriptions are kept, and additive migrations do not change those.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	config.ConnConfig.StatementCacheCapacity = 0
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "portin"
	}
	return config, nil
}

// doubtful reports whether a connection has to prove that it lives before it is used: when it was idle for a while, or
// when another was found broken since it was last used, which most often means that the server was started again.
func (s *Store) doubtful(_ context.Context, p pgxpool.ShouldPingParams) bool {
	return p.IdleDuration > fresh || p.IdleDuration >= time.Since(time.Unix(0, s.broken.Load()))
}

// beginWriting is how a transaction that writes begins, in one exchange. Its settings end with it. The server ends what
// this process no longer can: a statement that it gave up and a transaction that it left open when it was stopped, with
// all locks. And whatever the server's default, an answered commit is on disk: an order that was claimed and forgotten
// would be sent twice.
func beginWriting(timeout time.Duration) string {
	return fmt.Sprintf(`begin isolation level read committed;
		set local statement_timeout = %[1]d; set local idle_in_transaction_session_timeout = %[1]d;
		select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`, timeout.Milliseconds())
}
