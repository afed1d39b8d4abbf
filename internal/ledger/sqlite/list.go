package sqlite

import (
	"context"
	"database/sql"

	"github.com/portin/portin/internal/ledger"
)

// few is what Store.few is, but in tests. Sorting so many costs less than the merge does, and where there are more, the merge
// meets one of them soon.
const few = 250

// List returns a page of orders, newest first, and whether there are more; see ledger.Store.
//
// A page costs what it holds, whatever the ledger holds, by every filter and by any of them together: a key, a ticket and a
// number lead to few orders, to which the other filters are held one by one, and a page of many orders is merged. Only what
// needs attention for a reason is looked for among all that needs attention, which is little.
func (s *Store) List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	w := wantedBy(q)
	if len(w.classes) == 0 {
		return nil, false, nil
	}
	err = s.reader.look(ctx, func(l *line) error {
		p, err := l.plan(ctx, w, s.few)
		if err != nil {
			return err
		}
		page, more, err = l.page(ctx, p, q)
		return err
	})
	if err != nil {
		return nil, false, doing("list orders", err)
	}
	return page, more, nil
}

// plan is a query in SQL.
type plan struct {
	query string
	args  []any
}

// plan chooses how a page is found: by the filter that leaves fewest orders to look at.
func (l *line) plan(ctx context.Context, w wanted, few int) (plan, error) {
	switch {
	case w.RequestID != "":
		return w.narrow(byKey)
	case w.Ticket != "":
		return w.narrow(byTicket)
	case w.History != "":
		return w.narrow(byHistory)
	case w.Number != "":
		return w.narrow(byNumber)
	case w.CustomerReference != "" && len(w.Attention) > 0:
		return l.windowed(ctx, w, findReferences, mergeReferenceReason)
	case w.CustomerReference != "":
		return l.windowed(ctx, w, findReferences, mergeReference)
	}
	if w.touched() {
		scarce, err := l.scarce(ctx, w, few)
		if err != nil {
			return plan{}, err
		}
		if scarce {
			return w.narrow(byUpdate)
		}
	}
	switch {
	case len(w.Attention) > 0:
		return w.merge(mergeReasons, w.streams())
	case !w.touched():
		return w.merge(mergeClasses, w.streams())
	case w.anyClass():
		return l.windowed(ctx, w, findLengths, mergeLengths)
	}
	return l.windowed(ctx, w, findSpans, mergeSpans)
}

// windowed merges a page from the lengths or spans that there are.
func (l *line) windowed(ctx context.Context, w wanted, find, query string) (plan, error) {
	spans, err := l.spans(ctx, w, find)
	if err != nil {
		return plan{}, err
	}
	return w.merge(query, w.windows(spans))
}

// page reads the page of a plan.
func (l *line) page(ctx context.Context, p plan, q ledger.Query) (page []ledger.Record, more bool, err error) {
	size := 0
	err = l.each(ctx, p.query, p.args, func(from row) error {
		if len(page) == q.Limit {
			more = true
			return errEnough
		}
		s, err := read(from)
		if err != nil {
			return err
		}
		size += len(s.record.Content) + len(s.record.Warnings)
		if len(page) > 0 && size > q.MaxBytes {
			more = true
			return errEnough
		}
		page = append(page, s.record)
		return nil
	})
	return page, more, err
}

// scarce reports whether few orders were changed in the range of a query.
func (l *line) scarce(ctx context.Context, w wanted, few int) (bool, error) {
	var one int
	many, err := l.one(ctx, fewUpdated, []any{w.Tenant, w.fromUpdated, w.beforeUpdated, few}, &one)
	return !many, err
}

// named are the arguments of a query by their names.
func named(values map[string]any) []any {
	args := make([]any, 0, len(values))
	for name, value := range values {
		args = append(args, sql.Named(name, value))
	}
	return args
}
