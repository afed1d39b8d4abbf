package sqlite

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// clean is a record as it comes back from the disk: its texts are text, its times are cut to microseconds in UTC, and what is
// empty is nil. It shares nothing with r but bytes.
func clean(r ledger.Record) ledger.Record {
	r = r.Clone()
	for _, s := range []*string{
		&r.OrderID, &r.Tenant, &r.RequestID, &r.CarrierAccount, &r.Target, &r.CustomerReference, &r.Owner,
		&r.History, &r.Predecessor, &r.Successor,
		&r.Reply, &r.Ticket, &r.Message, &r.ErrorID, &r.Problem, &r.Doubt.Finding, &r.PortDate,
	} {
		*s = text(*s)
	}
	r.Reason, r.Status = fault.Reason(text(string(r.Reason))), order.Status(text(string(r.Status)))
	for _, t := range []*time.Time{
		&r.Due, &r.Doubt.Since, &r.Doubt.Counted, &r.Created, &r.Updated, &r.Claimed, &r.Settled, &r.Checked, &r.Progressed, &r.Closed, &r.Erased,
	} {
		*t = cut(*t)
	}
	for i := range r.Numbers {
		r.Numbers[i] = text(r.Numbers[i])
	}
	for i := range r.Kept {
		r.Kept[i] = text(r.Kept[i])
	}
	for i := range r.Looks {
		r.Looks[i] = text(r.Looks[i])
	}
	for i, a := range r.Attention {
		r.Attention[i] = ledger.Attention{
			Code: ledger.AttentionCode(text(string(a.Code))), Description: text(a.Description), Since: cut(a.Since),
		}
	}
	r.Numbers, r.Looks, r.Attention = orNil(r.Numbers), orNil(r.Looks), orNil(r.Attention)
	r.Content, r.Warnings, r.Rejects = orNil(r.Content), orNil(r.Warnings), orNil(r.Rejects)
	r.Kept = orNil(r.Kept)
	r.History = cmp.Or(r.History, r.OrderID)
	return r
}

// text is what is kept of a text: what is not UTF-8, and NUL, becomes U+FFFD.
func text(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// cut is what is kept of a time.
func cut(t time.Time) time.Time { return moment(micros(t)) }

// orNil is no list in the place of an empty one, without room for what somebody might append.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clip(list)
}
