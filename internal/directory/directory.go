// Package directory knows what an order may refer to: the carrier's lists of trunks, offerings, plans, providers,
// business groups, holidays and rate centres, each kept for a few minutes.
//
// It promises that the carrier is asked for a list by one call at a time however many callers wait, that a caller who
// leaves takes nobody's answer away, and that a carrier which cannot be asked never blocks an order. It refuses to know
// orders: what they refer to comes as references from product.
package directory

import (
	"context"
	"time"

	"github.com/portin/portin/internal/carrier"
)

// Lists is what the directory reads from the carrier.
type Lists interface {
	Trunks(context.Context) ([]carrier.Trunk, error)
	Offerings(context.Context) ([]carrier.Offering, error)
	Providers(context.Context) ([]carrier.Provider, error)
	BusinessGroups(context.Context) ([]carrier.BusinessGroup, error)
	Plans(context.Context, carrier.PlanKind) ([]carrier.Plan, error)
	Holidays(context.Context) ([]carrier.Holiday, error)
	RateCenters(context.Context) ([]carrier.RateCenter, error)
}

// Carrier is what the directory needs of the carrier's client.
type Carrier interface {
	Lists
	// CheckPortability asks about six to ten digits.
	CheckPortability(ctx context.Context, digits string) (carrier.Portability, error)
}

// Config is what an operator decides about the directory. A zero or less means the default that the comment names.
type Config struct {
	// TTL is how long a list is kept. Default 5 min.
	TTL time.Duration
	// NegativeTTL is how long a list that could not be read is not asked for again. Default 5 s.
	NegativeTTL time.Duration
	// MissInterval is how old a list must be to be read again because an order refers to something that is not in it: so
	// often, at most, can wrong orders make the carrier answer. Default 10 s.
	MissInterval time.Duration
	// LookupTimeout bounds Check and Closed, which orders wait for. Default 3 s.
	LookupTimeout time.Duration
	// Checks is how many numbers the carrier is asked about at a time. Default 8.
	Checks int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Observer is told how lists are had; nil is nobody.
	Observer Observer
}

const (
	defaultTTL           = 5 * time.Minute
	defaultNegativeTTL   = 5 * time.Second
	defaultMissInterval  = 10 * time.Second
	defaultLookupTimeout = 3 * time.Second
	defaultChecks        = 8
)

func (c Config) withDefaults() Config {
	c.TTL = positive(c.TTL, defaultTTL)
	c.NegativeTTL = positive(c.NegativeTTL, defaultNegativeTTL)
	c.MissInterval = positive(c.MissInterval, defaultMissInterval)
	c.LookupTimeout = positive(c.LookupTimeout, defaultLookupTimeout)
	c.Checks = positive(c.Checks, defaultChecks)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return c
}

func positive[T ~int | ~int64](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}

// Directory answers from the carrier's lists. Build it with New; its methods are safe for concurrent use, and what they
// return is the caller's.
type Directory struct {
	config  Config
	carrier Carrier
	// asking has room for the numbers that the carrier is being asked about.
	asking chan struct{}

	trunks    *list[carrier.Trunk]
	offerings *list[carrier.Offering]
	providers *list[carrier.Provider]
	groups    *list[carrier.BusinessGroup]
	plans     map[carrier.PlanKind]*list[carrier.Plan]
	holidays  *list[carrier.Holiday]
	centers   *list[carrier.RateCenter]
}

// New returns a directory that asks through c. It asks for nothing before somebody wants to know.
func New(c Carrier, config Config) *Directory {
	config = config.withDefaults()
	d := &Directory{
		config:    config,
		carrier:   c,
		asking:    make(chan struct{}, config.Checks),
		trunks:    newList(config, ListTrunks, c.Trunks),
		offerings: newList(config, ListOfferings, c.Offerings),
		providers: newList(config, ListProviders, c.Providers),
		groups:    newList(config, ListBusinessGroups, c.BusinessGroups),
		plans:     make(map[carrier.PlanKind]*list[carrier.Plan], len(planKinds)),
		holidays:  newList(config, ListHolidays, c.Holidays),
		centers:   newList(config, ListRateCenters, c.RateCenters),
	}
	for _, kind := range planKinds {
		d.plans[kind.of] = newList(config, kind.list, func(ctx context.Context) ([]carrier.Plan, error) { return c.Plans(ctx, kind.of) })
	}
	return d
}
