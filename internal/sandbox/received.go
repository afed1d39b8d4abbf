package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// The bounds of what is remembered, and of what is read at all.
const (
	maxReceived  = 1000     // requests
	maxBodies    = 64 << 20 // bytes of their bodies in total
	maxBody      = 40 << 20 // bytes of one body; a longer one is answered with 413
	maxDiscarded = 64 << 20 // bytes of a longer one that are read and thrown away
)

// Received is one request that reached the carrier, whatever came of it.
type Received struct {
	Seq    int       `json:"seq"` // 1, 2, 3… since Reset
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"` // as it came, with BasePath and without the query
	// Account is the user name that it came with, whatever the password.
	Account string `json:"account"`
	// Header has no Authorization, Proxy-Authorization or Cookie.
	Header http.Header `json:"header"`
	// Body is what was read of the body, with the passwords and documents that an
	// order has. It is nil when BodyDropped says that newer ones took its place.
	Body        []byte `json:"-"`
	BodySize    int    `json:"body_size"`
	BodyDropped bool   `json:"body_dropped,omitempty"`
	// Numbers are those that an order asks to port, as far as they could be read.
	Numbers []int64 `json:"numbers,omitempty"`
	// Outcome is the name of the outcome that an order or a failing look-up met,
	// or one of OutcomeAnswered, OutcomeRefused, OutcomeUnauthorized,
	// OutcomeUnrouted, OutcomeTooLarge and OutcomeUnread.
	Outcome string `json:"outcome"`
	// Refusal is the Message of the Exception of OutcomeRefused.
	Refusal string `json:"refusal,omitempty"`
	// Ticket is the id of the ticket that the order made, "" for none.
	Ticket string `json:"ticket,omitempty"`

	isOrder bool
	journal *journal // that it stands in; Reset leaves it behind
}

// What Received.Outcome says of a request that met no outcome of the table.
const (
	OutcomeAnswered     = "answered"     // a look-up, answered truly
	OutcomeRefused      = "refused"      // a body that the schema or a rule refuses: 400 or 415
	OutcomeUnauthorized = "unauthorized" // wrong credentials: 401
	OutcomeUnrouted     = "unrouted"     // no such path or method: 404 or 405
	OutcomeTooLarge     = "too-large"    // 413
	OutcomeUnread       = "unread"       // still being read, or the client left in the middle
)

// Counts says how many order POSTs came, refused and unauthorized ones too. The
// counts go on when old requests are forgotten, until Reset.
type Counts struct {
	Orders   int            `json:"orders"`
	ByPath   map[string]int `json:"by_path"`   // by the operation's path, without BasePath
	ByNumber map[int64]int  `json:"by_number"` // by each number to port, once an order
	Tickets  int            `json:"tickets"`
}

// journal remembers requests. Its owner serialises access.
type journal struct {
	seq       int
	entries   []*Received
	bodyBytes int
	counts    Counts
	settled   int           // order POSTs whose outcome is known
	more      chan struct{} // closed and renewed by wake
}

func newJournal() *journal {
	return &journal{
		counts: Counts{ByPath: map[string]int{}, ByNumber: map[int64]int{}},
		more:   make(chan struct{}),
	}
}

// open notes a request on its arrival; op is nil when it has no operation.
func (j *journal) open(r *http.Request, op *operation, account string, now time.Time) *Received {
	j.seq++
	header := r.Header.Clone()
	for _, secret := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		header.Del(secret)
	}
	entry := &Received{
		Seq: j.seq, At: now, Method: r.Method, Path: r.URL.EscapedPath(), Account: account, Header: header,
		Outcome: OutcomeUnread, journal: j,
	}
	j.entries = append(j.entries, entry)
	if len(j.entries) > maxReceived {
		j.bodyBytes -= len(j.entries[0].Body)
		j.entries = slices.Delete(j.entries, 0, 1)
	}
	if op != nil && op.order != nil {
		entry.isOrder = true
		j.counts.Orders++
		j.counts.ByPath[op.path]++
	}
	return entry
}

// settle notes what came of a request and wakes those who wait for orders.
func (j *journal) settle(entry *Received, body []byte, outcome string) {
	entry.Outcome = outcome
	j.keep(entry, body)
	if entry.isOrder {
		j.settled++
		j.wake()
	}
}

// wake lets those who wait look again.
func (j *journal) wake() {
	close(j.more)
	j.more = make(chan struct{})
}

// keep adds the body to an entry, and drops the oldest bodies beyond the bound.
func (j *journal) keep(entry *Received, body []byte) {
	entry.BodySize = len(body)
	if entry.Seq <= j.seq-maxReceived {
		return // forgotten before it was read
	}
	entry.Body = body
	j.bodyBytes += len(body)
	for _, old := range j.entries {
		if j.bodyBytes <= maxBodies {
			return
		}
		if len(old.Body) > 0 {
			j.bodyBytes -= len(old.Body)
			old.Body, old.BodyDropped = nil, true
		}
	}
}

// countNumbers notes the numbers of an order, legal or not: a second POST that is
// refused was a second POST. value is the decoded body, nil when there is none.
func (j *journal) countNumbers(entry *Received, value any) {
	members, _ := value.(map[string]any)
	counted := map[int64]bool{0: true} // 0 stands for what is not an integer
	for _, n := range object(members).object("PortForm").integers("NumbersToPort") {
		if counted[n] {
			continue
		}
		counted[n] = true
		entry.Numbers = append(entry.Numbers, n)
		j.counts.ByNumber[n]++
	}
}

// list copies the entries, the most recent last.
func (j *journal) list() []Received {
	list := make([]Received, len(j.entries))
	for i, entry := range j.entries {
		list[i] = *entry
		list[i].Header = entry.Header.Clone()
		list[i].Numbers = slices.Clone(entry.Numbers)
	}
	return list
}

// clone is a copy that later requests do not change.
func (c Counts) clone() Counts {
	c.ByPath, c.ByNumber = maps.Clone(c.ByPath), maps.Clone(c.ByNumber)
	return c
}
