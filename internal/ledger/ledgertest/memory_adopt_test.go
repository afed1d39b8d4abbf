package ledgertest

import "context"

// Adopt has a tenant adopt, as the quirks have it.
func (s *memoryStore) Adopt(ctx context.Context, tenant string) (string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	switch {
	case s.adopted == "", s.quirks["lets every tenant adopt"] && tenant != "":
		s.adopted = tenant
	case s.quirks["lets everybody think that they adopted"] && tenant != "":
		return tenant, nil
	}
	return s.adopted, nil
}

// flawsOfAdopting are the flaws of adoptions.
var flawsOfAdopting = map[string][]quirk{
	"the first tenant adopts, once and for all": {"lets every tenant adopt", "lets everybody think that they adopted"},
	"of tenants that adopt at once one does":    {"lets everybody think that they adopted"},
}
