package intake

import (
	"context"
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/product"
)

// review applies every rule to a normalised order: those of the contract and the product, those that need the clock, and
// those that need the carrier's lists for the account that the order goes to. All violations come back in one fault, in field order.
func (in *Intake) review(ctx context.Context, account string, o *portinv1.PortInOrder) ([]*portinv1.Warning, error) {
	lists := in.Directory(account)
	violations := product.Validate(o)
	dated, warnings := product.Review(o, product.Facts{
		Now:                 in.Now(),
		Holidays:            lists.Closed(ctx),
		MinLeadBusinessDays: in.Config.MinLeadDays,
	})
	unknown, doubts := lists.Check(ctx, product.References(o))
	violations = slices.Concat(violations, dated, unknown)
	if len(violations) > 0 {
		product.SortViolations(violations)
		return nil, fault.Fields(violations)
	}
	warnings = append(warnings, doubts...)
	product.SortWarnings(warnings)
	return warnings, nil
}
