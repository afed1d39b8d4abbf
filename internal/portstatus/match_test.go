package portstatus_test

import (
	"testing"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

const (
	first  = "+14165550123"
	second = "+14165550124"
	third  = "+14165550125"
	// digits is first as the carrier writes it; second and third are the next ones.
	digits = 4165550123
)

func TestWhoseNumbers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order             []string
		status            []int64
		same, contradicts bool
	}{
		"the same":                   {[]string{first, second}, []int64{digits, digits + 1}, true, false},
		"in another order":           {[]string{second, first}, []int64{digits, digits + 1}, true, false},
		"the carrier repeats one":    {[]string{first, second}, []int64{digits, digits + 1, digits}, true, false},
		"the order repeats one":      {[]string{first, second, first}, []int64{digits, digits + 1}, true, false},
		"a part":                     {[]string{first, second}, []int64{digits}, false, false},
		"a part, repeated":           {[]string{first, second}, []int64{digits, digits}, false, false},
		"one more":                   {[]string{first}, []int64{digits, digits + 1}, false, true},
		"one of two is another":      {[]string{first, second}, []int64{digits, digits + 2}, false, true},
		"others":                     {[]string{first}, []int64{digits + 1}, false, true},
		"the carrier names none":     {[]string{first}, nil, false, false},
		"the order's are not known":  {nil, []int64{digits}, false, false},
		"neither has any":            {nil, nil, false, false},
		"the last digit is not read": {[]string{third}, []int64{digits + 3}, false, true},
	} {
		r, s := ledger.Record{Numbers: c.order}, carrier.Status{Numbers: c.status}
		was := append([]string{}, c.order...)
		if got := portstatus.SameNumbers(r, s); got != c.same {
			t.Errorf("%s: SameNumbers is %v", name, got)
		}
		if got := portstatus.Contradicts(r, s); got != c.contradicts {
			t.Errorf("%s: Contradicts is %v", name, got)
		}
		for i, n := range was {
			if r.Numbers[i] != n {
				t.Errorf("%s: the order's numbers were moved", name)
			}
		}
	}
}

// Of a port-in that was placed elsewhere the service knows no more numbers than the carrier has named, or the one by which it was
// found: it may have more, but not only others.
func TestAPortInFromElsewhereMayHaveMoreNumbers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order  []string
		status []int64
		want   bool
	}{
		"the same":                  {[]string{first, second}, []int64{digits, digits + 1}, false},
		"a part":                    {[]string{first, second}, []int64{digits + 1}, false},
		"more":                      {[]string{first}, []int64{digits - 1, digits, digits + 1}, false},
		"others":                    {[]string{first}, []int64{digits + 1, digits + 2}, true},
		"the carrier names none":    {[]string{first}, nil, false},
		"the order's are not known": {nil, []int64{digits}, false},
	} {
		if got := portstatus.Contradicts(ledger.Record{Elsewhere: true, Numbers: c.order}, carrier.Status{Numbers: c.status}); got != c.want {
			t.Errorf("%s: Contradicts is %v", name, got)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *ledger.Record, s *carrier.Status)
		want   bool
	}{
		"all is certain":              {func(*ledger.Record, *carrier.Status) {}, true},
		"a look failed":               {func(r *ledger.Record, _ *carrier.Status) { r.LookFailed = true }, false},
		"a look saw this ticket":      {func(r *ledger.Record, _ *carrier.Status) { r.Looks = []string{"T-1"} }, false},
		"a look saw another ticket":   {func(r *ledger.Record, _ *carrier.Status) { r.Looks = []string{"T-0"} }, false},
		"no ticket":                   {func(_ *ledger.Record, s *carrier.Status) { s.Ticket = "" }, false},
		"other numbers":               {func(_ *ledger.Record, s *carrier.Status) { s.Numbers = []int64{digits, digits + 2} }, false},
		"a part of the numbers":       {func(_ *ledger.Record, s *carrier.Status) { s.Numbers = []int64{digits} }, false},
		"no numbers":                  {func(_ *ledger.Record, s *carrier.Status) { s.Numbers = nil }, false},
		"completed":                   {func(_ *ledger.Record, s *carrier.Status) { s.Word = "COMPLETED" }, false},
		"cancelled":                   {func(_ *ledger.Record, s *carrier.Status) { s.Word = "CANCELLED" }, false},
		"rejected":                    {func(_ *ledger.Record, s *carrier.Status) { s.Word = "REJECTED" }, true},
		"a word that nobody knows":    {func(_ *ledger.Record, s *carrier.Status) { s.Word = "TELEPORTED" }, true},
		"the order has another one":   {func(r *ledger.Record, _ *carrier.Status) { r.Ticket = "MASK-1" }, true},
		"numbers come in other order": {func(_ *ledger.Record, s *carrier.Status) { s.Numbers = []int64{digits + 1, digits} }, true},
	} {
		r := ledger.Record{Numbers: []string{first, second}}
		s := carrier.Status{Ticket: "T-1", Word: "PENDING", Numbers: []int64{digits, digits + 1}}
		c.change(&r, &s)
		if got := portstatus.Matches(r, s); got != c.want {
			t.Errorf("%s: Matches is %v", name, got)
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	closed := map[order.Status]bool{
		order.StatusCompleted: true, order.StatusCancelled: true, order.StatusFullCancellation: true, order.StatusExpired: true,
	}
	for _, word := range append(order.Statuses(), "", "TELEPORTED", "completed") {
		for _, disputing := range []*bool{nil, new(false), new(true)} {
			if got := portstatus.Closed(carrier.Status{Word: string(word), Disputing: disputing}); got != closed[word] {
				t.Errorf("Closed of %q is %v", word, got)
			}
		}
	}
}
