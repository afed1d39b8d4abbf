package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/product"
)

// Documents and passwords go to the carrier and nowhere else: what the ledger keeps of an order has neither. That no log, no
// metric and no trace has them, or a name, is looked at whenever a service of a test ends.
func TestFault28_DocumentsAndPasswordsAreNotAtRest(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, quick)
		for _, spec := range product.Specs() {
			if spec.Arm != "residential_line" {
				continue
			}
			o := golden(t, spec, "fullest")
			o.Form.CommentsPortTeam = new("canary-comment") // which is kept, so that this test sees something
			s.must(t, f, o, newKey(), accepted)
			s.must(t, f, s.carrier.order(t, "cut-after-ticket"), newKey(), inDoubt)
			if !bytes.Contains(s.carrier.posts()[0].Body, []byte("canary-password")) {
				t.Error("the carrier did not get the password: this test shows nothing")
			}
		}
		kept := atRest(t, e, s.ledger)
		if !bytes.Contains(kept, []byte("canary-comment")) {
			t.Error("the ledger has no comment: this test shows nothing")
		}
		for _, secret := range []string{"canary-password", "canary-document", "JVBERi0xLjcK", "%PDF-1.7"} {
			if bytes.Contains(kept, []byte(secret)) {
				t.Errorf("the ledger has %q", secret)
			}
		}
	})
}

// atRest is all that a ledger has written down, as bytes.
func atRest(t *testing.T, e engine, l config.Ledger) []byte {
	t.Helper()
	var all bytes.Buffer
	if e == sqlite {
		files, err := filepath.Glob(l.File + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(content)
		}
		return all.Bytes()
	}
	conn := pgtest.Connect(t, l.URL.Reveal())
	rows, err := conn.Query(t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 3 {
		t.Fatalf("the ledger has the tables %v: %v", tables, err)
	}
	for _, table := range tables {
		if _, err := conn.PgConn().CopyTo(t.Context(), &all, "COPY "+pgx.Identifier{table}.Sanitize()+" TO STDOUT (FORMAT binary)"); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}
