package identity

import "fmt"

// Scope is a kind of thing that a caller may do.
type Scope string

// The scopes. No one of them implies another: whoever may order does not see orders unless it may read too.
const (
	// ScopeRead looks: orders, their events, the carrier's lists.
	ScopeRead Scope = "read"
	// ScopeOrder places orders and corrects them.
	ScopeOrder Scope = "order"
	// ScopeOperate decides what a person has to decide, about an order in doubt for one.
	ScopeOperate Scope = "operate"
	// ScopeAdmin changes what outlives orders: where webhooks go, for one.
	ScopeAdmin Scope = "admin"
)

// Scopes lists every scope, in the order in which they are shown. The list is the caller's own.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeOrder, ScopeOperate, ScopeAdmin} }

// ParseScope returns the scope of that name. The error does not quote the text, which may be anything.
func ParseScope(text string) (Scope, error) {
	for _, s := range Scopes() {
		if string(s) == text {
			return s, nil
		}
	}
	return "", fmt.Errorf("is no scope; there are %v", Scopes())
}
