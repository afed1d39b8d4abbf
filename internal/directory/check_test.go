package directory_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/product"
)

// finding is what came of one reference: the beginning of a violation or of a warning.
type finding struct {
	wrong, doubtful string
	code            portinv1.WarningCode
}

func look(t *testing.T, d *directory.Directory, refs ...product.Reference) []finding {
	t.Helper()
	violations, warnings := d.Check(t.Context(), refs)
	var found []finding
	for _, v := range violations {
		found = append(found, finding{wrong: v.Field + " " + v.Description})
	}
	for _, w := range warnings {
		found = append(found, finding{doubtful: w.GetField() + " " + w.GetDescription(), code: w.GetCode()})
	}
	return found
}

const (
	referenceUnknown = portinv1.WarningCode_WARNING_CODE_REFERENCE_UNKNOWN
	notChecked       = portinv1.WarningCode_WARNING_CODE_NOT_CHECKED
)

func TestEveryKindOfReference(t *testing.T) {
	t.Parallel()
	businessPlan := func(id string, account int64) product.Reference {
		return product.Reference{Kind: product.Plan, Plan: carrier.BusinessPlan, Value: id, Account: account}
	}
	offering := func(id, arm string) product.Reference {
		return product.Reference{Kind: product.Offering, Value: id, Arm: arm}
	}
	for name, c := range map[string]struct {
		ref            product.Reference
		wrong, doubted string // a part of the description
	}{
		"a trunk":                 {ref: product.Reference{Kind: product.Trunk, Value: "4165550100"}},
		"no trunk":                {ref: product.Reference{Kind: product.Trunk, Value: "4165550199"}, wrong: "not the pilot number"},
		"an offering":             {ref: offering("O-GENERAL", "general_product")},
		"no offering":             {ref: offering("O-NONE", "general_product"), wrong: "not an offering"},
		"an offering of one":      {ref: offering("O-FAX", "general_product"), wrong: "for the target virtual_fax;"},
		"an offering of two":      {ref: offering("O-FORWARD", "virtual_fax"), wrong: "for the target permanent_call_forward or toll_free_permanent_call_forward;"},
		"an offering of none":     {ref: offering("O-NEW", "virtual_fax"), wrong: "of a type that this version"},
		"either arm of type 5":    {ref: offering("O-FORWARD", "toll_free_permanent_call_forward")},
		"a parent":                {ref: product.Reference{Kind: product.ParentSubscription, Offering: "O-CHILD", Value: "S-1"}},
		"no parent":               {ref: product.Reference{Kind: product.ParentSubscription, Offering: "O-CHILD", Value: "S-2"}, wrong: "not a subscription"},
		"a parent of no offering": {ref: product.Reference{Kind: product.ParentSubscription, Offering: "O-NONE", Value: "S-1"}},
		"a plan":                  {ref: businessPlan("B-1", 7)},
		"no plan":                 {ref: businessPlan("B-2", 7), wrong: "not a plan"},
		"a plan of another kind":  {ref: businessPlan("R-1", 7), wrong: "not a plan"},
		"a disabled plan":         {ref: businessPlan("B-OLD", 7), doubted: "disabled"},
		"another account's plan":  {ref: businessPlan("B-1", 8), doubted: "another account"},
		"one of two accounts":     {ref: businessPlan("B-SHARED", 7)},
		"the other of two":        {ref: businessPlan("B-SHARED", 8)},
		"neither of two":          {ref: businessPlan("B-SHARED", 9), doubted: "another account"},
		"a group":                 {ref: product.Reference{Kind: product.BusinessGroup, Value: "G-1"}},
		"no group":                {ref: product.Reference{Kind: product.BusinessGroup, Value: "G-2"}, wrong: "not a business group"},
		"a group's subscription":  {ref: product.Reference{Kind: product.BusinessGroupSubscription, Value: "G-1"}},
		"no subscription":         {ref: product.Reference{Kind: product.BusinessGroupSubscription, Value: "G-2"}, doubted: "it may still be right"},
		"a provider":              {ref: product.Reference{Kind: product.Provider, Value: "2"}},
		"no provider":             {ref: product.Reference{Kind: product.Provider, Value: "3"}, wrong: "not a carrier"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ref.Field = "order.here"
			found := look(t, directory.New(stocked(), directory.Config{}), c.ref)
			switch {
			case c.wrong+c.doubted == "":
				if len(found) != 0 {
					t.Errorf("found %+v", found)
				}
			case len(found) != 1, !strings.HasPrefix(found[0].wrong+found[0].doubtful, "order.here is "):
				t.Errorf("found %+v", found)
			case c.wrong != "" && !strings.Contains(found[0].wrong, c.wrong):
				t.Errorf("found %+v, want wrong: %s", found, c.wrong)
			case c.doubted != "" && (!strings.Contains(found[0].doubtful, c.doubted) || found[0].code != referenceUnknown):
				t.Errorf("found %+v, want doubtful: %s", found, c.doubted)
			}
			if len(found) > 0 && strings.Contains(found[0].wrong+found[0].doubtful, c.ref.Value+" ") {
				t.Errorf("the description quotes the value: %+v", found)
			}
		})
	}
}

// everything is one reference of each kind, none of which exists.
func everything() []product.Reference {
	return []product.Reference{
		{Field: "a", Kind: product.Trunk, Value: "0"},
		{Field: "b", Kind: product.Offering, Value: "0"},
		{Field: "c", Kind: product.ParentSubscription, Offering: "O-CHILD", Value: "0"},
		{Field: "d", Kind: product.Plan, Plan: carrier.ResidentialPlan, Value: "0"},
		{Field: "e", Kind: product.BusinessGroup, Value: "0"},
		{Field: "f", Kind: product.BusinessGroupSubscription, Value: "0"},
		{Field: "g", Kind: product.Provider, Value: "0"},
	}
}

func TestACarrierThatCannotBeAskedBlocksNothing(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.fails = errDown
	violations, warnings := directory.New(f, directory.Config{}).Check(t.Context(), everything())
	if violations != nil {
		t.Errorf("violations %v", violations)
	}
	var fields []string
	for _, w := range warnings {
		fields = append(fields, w.GetField())
		if w.GetCode() != notChecked {
			t.Errorf("warning %v", w)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f", "g"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestACheckIsBoundedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		f.hang = make(chan struct{})
		d := directory.New(f, directory.Config{})
		begun := time.Now()
		violations, warnings := d.Check(t.Context(), everything())
		if took := time.Since(begun); took != 3*time.Second || len(violations) != 0 || len(warnings) != 7 {
			t.Errorf("took %v: %v, %v", took, violations, warnings)
		}
		begun = time.Now()
		if days := d.Closed(t.Context()); days != nil || time.Since(begun) != 3*time.Second {
			t.Errorf("took %v: %v", time.Since(begun), days)
		}
		close(f.hang)
		synctest.Wait()
		if days := d.Closed(t.Context()); len(days) != 3 {
			t.Errorf("closed on %v", days)
		}
	})
}

func TestAReferenceIsUnknownOnlyInAListReadJustNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := stocked()
		d := directory.New(f, directory.Config{})
		added := product.Reference{Field: "pilot", Kind: product.Trunk, Value: "4165550111"}
		_, _ = trunks(t.Context(), d)
		asked(t, f, 1)

		// The list is older than a moment: it is read again, once, and has the trunk.
		pass(11 * time.Second)
		f.change(func(f *fakeCarrier) { f.lists.trunks = append(f.lists.trunks, carrier.Trunk{Pilot: 4165550111}) })
		if found := look(t, d, added); found != nil {
			t.Errorf("found %+v", found)
		}
		asked(t, f, 2)

		// Wrong orders do not make the carrier answer more often than once in ten seconds.
		wrong := product.Reference{Field: "pilot", Kind: product.Trunk, Value: "4165550112"}
		for range 99 {
			if found := look(t, d, wrong); len(found) != 1 || found[0].wrong == "" {
				t.Errorf("found %+v", found)
			}
			pass(100 * time.Millisecond)
		}
		asked(t, f, 2)
		pass(200 * time.Millisecond)
		look(t, d, wrong)
		asked(t, f, 3)

		// A list that lacks it and cannot be read again says nothing.
		pass(11 * time.Second)
		f.change(func(f *fakeCarrier) { f.fails = errDown })
		if found := look(t, d, wrong); len(found) != 1 || found[0].code != notChecked {
			t.Errorf("found %+v", found)
		}
		if found := look(t, d, added); found != nil {
			t.Errorf("what the list has needs no newer one: %+v", found)
		}
	})
}

func TestAReferenceOfANewKindIsNotChecked(t *testing.T) {
	t.Parallel()
	d := directory.New(stocked(), directory.Config{})
	found := look(t, d, product.Reference{Field: "a", Kind: 99, Value: "1"}, product.Reference{Field: "b", Kind: product.Plan, Plan: 99, Value: "1"})
	if len(found) != 2 || found[0].code != notChecked || found[1].code != notChecked {
		t.Errorf("found %+v", found)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.fails = errDown
	d := directory.New(f, directory.Config{})
	_, warnings := d.Check(t.Context(), make([]product.Reference, 1000))
	if len(warnings) != 100 {
		t.Errorf("%d warnings", len(warnings))
	}
}

func TestNothingIsAskedForAnOrderThatRefersToNothing(t *testing.T) {
	t.Parallel()
	f := stocked()
	violations, warnings := directory.New(f, directory.Config{}).Check(t.Context(), nil)
	if violations != nil || warnings != nil {
		t.Errorf("%v, %v", violations, warnings)
	}
	asked(t, f, 0)
}

func TestClosedDaysAreThoseThatCanBeRead(t *testing.T) {
	t.Parallel()
	f := stocked()
	d := directory.New(f, directory.Config{})
	want := []product.Day{{Year: 2026, Month: time.December, Day: 25}, {Year: 2026, Month: time.July, Day: 1}, {Year: 2026, Month: time.September, Day: 7}}
	if diff := cmp.Diff(want, d.Closed(t.Context())); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	f.change(func(f *fakeCarrier) { f.fails = fault.New(fault.ReasonCarrierBusy, "busy") })
	if days := d.Closed(t.Context()); len(days) != 3 {
		t.Errorf("the list is kept: %v", days)
	}
}
