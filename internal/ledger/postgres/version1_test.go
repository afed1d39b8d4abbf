package postgres

import (
	"io/fs"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// What version 1 wrote, as it wrote it.
const (
	version1Changing = `warnings, state, standing, needs_attention, attempt, owner, lease, due, fence, looks, look_failed,
		reply, ticket, message, error_id, reason, problem, retry_after,
		doubt_since, doubt_asked, doubt_finding, doubt_agreed, doubt_counted, attention,
		status, disputing, port_date, updated, claimed, settled`
	version1Fixed  = `order_id, tenant, request_id, carrier_account, target, customer_reference, content, numbers, created`
	version1Insert = `WITH claimed AS (
		INSERT INTO orders (` + version1Fixed + ", " + version1Changing + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
			$15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39)
		ON CONFLICT (tenant, request_id) DO NOTHING RETURNING order_id, tenant, created, numbers
	)
	INSERT INTO numbers (order_id, number, tenant, created)
	SELECT DISTINCT order_id, number, tenant, created FROM claimed CROSS JOIN LATERAL unnest(numbers) AS number`
	version1Update = `UPDATE orders SET (` + version1Changing + `) = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31) WHERE order_id = $1`
	version1Event = `WITH latest AS (UPDATE ledger SET sequence = sequence + 1 RETURNING sequence)
		INSERT INTO events (sequence, order_id, at, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note)
		SELECT sequence, $1, $2, 'SERVICE', '', $3, $4, $5, $6, '', '', false, '' FROM latest`
)

// version1 is a database as version 1 has left it.
type version1 struct {
	*testing.T
	url  string
	conn *pgx.Conn
}

func newVersion1(t *testing.T) version1 {
	t.Helper()
	v := version1{t, pgtest.Database(t), nil}
	config, err := pgx.ParseConfig(v.url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithTableName("migrations"),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	v.conn = pgtest.Connect(t, v.url)
	v.exec(`INSERT INTO ledger (id, carrier) VALUES ('an id', $1)`, ledgertest.Carrier)
	return v
}

func (v version1) exec(sql string, args ...any) {
	v.Helper()
	if _, err := v.conn.Exec(v.Context(), sql, args...); err != nil {
		v.Error(err)
	}
}

// values are those of the columns that version 1 knew: the first of each list.
func (v version1) values(r ledger.Record) (fixed, changing []any) {
	v.Helper()
	changing, err := changingValues(r)
	if err != nil {
		v.Fatal(err)
	}
	return fixedValues(r)[:9], changing[:30]
}

func (v version1) insert(r ledger.Record) {
	v.Helper()
	fixed, changing := v.values(r)
	v.exec(version1Insert, append(fixed, changing...)...)
}

func (v version1) update(r ledger.Record) {
	v.Helper()
	_, changing := v.values(r)
	v.exec(version1Update, append([]any{r.OrderID}, changing...)...)
}

func (v version1) tell(r ledger.Record, t ledger.EventType, at time.Time) {
	v.Helper()
	v.exec(version1Event, r.OrderID, micros(at), string(t), r.Attempt, int16(r.State), string(r.Status))
}

// inState is the nth order as version 1 had it in a state, settled after an hour and due to nobody.
func inState(n int, s order.State, status order.Status) ledger.Record {
	r := ledgertest.Record(n)
	r.State, r.Status, r.Due = s, status, time.Time{}
	r.Updated = r.Created.Add(2 * time.Hour)
	if s == order.Accepted {
		r.Settled, r.Ticket = r.Created.Add(time.Hour), ledgertest.Ticket(n)
	}
	return atRest(r)
}
