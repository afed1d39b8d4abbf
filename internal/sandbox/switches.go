package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// unknownSwitch is one field of Unknowns as the command line, the control path
// and the documentation see it.
type unknownSwitch struct {
	key, asks string
	positions []position // the default first
	get       func(Unknowns) string
	set       func(*Unknowns, string) error
}

type position struct{ value, says string }

// switches are the fields of Unknowns: the one table that parses, checks,
// defaults and documents them.
var switches = []unknownSwitch{
	choiceSwitch("ticket_id", "is TicketMask the ticket id of the status?",
		func(u *Unknowns) *TicketID { return &u.TicketID },
		position{"same", "they are equal"},
		position{"alias", "they differ, a status can be asked for by both"},
		position{"other", "they differ, the TicketMask finds no status"}),
	choiceSwitch("deferred", "has a Deferred or Conditional reply a ticket?",
		func(u *Unknowns) *DeferredTicket { return &u.Deferred },
		position{"ticket", "yes, TicketMask names it"},
		position{"empty", "yes, but TicketMask is empty"},
		position{"missing", "yes, but TicketMask is left out"},
		position{"never", "no, and TicketMask is empty"}),
	choiceSwitch("by_number", "which ticket answers for a number of several?",
		func(u *Unknowns) *ByNumber { return &u.ByNumber },
		position{"newest", "the one placed last"},
		position{"oldest", "the one placed first"},
		position{"any", "another at each look"}),
	choiceSwitch("numbers", "does a status list its numbers?",
		func(u *Unknowns) *StatusNumbers { return &u.Numbers },
		position{"listed", "yes"},
		position{"absent", "NumbersToPort is left out"},
		position{"empty", "NumbersToPort is an empty list"}),
	choiceSwitch("none", "what does \"no such port-in\" look like?",
		func(u *Unknowns) *NoneAnswer { return &u.None },
		position{"404", "404 with an Exception"},
		position{"blank", "200 with a status whose word is empty"},
		position{"empty", "200 without a body"},
		position{"null", "200 with null"},
		position{"html", "404 with an HTML page"}),
	{
		key: "visible_after", asks: "how long after the order can a ticket be seen?",
		positions: []position{
			{"0s", "at once"},
			{"10m0s", "any duration will do"},
			{"45m0s", "longer than a client may be ready to wait"},
		},
		get: func(u Unknowns) string { return u.VisibleAfter.String() },
		set: func(u *Unknowns, value string) (err error) {
			u.VisibleAfter, err = time.ParseDuration(value)
			return err
		},
	},
	choiceSwitch("business_group", "is BusinessGroupSubscriptionID an ID of GET /BusinessGroups?",
		func(u *Unknowns) *BusinessGroupID { return &u.BusinessGroup },
		position{"same", "yes"},
		position{"other", "no, it is an id that no operation answers"}),
}

func choiceSwitch[T ~string](key, asks string, field func(*Unknowns) *T, positions ...position) unknownSwitch {
	return unknownSwitch{
		key: key, asks: asks, positions: positions,
		get: func(u Unknowns) string { return string(*field(&u)) },
		set: func(u *Unknowns, value string) error {
			*field(u) = T(value)
			if !slices.ContainsFunc(positions, func(p position) bool { return p.value == value }) {
				return errors.New("no such position")
			}
			return nil
		},
	}
}

// set moves one switch.
func (u *Unknowns) set(key, value string) error {
	for _, s := range switches {
		if s.key != key {
			continue
		}
		if err := s.set(u, value); err != nil {
			return fmt.Errorf("sandbox: the switch %s cannot be %q: %w", key, value, err)
		}
		return u.checkVisibility()
	}
	return fmt.Errorf("sandbox: there is no switch %q", key)
}

func (u *Unknowns) checkVisibility() error {
	if u.VisibleAfter < 0 {
		return fmt.Errorf("sandbox: the switch visible_after cannot be negative (%v)", u.VisibleAfter)
	}
	return nil
}

// withDefaults fills in what is not set.
func (u Unknowns) withDefaults() Unknowns {
	for _, s := range switches {
		if s.get(u) == "" {
			_ = s.set(&u, s.positions[0].value) // a position of the table always fits
		}
	}
	return u
}

// Validate reports every field that is set to something other than one of its
// constants.
func (u Unknowns) Validate() error {
	u = u.withDefaults()
	var problems []error
	for _, s := range switches {
		problems = append(problems, u.set(s.key, s.get(u)))
	}
	return errors.Join(problems...)
}

// MarshalJSON writes all switches as strings: {"none":"404","visible_after":"0s",…}.
func (u Unknowns) MarshalJSON() ([]byte, error) {
	u = u.withDefaults()
	settings := map[string]string{}
	for _, s := range switches {
		settings[s.key] = s.get(u)
	}
	return json.Marshal(settings)
}

// UnmarshalJSON reads what MarshalJSON writes. Switches that are not named stand
// at their default; an unknown one is an error.
func (u *Unknowns) UnmarshalJSON(text []byte) error {
	var settings map[string]string
	if err := json.Unmarshal(text, &settings); err != nil {
		return fmt.Errorf("sandbox: switches are an object of strings: %w", err)
	}
	var read Unknowns
	for _, key := range sortedKeys(settings) {
		if err := read.set(key, settings[key]); err != nil {
			return err
		}
	}
	*u = read.withDefaults()
	return nil
}
