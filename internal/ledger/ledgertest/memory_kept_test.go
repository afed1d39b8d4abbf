package ledgertest

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portin/portin/internal/ledger"
)

// out is a record as a caller gets it.
func (m *memory) out(r ledger.Record) ledger.Record {
	if m.quirks["hands out its own"] {
		return r
	}
	return r.Clone()
}

// kept is a record as it is at rest.
func (m *memory) kept(r ledger.Record) ledger.Record {
	if !m.quirks["hands out its own"] {
		r = r.Clone()
	}
	for _, at := range []*time.Time{&r.Due, &r.Doubt.Since, &r.Doubt.Counted, &r.Created, &r.Updated, &r.Claimed, &r.Settled, &r.Checked, &r.Progressed, &r.Closed, &r.Erased} {
		*at = m.cut(*at)
	}
	for i := range r.Attention {
		a := &r.Attention[i]
		*a = ledger.Attention{Code: mend(m, a.Code), Description: mend(m, a.Description), Since: m.cut(a.Since)}
	}
	for i := range r.Looks {
		r.Looks[i] = mend(m, r.Looks[i])
	}
	for _, text := range []*string{
		&r.CarrierAccount, &r.Target, &r.CustomerReference, &r.Owner, &r.Reply, &r.Ticket, &r.Message, &r.ErrorID, &r.Problem, &r.Doubt.Finding, &r.PortDate,
	} {
		*text = mend(m, *text)
	}
	r.Reason, r.Status = mend(m, r.Reason), mend(m, r.Status)
	return r
}

func (m *memory) cut(at time.Time) time.Time {
	switch {
	case m.quirks["keeps nanoseconds"]:
		return at.UTC()
	case m.quirks["rounds times"]:
		return at.Round(time.Microsecond).UTC()
	case m.quirks["keeps time zones"]:
		return at.Truncate(time.Microsecond)
	}
	return at.Truncate(time.Microsecond).UTC()
}

// mend is a text that may be kept.
func mend[T ~string](m *memory, text T) T {
	switch {
	case m.quirks["takes any text"]:
		return text
	case m.quirks["trims text"]:
		return T(strings.TrimSpace(string(text)))
	case m.quirks["cuts text"] && len(text) > 10_000:
		return text[:10_000]
	case utf8.ValidString(string(text)) && !strings.ContainsRune(string(text), 0):
		return text
	}
	return T(strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "\uFFFD"))
}
