package ledgertest

import (
	"context"
	"maps"
	"slices"
)

// Owners returns whose orders have a ticket or hold a number, as the quirks have it.
func (s *memoryStore) Owners(ctx context.Context, account, ticket, number string) ([]string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found := map[string]bool{}
	for _, r := range s.orders {
		has := ticket != "" && r.Ticket == ticket && (r.CarrierAccount == account || s.quirks["owns at any account"])
		holds := (r.Holds() || s.quirks["owns for ever"]) && slices.Contains(r.Numbers, number)
		has = has && !s.quirks["owns no tickets"]
		holds = holds && (!s.quirks["owns once"] || len(found) == 0)
		if has || holds {
			found[r.Tenant] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// flawsOfOwners are the flaws of whose a port-in is.
var flawsOfOwners = map[string][]quirk{
	"a ticket and a number that is held have their owners": {"owns at any account", "owns for ever", "owns no tickets"},
	"a number that two orders hold has both owners":        {"owns once"},
}
