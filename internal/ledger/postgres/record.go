package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// The columns of an order: what its first claim fixes, and what changes. fixedValues, changingValues and scan have the same
// order.
const (
	fixedColumns = `order_id, tenant, request_id, carrier_account, target, customer_reference, content, numbers, created,
		elsewhere, history, predecessor`

	changingColumns = `warnings, state, standing, needs_attention, attempt, owner, lease, due, fence, looks, look_failed,
		reply, ticket, message, error_id, reason, problem, retry_after,
		doubt_since, doubt_asked, doubt_finding, doubt_agreed, doubt_counted, attention,
		status, disputing, port_date, updated, claimed, settled, successor, validated, rejects, checked, progressed, kept, guards, closed, erased, followed`

	recordColumns = fixedColumns + ", " + changingColumns
)

func fixedValues(r ledger.Record) []any {
	return []any{
		r.OrderID, r.Tenant, key(r), r.CarrierAccount, r.Target, r.CustomerReference, some(r.Content), some(r.Numbers),
		micros(r.Created), r.Elsewhere, r.History, r.Predecessor,
	}
}

func changingValues(r ledger.Record) ([]any, error) {
	attention, err := packed(r.Attention)
	return []any{
		some(r.Warnings), int16(r.State), int16(r.Standing()), len(r.Attention) > 0, r.Attempt, r.Owner, int64(r.Lease),
		micros(r.Due), r.Fence, some(r.Looks), r.LookFailed,
		r.Reply, r.Ticket, r.Message, r.ErrorID, string(r.Reason), r.Problem, int64(r.RetryAfter),
		micros(r.Doubt.Since), r.Doubt.Asked, r.Doubt.Finding, r.Doubt.Agreed, micros(r.Doubt.Counted), attention,
		string(r.Status), r.Disputing, r.PortDate, micros(r.Updated), micros(r.Claimed), micros(r.Settled),
		r.Successor, r.Validated, some(r.Rejects), micros(r.Checked), micros(r.Progressed), some(r.Kept), r.Guards, micros(r.Closed), micros(r.Erased),
		r.State == order.Accepted,
	}, err
}

// placedElsewhere stands before the request_id of an order that is only followed. No key begins so.
const placedElsewhere = "elsewhere "

// key is a record's request_id at rest.
func key(r ledger.Record) string {
	if r.Elsewhere {
		return placedElsewhere + r.RequestID
	}
	return r.RequestID
}

// scan reads what before names, and then a record by its columns.
func scan(row pgx.CollectableRow, before ...any) (ledger.Record, error) {
	var r ledger.Record
	var created, due, since, counted, updated, claimed, settled, checked, progressed, closed, erased, lease, retryAfter int64
	var state, standing int16
	var needsAttention, followed bool
	var attention string
	err := row.Scan(append(before,
		&r.OrderID, &r.Tenant, &r.RequestID, &r.CarrierAccount, &r.Target, &r.CustomerReference, &r.Content, &r.Numbers, &created,
		&r.Elsewhere, &r.History, &r.Predecessor,
		&r.Warnings, &state, &standing, &needsAttention, &r.Attempt, &r.Owner, &lease, &due, &r.Fence, &r.Looks, &r.LookFailed,
		&r.Reply, &r.Ticket, &r.Message, &r.ErrorID, &r.Reason, &r.Problem, &retryAfter,
		&since, &r.Doubt.Asked, &r.Doubt.Finding, &r.Doubt.Agreed, &counted, &attention,
		&r.Status, &r.Disputing, &r.PortDate, &updated, &claimed, &settled,
		&r.Successor, &r.Validated, &r.Rejects, &checked, &progressed, &r.Kept, &r.Guards, &closed, &erased, &followed)...)
	if err != nil {
		return ledger.Record{}, err
	}
	r.State = order.State(state)
	r.Lease, r.RetryAfter = time.Duration(lease), time.Duration(retryAfter)
	r.Created, r.Updated, r.Claimed, r.Settled = moment(created), moment(updated), moment(claimed), moment(settled)
	r.Checked, r.Progressed, r.Closed, r.Erased = moment(checked), moment(progressed), moment(closed), moment(erased)
	r.Due, r.Doubt.Since, r.Doubt.Counted = moment(due), moment(since), moment(counted)
	r.Content, r.Warnings, r.Numbers, r.Looks = none(r.Content), none(r.Warnings), none(r.Numbers), none(r.Looks)
	r.Rejects, r.Kept, r.History = none(r.Rejects), none(r.Kept), cmp.Or(r.History, r.OrderID)
	if r.Elsewhere {
		r.RequestID = strings.TrimPrefix(r.RequestID, placedElsewhere)
	}
	r.Attention, err = unpacked(attention)
	return r, err
}

// record is scan for a query that answers records alone.
func record(row pgx.CollectableRow) (ledger.Record, error) { return scan(row) }

// querier is a connection, or a transaction on one.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// one is the order that a condition finds, or ledger.ErrNotFound as an answer.
func one(ctx context.Context, q querier, where string, args ...any) (ledger.Record, error) {
	rows, err := q.Query(ctx, "SELECT "+recordColumns+" FROM orders WHERE "+where, args...)
	if err != nil {
		return ledger.Record{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, record)
	if errors.Is(err, pgx.ErrNoRows) {
		return ledger.Record{}, refuse(ledger.ErrNotFound)
	}
	return r, err
}

// atRest is a record as it will come back: its texts such that PostgreSQL takes them, its times cut, its lists its own, and
// no list where there is an empty one.
func atRest(r ledger.Record) ledger.Record {
	r.OrderID, r.Tenant, r.RequestID, r.CarrierAccount = clean(r.OrderID), clean(r.Tenant), clean(r.RequestID), clean(r.CarrierAccount)
	r.Target, r.CustomerReference, r.Owner = clean(r.Target), clean(r.CustomerReference), clean(r.Owner)
	r.Reply, r.Ticket, r.Message, r.ErrorID = clean(r.Reply), clean(r.Ticket), clean(r.Message), clean(r.ErrorID)
	r.Reason, r.Problem, r.Doubt.Finding = clean(r.Reason), clean(r.Problem), clean(r.Doubt.Finding)
	r.Status, r.PortDate = clean(r.Status), clean(r.PortDate)
	r.History, r.Predecessor, r.Successor = cmp.Or(clean(r.History), r.OrderID), clean(r.Predecessor), clean(r.Successor)
	r.Content, r.Warnings, r.Numbers, r.Looks = none(r.Content), none(r.Warnings), cleanAll(r.Numbers), cleanAll(r.Looks)
	r.Kept = cleanAll(r.Kept)
	r.Rejects = none(r.Rejects)
	for _, t := range []*time.Time{
		&r.Created, &r.Updated, &r.Claimed, &r.Settled, &r.Checked, &r.Progressed, &r.Closed, &r.Erased, &r.Due, &r.Doubt.Since, &r.Doubt.Counted,
	} {
		*t = moment(micros(*t))
	}
	attention := r.Attention
	r.Attention = nil
	for _, a := range attention {
		a = ledger.Attention{Code: clean(a.Code), Description: clean(a.Description), Since: moment(micros(a.Since))}
		r.Attention = append(r.Attention, a)
	}
	return r
}

// some is a list that is not nil: nil would be written as NULL.
func some[S ~[]E, E any](list S) S {
	if list == nil {
		return S{}
	}
	return list
}

// none is a list that is nil when it is empty.
func none[S ~[]E, E any](list S) S {
	if len(list) == 0 {
		return nil
	}
	return list
}

// sorted are an order's numbers, each once, in the order in which every transaction locks numbers.
func sorted(numbers []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(numbers)))
}

// packedAttention is a reason for attention at rest. Its names are part of the schema.
type packedAttention struct {
	Code        ledger.AttentionCode `json:"code"`
	Description string               `json:"description"`
	Since       int64                `json:"since"`
}

func packed(list []ledger.Attention) (string, error) {
	all := make([]packedAttention, 0, len(list))
	for _, a := range list {
		all = append(all, packedAttention{a.Code, a.Description, micros(a.Since)})
	}
	text, err := json.Marshal(all)
	return string(text), err
}

func unpacked(text string) ([]ledger.Attention, error) {
	var all []packedAttention
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, err
	}
	var list []ledger.Attention
	for _, a := range all {
		list = append(list, ledger.Attention{Code: a.Code, Description: a.Description, Since: moment(a.Since)})
	}
	return list, nil
}
