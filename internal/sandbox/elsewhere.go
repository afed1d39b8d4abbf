package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Elsewhere is an order that reached the carrier by another way than this API.
type Elsewhere struct {
	// Numbers are telephone numbers of ten digits, at least one.
	Numbers []int64 `json:"numbers"`
	// Scenario is the name of its scenario, "" for the default.
	Scenario string `json:"scenario"`
	// Account is the user name of the account that placed it, "" for the one that
	// has all that the control paths make.
	Account string `json:"account"`
	// Age is how long ago it was placed, a JSON string such as "72h".
	Age Duration `json:"age"`
}

// PlaceElsewhere makes a ticket without a POST and returns it.
func (c *Carrier) PlaceElsewhere(e Elsewhere) (Ticket, error) {
	scenario := scenarios()[0]
	if e.Scenario != "" {
		var ok bool
		if scenario, ok = scenarioNamed(e.Scenario); !ok {
			return Ticket{}, fmt.Errorf("sandbox: there is no scenario %q", e.Scenario)
		}
	}
	isNoNumber := func(n int64) bool { return !nanp(n) }
	if len(e.Numbers) == 0 || slices.ContainsFunc(e.Numbers, isNoNumber) || e.Age < 0 {
		return Ticket{}, errors.New("sandbox: an order placed elsewhere needs numbers of ten digits and an age that is not negative")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.newTicket(scenario)
	t.opened = t.opened.Add(-time.Duration(e.Age))
	t.numbers, t.owner = slices.Clone(e.Numbers), cmp.Or(e.Account, c.config.Username)
	t.account, t.endUser = "ELSEWHERE", "Placed elsewhere"
	c.tickets.add(t)
	return t.snapshot(c.now()), nil
}

// Duration is a time.Duration that JSON writes as Go does: "1h30m".
type Duration time.Duration

// UnmarshalJSON reads a string that time.ParseDuration takes.
func (d *Duration) UnmarshalJSON(text []byte) error {
	var written string
	if err := json.Unmarshal(text, &written); err != nil {
		return errors.New(`sandbox: a duration is a string such as "48h"`)
	}
	parsed, err := time.ParseDuration(written)
	*d = Duration(parsed)
	return err
}

// MarshalJSON writes what UnmarshalJSON reads.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}
