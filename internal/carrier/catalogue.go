package carrier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/portin/portin/internal/fault"
)

// Lists are read whole or not at all: an entry that was skipped because it could not be read would make every order that
// refers to it look wrong.

// Trunks lists the SIP trunks of the account.
func (c *Client) Trunks(ctx context.Context) ([]Trunk, error) {
	return list(ctx, c, "SipTrunks", "/SipTrunks", func(o *object) Trunk {
		return Trunk{Pilot: o.whole("Number"), Label: o.label("Label")}
	})
}

// Offerings lists what a port-in can order. A Type that nobody knows yet is data, not an error.
func (c *Client) Offerings(ctx context.Context) ([]Offering, error) {
	return list(ctx, c, "TelephoneOfferings", "/Products/TelephoneOfferings", func(o *object) Offering {
		offering := Offering{ID: o.id("OfferingID"), Name: o.localized("ProductName"), Type: int(o.whole("Type"))}
		for _, raw := range o.optionalList("PotentialParentSubscriptions") {
			parent := objectOf(raw)
			offering.Parents = append(offering.Parents, Subscription{
				ID:      parent.id("SubscriptionID"),
				Name:    clean(parent.text("Name"), MaxMessage),
				Product: parent.localized("ProductName"),
			})
			if parent.problem != nil {
				o.fail("PotentialParentSubscriptions", "holds something unreadable")
			}
		}
		return offering
	})
}

// Providers lists the other carriers.
func (c *Client) Providers(ctx context.Context) ([]Provider, error) {
	return list(ctx, c, "Providers", "/NumberPorts/Providers", func(o *object) Provider {
		id := o.whole("ID")
		if int64(int32(id)) != id {
			o.fail("ID", "is larger than the schema allows")
		}
		return Provider{ID: int32(id), Name: clean(o.text("Name"), MaxMessage)}
	})
}

// BusinessGroups lists the business groups of the account.
func (c *Client) BusinessGroups(ctx context.Context) ([]BusinessGroup, error) {
	return list(ctx, c, "BusinessGroups", "/BusinessGroups", func(o *object) BusinessGroup {
		return BusinessGroup{ID: o.id("ID"), Name: clean(o.text("Name"), MaxMessage)}
	})
}

// planLists holds where the plans of each kind are.
var planLists = map[PlanKind]string{
	ResidentialPlan: "ResidentialLinePlans",
	BusinessPlan:    "BusinessLinePlans",
	CallForwardPlan: "PermanentCallForwardPlans",
}

// Plans lists the plans of a kind.
func (c *Client) Plans(ctx context.Context, kind PlanKind) ([]Plan, error) {
	name, known := planLists[kind]
	if !known {
		return nil, fault.Internal(fmt.Errorf("carrier: there is no kind of plan %d", kind))
	}
	return list(ctx, c, name, "/"+name, func(o *object) Plan {
		return Plan{
			ID:           o.id("ID"),
			Name:         o.label("Name"),
			Account:      o.whole("Account"),
			MonthlyPrice: clean(o.literal("MonthlyPrice"), maxWord),
			Enabled:      o.truth("Enabled"),
		}
	})
}

// Holidays lists the carrier's upcoming holidays.
func (c *Client) Holidays(ctx context.Context) ([]Holiday, error) {
	return list(ctx, c, "Holidays", "/Holidays", func(o *object) Holiday {
		return Holiday{Date: clean(o.text("Date"), maxWord), Name: clean(o.text("Name"), MaxMessage)}
	})
}

// RateCenters lists the rate centres that numbers can be ported from.
func (c *Client) RateCenters(ctx context.Context) ([]RateCenter, error) {
	return list(ctx, c, "RateCenters", "/NumberPorts/LNP/RateCenters", func(o *object) RateCenter {
		return RateCenter{
			Name:        clean(o.text("Name"), MaxMessage),
			Country:     clean(o.text("Country"), maxWord),
			NetworkType: clean(o.text("NetworkType"), maxWord),
			LNP:         o.truth("LNP"),
			Local:       o.truth("Local"),
			OnNet:       o.truth("OnNet"),
		}
	})
}

// PortablePrefixes lists the prefixes, area code and exchange in six digits, that numbers can be ported from.
func (c *Client) PortablePrefixes(ctx context.Context) ([]int32, error) {
	return ask(ctx, c, question[[]int32]{
		operation: "PortablePrefixes",
		path:      "/NumberPorts/LNP/NPANXX",
		limit:     c.config.MaxList,
		read: func(body []byte) ([]int32, error) {
			return readList(body, func(raw json.RawMessage) (int32, error) {
				const lowest, highest = 200_000, 999_999
				n, err := strconv.ParseInt(string(raw), 10, 32)
				if err != nil || n < lowest || n > highest {
					return 0, errors.New("not a prefix of six digits")
				}
				return int32(n), nil
			})
		},
	})
}

// CheckPortability asks whether a number or a prefix, six to ten digits, can be ported in. The carrier takes the question
// as a POST, so it is asked once. Anything but six to ten digits is INVALID_FIELDS of `number`.
func (c *Client) CheckPortability(ctx context.Context, digits string) (Portability, error) {
	const shortest, longest = 6, 10
	asked, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || len(digits) < shortest || len(digits) > longest || strings.Trim(digits, "0123456789") != "" {
		return Portability{}, fault.Fields([]fault.Violation{{Field: "number", Description: "is not six to ten digits"}})
	}
	return ask(ctx, c, question[Portability]{
		operation: "CheckPortability",
		path:      "/NumberPorts/LNP/NPANXX/Check",
		body:      []byte(`"` + digits + `"`),
		limit:     c.config.MaxAnswer,
		read: func(body []byte) (Portability, error) {
			o := objectOf(body)
			p := Portability{
				Number:  o.whole("Number"),
				Reply:   replyOf[o.literal("Reply")],
				Message: clean(o.optionalText("Message"), MaxMessage),
			}
			if p.Reply == ReplyNone || p.Number != asked {
				o.fail("Reply", "is no reply to what was asked")
			}
			return p, o.problem
		},
	})
}

// Account is the account code of the credentials: the cheapest way to check them.
func (c *Client) Account(ctx context.Context) (int64, error) {
	return ask(ctx, c, question[int64]{
		operation: "Account",
		path:      "/Users/Current/Account",
		limit:     c.config.MaxAnswer,
		read:      readAccount,
	})
}

func readAccount(body []byte) (int64, error) {
	account, err := strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
	if err != nil {
		return 0, errors.New("not a whole number")
	}
	return account, nil
}

// list asks for a list of objects.
func list[T any](ctx context.Context, c *Client, operation, path string, read func(*object) T) ([]T, error) {
	return ask(ctx, c, question[[]T]{
		operation: operation,
		path:      path,
		limit:     c.config.MaxList,
		read: func(body []byte) ([]T, error) {
			return readList(body, func(raw json.RawMessage) (T, error) {
				o := objectOf(raw)
				value := read(o)
				return value, o.problem
			})
		},
	})
}

// readList reads every element of an array, or fails.
func readList[T any](body []byte, read func(json.RawMessage) (T, error)) ([]T, error) {
	elements, err := listOf(body)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(elements))
	for i, raw := range elements {
		if values[i], err = read(raw); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return values, nil
}

// id is a required string that something can be referred to by. One that cleaning would change could not be.
func (o *object) id(name string) string {
	id := o.text(name)
	if id == "" || !isID(id) {
		o.fail(name, "is not an id")
	}
	return id
}

// label is a text for people that may be missing.
func (o *object) label(name string) string { return clean(o.optionalText(name), MaxMessage) }

// localized is a required LocalizedString.
func (o *object) localized(name string) Text {
	in := o.inner(name)
	text := Text{En: clean(in.text("En"), MaxMessage), Fr: clean(in.text("Fr"), MaxMessage)}
	if in.problem != nil {
		o.fail(name, "is not a text in two languages")
	}
	return text
}
