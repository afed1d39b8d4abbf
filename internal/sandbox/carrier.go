package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// BasePath is the path of the carrier's base URL: of a sandbox on host, the base
// URL is http://host/rest.svc.
const BasePath = "/rest.svc"

// Config sets a Carrier up. The zero value is ready to use.
type Config struct {
	// Username and Password are the credentials of the account that has all that
	// the control paths make. Each is "sandbox" when empty.
	Username, Password string
	// Accounts are further ones. What one has, the others do not see.
	Accounts []Account
	// Unknowns are the switches at the start and after Reset.
	Unknowns Unknowns
	// Now is the clock that Advance adds to. Nil is time.Now. Only status, dates
	// and visibility go by it; waits of outcomes take real time.
	Now func() time.Time
	// Seed makes ByNumberAny repeatable.
	Seed uint64
	// Delay is how long the outcome slow waits. Zero is 30 seconds.
	Delay time.Duration
	// DripInterval is the time between two bytes of the outcome drip. Zero is a
	// second.
	DripInterval time.Duration
	// HugeBytes is the unpacked size of the outcomes huge-body and gzip-bomb, in
	// whole MiB. Zero is 1 GiB.
	HugeBytes int64
	// HeaderBytes is the size of the header field of the outcome huge-header. Zero
	// is 10 MiB.
	HeaderBytes int
}

func (config Config) withDefaults() Config {
	setDefault(&config.Username, "sandbox")
	setDefault(&config.Password, "sandbox")
	setDefault(&config.Delay, 30*time.Second)
	setDefault(&config.DripInterval, time.Second)
	setDefault(&config.HugeBytes, 1<<30)
	setDefault(&config.HeaderBytes, 10<<20)
	if config.Now == nil {
		config.Now = time.Now
	}
	config.Unknowns = config.Unknowns.withDefaults()
	return config
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

var (
	_ http.Handler = (*Carrier)(nil)
	_ io.Closer    = (*Carrier)(nil)
)

// Carrier is a carrier as its clients see it. It is safe for concurrent use.
type Carrier struct {
	config     Config
	spec       *spec
	catalogue  *catalogue
	control    http.Handler
	run        string // part of every ticket id, so that a later process does not repeat them
	exceptions atomic.Int64

	closing context.Context //nolint:containedctx // the carrier's own life, which no call's context stands for; done once Close has been called
	close   context.CancelFunc

	mu        sync.Mutex
	ticketSeq int // goes on over Reset
	passwords map[string][sha256.Size]byte
	state
}

// state is what Reset puts back. Carrier.mu guards it.
type state struct {
	offset   time.Duration // of the clock
	unknowns Unknowns
	random   *rand.Rand
	script   []choice
	failing  map[Lookups][]Outcome
	tickets  tickets
	journal  *journal
}

func newState(config Config) state {
	return state{
		unknowns: config.Unknowns,
		random:   rand.New(rand.NewPCG(config.Seed, 0)), //nolint:gosec // chance, not secrecy
		failing:  make(map[Lookups][]Outcome),
		tickets:  newTickets(),
		journal:  newJournal(),
	}
}

// New makes a carrier. It fails on a Config that makes no sense; Close it when
// done.
func New(config Config) (*Carrier, error) {
	if err := errors.Join(config.Unknowns.Validate(), config.checkSizes()); err != nil {
		return nil, err
	}
	spec, err := loadSpec()
	if err != nil {
		return nil, err
	}
	config = config.withDefaults()
	c := &Carrier{
		config:    config,
		spec:      spec,
		catalogue: newCatalogue(),
		run:       config.Now().UTC().Format("20060102150405"),
		passwords: map[string][sha256.Size]byte{},
		state:     newState(config),
	}
	for _, a := range append([]Account{{Username: config.Username, Password: config.Password}}, config.Accounts...) {
		c.passwords[a.Username] = sha256.Sum256([]byte(a.Password))
	}
	c.closing, c.close = context.WithCancel(context.Background())
	c.control = newControl(c)
	return c, nil
}

func (config Config) checkSizes() error {
	if config.Delay < 0 || config.DripInterval < 0 || config.HugeBytes < 0 || config.HeaderBytes < 0 {
		return fmt.Errorf("sandbox: a delay, an interval or a size is negative")
	}
	return nil
}

// Close cuts every request that is under way, above all those that an outcome
// holds. Call it before closing the server, which waits for them. It is safe to
// call more than once; the error is always nil.
func (c *Carrier) Close() error {
	c.close()
	return nil
}

// ServeHTTP implements http.Handler: the carrier's API under BasePath, the
// control paths under /_sandbox/.
func (c *Carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	takeBack := c.endOnClose(w)
	defer takeBack()
	if path, ok := strings.CutPrefix(r.URL.EscapedPath(), BasePath); ok {
		c.serveAPI(w, r, path)
		return
	}
	c.control.ServeHTTP(w, r)
}

// endOnClose makes Close end the reads and writes of a request. The function that
// it returns takes that back.
func (c *Carrier) endOnClose(w http.ResponseWriter) func() bool {
	return context.AfterFunc(c.closing, func() {
		control := http.NewResponseController(w)
		past := time.Unix(1, 0)
		_ = control.SetReadDeadline(past) // a writer without deadlines, as in a unit test, does not block
		_ = control.SetWriteDeadline(past)
	})
}

// authentic names the account whose credentials a request has, comparing them in
// a time that tells nothing about the password.
func (c *Carrier) authentic(r *http.Request) (account string, ok bool) {
	username, password, _ := r.BasicAuth()
	have := sha256.Sum256([]byte(password))
	c.mu.Lock()
	want, known := c.passwords[username]
	c.mu.Unlock()
	return username, subtle.ConstantTimeCompare(want[:], have[:]) == 1 && known
}
