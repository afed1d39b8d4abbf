package sqlite

import (
	"testing"
)

func TestPlanDump(t *testing.T) {
	s := newBulk(t, 10)
	for name, q := range map[string]string{"byKey": byKey, "byTicket": byTicket, "byNumber": byNumber, "byUpdate": byUpdate, "mergeClasses": mergeClasses, "mergeReference": mergeReference, "mergeSpans": mergeTouched, "findSpans": referenceSpans, "few": fewUpdated} {
		l := s.writer.line
		_ = l.connect(t.Context())
		t.Log(name)
		err := l.each(t.Context(), "EXPLAIN QUERY PLAN "+q, append(named(map[string]any{
			"tenant": "default", "created": 1, "order_id": "", "from_created": 1,
			"from_updated": 1, "before_updated": 2, "request_id": "", "ticket": "",
			"reference": "", "number": "", "classes": "[]", "streams": "[]", "limit": 1,
		}), 1, 1, 1, 1), func(r row) error {
			var a, b, c int
			var d string
			err := r.Scan(&a, &b, &c, &d)
			t.Log("    ", d)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
