package sqlite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// stored is an order as the columns have it.
type stored struct {
	serial int64
	record ledger.Record

	numbers, looks, attention, history, kept                          string
	state, needsAttention, class, length, span, lookFailed, disputing int64
	lease, retryAfter, attempt, asked, agreed                         int64
	reason, status                                                    string
	created, claimed, settled, updated, due, since, counted           int64
	elsewhere, validated, checked, progressed, guards, closed, erased int64
}

// places are where a row goes; its columns are selected.
func (s *stored) places() []any {
	r := &s.record
	return []any{
		&s.serial, &r.Content, &s.numbers,
		&r.OrderID, &r.Tenant, &r.RequestID, &r.CarrierAccount, &r.Target, &r.CustomerReference, &s.created,
		&s.elsewhere, &s.history, &r.Predecessor,
		&s.attempt, &r.Owner, &s.lease, &r.Fence, &r.Warnings, &s.looks, &s.lookFailed, &r.Reply, &r.Message, &r.ErrorID, &s.reason,
		&r.Problem, &s.retryAfter, &s.since, &s.asked, &r.Doubt.Finding, &s.agreed, &s.counted, &s.attention,
		&s.status, &s.disputing, &r.PortDate, &s.claimed, &s.settled, &r.Successor, &s.validated, &r.Rejects, &s.checked, &s.progressed,
		&s.kept, &s.guards, &s.closed,
		&s.state, &s.needsAttention, &s.class, &s.length, &s.span, &s.due, &r.Ticket, &s.updated, &s.erased,
	}
}

// read reads an order from a row.
func read(from row) (stored, error) {
	var s stored
	if err := from.Scan(s.places()...); err != nil {
		return stored{}, err
	}
	r := &s.record
	r.State, r.Attempt, r.LookFailed = order.State(s.state), int(s.attempt), s.lookFailed != 0
	r.Lease, r.RetryAfter = time.Duration(s.lease), time.Duration(s.retryAfter)
	r.Reason, r.Status, r.Disputing = fault.Reason(s.reason), order.Status(s.status), s.disputing != 0
	r.Doubt.Since, r.Doubt.Asked, r.Doubt.Agreed, r.Doubt.Counted = moment(s.since), int(s.asked), int(s.agreed), moment(s.counted)
	r.Created, r.Claimed, r.Settled = moment(s.created), moment(s.claimed), moment(s.settled)
	r.Updated, r.Due, r.Checked, r.Progressed = moment(s.updated), moment(s.due), moment(s.checked), moment(s.progressed)
	r.Closed, r.Erased = moment(s.closed), moment(s.erased)
	r.Elsewhere, r.Validated, r.Guards, r.History = s.elsewhere != 0, s.validated != 0, s.guards != 0, cmp.Or(s.history, r.OrderID)
	if err := s.readLists(); err != nil {
		return stored{}, fmt.Errorf("read order %s: %w", r.OrderID, err)
	}
	return s, nil
}

// noList is a list with nothing in it.
const noList = "[]"

// reasonForAttention is a ledger.Attention at rest.
type reasonForAttention struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Since       int64  `json:"since"`
}

func (s *stored) readLists() error {
	r := &s.record
	for text, list := range map[*string]*[]string{&s.numbers: &r.Numbers, &s.looks: &r.Looks, &s.kept: &r.Kept} {
		if *text == noList {
			continue
		}
		if err := json.Unmarshal([]byte(*text), list); err != nil {
			return err
		}
	}
	if s.attention == noList {
		return nil
	}
	var reasons []reasonForAttention
	if err := json.Unmarshal([]byte(s.attention), &reasons); err != nil {
		return err
	}
	for _, a := range reasons {
		r.Attention = append(r.Attention, ledger.Attention{
			Code: ledger.AttentionCode(a.Code), Description: a.Description, Since: moment(a.Since),
		})
	}
	return nil
}

// store makes the columns of a record that is clean.
func store(serial int64, r ledger.Record) (stored, error) {
	s := stored{
		serial: serial, record: r,
		state: int64(r.State), needsAttention: number(len(r.Attention) > 0), class: int64(classOf(r)), length: int64(lengthOf(r)), span: int64(spanOf(r)),
		lookFailed: number(r.LookFailed), disputing: number(r.Disputing),
		lease: int64(r.Lease), retryAfter: int64(r.RetryAfter),
		attempt: int64(r.Attempt), asked: int64(r.Doubt.Asked), agreed: int64(r.Doubt.Agreed),
		reason: string(r.Reason), status: string(r.Status),
		created: micros(r.Created), claimed: micros(r.Claimed), settled: micros(r.Settled), updated: micros(r.Updated), due: micros(r.Due),
		since: micros(r.Doubt.Since), counted: micros(r.Doubt.Counted),
		elsewhere: number(r.Elsewhere), validated: number(r.Validated), checked: micros(r.Checked), progressed: micros(r.Progressed),
		guards: number(r.Guards), closed: micros(r.Closed), erased: micros(r.Erased),
	}
	// Most orders correct none: an empty history is their own, and no index has it.
	if r.History != r.OrderID {
		s.history = r.History
	}
	reasons := make([]reasonForAttention, 0, len(r.Attention))
	for _, a := range r.Attention {
		reasons = append(reasons, reasonForAttention{string(a.Code), a.Description, micros(a.Since)})
	}
	var err error
	if s.attention, err = list(reasons); err != nil {
		return stored{}, err
	}
	if s.looks, err = list(r.Looks); err != nil {
		return stored{}, err
	}
	if s.kept, err = list(r.Kept); err != nil {
		return stored{}, err
	}
	s.numbers, err = list(r.Numbers)
	return s, err
}

// list is a list as JSON.
func list[T any](values []T) (string, error) {
	if len(values) == 0 {
		return noList, nil
	}
	text, err := json.Marshal(values)
	return string(text), err
}

// values are the values of the columns.
func (s *stored) values() []any {
	return append(append(s.fixed(), s.plain()...), s.indexed()...)
}

func (s *stored) fixed() []any {
	r := &s.record
	return []any{
		r.OrderID, r.Tenant, r.RequestID, r.CarrierAccount, r.Target, r.CustomerReference, s.created, s.elsewhere, s.history, r.Predecessor,
	}
}

func (s *stored) plain() []any {
	r := &s.record
	return []any{
		s.attempt, r.Owner, s.lease, r.Fence, r.Warnings, s.looks, s.lookFailed, r.Reply, r.Message, r.ErrorID, s.reason, r.Problem,
		s.retryAfter, s.since, s.asked, r.Doubt.Finding, s.agreed, s.counted, s.attention, s.status, s.disputing,
		r.PortDate, s.claimed, s.settled, r.Successor, s.validated, r.Rejects, s.checked, s.progressed,
		s.kept, s.guards, s.closed,
	}
}

func (s *stored) indexed() []any {
	return []any{s.state, s.needsAttention, s.class, s.length, s.span, s.due, s.record.Ticket, s.updated, s.erased}
}

// number is a truth as SQLite has it.
func number(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// second is a second in microseconds.
const second = 1_000_000

// micros is a time as SQLite has it; moment makes it a time again.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
