package directory

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/product"
)

// maxWarnings bounds what an order carries with it for good.
const maxWarnings = 100

// finding is what the lists say of one reference. The zero value is that all is well.
type finding struct {
	// wrong refuses the order.
	wrong string
	// doubtful goes with the order as a warning of the code.
	doubtful string
	code     portinv1.WarningCode
	// missing says that the list lacks it, so that a newer list may say something else.
	missing bool
}

// Check compares what an order refers to with the carrier's lists, within LookupTimeout. What a list that was read just
// now does not have is a violation; so is an offering that fits another target. A list that cannot be read makes a
// warning of each reference to it and never blocks the order.
func (d *Directory) Check(ctx context.Context, refs []product.Reference) ([]fault.Violation, []*portinv1.Warning) {
	ctx, cancel := context.WithTimeout(ctx, d.config.LookupTimeout)
	defer cancel()
	findings := make([]finding, len(refs))
	var group errgroup.Group
	group.SetLimit(d.config.Checks)
	for i, ref := range refs {
		group.Go(func() error {
			return guarded(func() error {
				findings[i] = d.find(ctx, ref)
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		panic(err) // nothing in it fails; what panicked does so here, where the call's own panics are dealt with
	}

	var violations []fault.Violation
	var warnings []*portinv1.Warning
	for i, f := range findings {
		if f.wrong != "" {
			violations = append(violations, fault.Violation{Field: refs[i].Field, Description: f.wrong})
		}
		if f.doubtful != "" && len(warnings) < maxWarnings {
			warnings = append(warnings, &portinv1.Warning{Field: refs[i].Field, Code: f.code, Description: f.doubtful})
		}
	}
	return violations, warnings
}

// find looks a reference up in the list that its kind says.
func (d *Directory) find(ctx context.Context, ref product.Reference) finding {
	switch ref.Kind {
	case product.Trunk:
		return consult(ctx, d.trunks, ref, trunk)
	case product.Offering:
		return consult(ctx, d.offerings, ref, fittingOffering)
	case product.ParentSubscription:
		return consult(ctx, d.offerings, ref, parent)
	case product.Plan:
		if plans, ok := d.plans[ref.Plan]; ok {
			return consult(ctx, plans, ref, plan)
		}
	case product.BusinessGroup:
		return consult(ctx, d.groups, ref, businessGroup)
	case product.BusinessGroupSubscription:
		return consult(ctx, d.groups, ref, businessGroupSubscription)
	case product.Provider:
		return consult(ctx, d.providers, ref, provider)
	}
	return notChecked()
}

func notChecked() finding {
	return finding{
		doubtful: "could not be looked up in the carrier's lists",
		code:     portinv1.WarningCode_WARNING_CODE_NOT_CHECKED,
	}
}

// consult judges a reference by a list. If the list lacks it, it may have been added since the list was read: the list is
// read once more, unless that was done a moment ago.
func consult[T any](ctx context.Context, l *list[T], ref product.Reference, judge func([]T, product.Reference) finding) finding {
	var found finding
	for _, maxAge := range []time.Duration{l.config.TTL, l.config.MissInterval} {
		got, err := l.read(ctx, maxAge)
		if err != nil {
			return notChecked()
		}
		if found = judge(got.items, ref); !found.missing {
			break
		}
	}
	return found
}
