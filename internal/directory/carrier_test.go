package directory_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
)

// fakeCarrier answers from memory and counts what it is asked.
type fakeCarrier struct {
	mu    sync.Mutex
	lists lists
	fails error
	// hang makes every answer wait until it is closed or the context ends.
	hang chan struct{}
	// portable answers CheckPortability.
	portable func(ctx context.Context, digits string) (carrier.Portability, error)

	asked  atomic.Int32 // look-ups of lists
	checks atomic.Int32
}

// lists are what the fake carrier has.
type lists struct {
	trunks    []carrier.Trunk
	offerings []carrier.Offering
	providers []carrier.Provider
	groups    []carrier.BusinessGroup
	plans     map[carrier.PlanKind][]carrier.Plan
	holidays  []carrier.Holiday
	centers   []carrier.RateCenter
}

var _ directory.Carrier = (*fakeCarrier)(nil)

// change changes what the carrier has or does.
func (f *fakeCarrier) change(do func(*fakeCarrier)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

// answer waits as the fake is told to and reads a list.
func answer[T any](ctx context.Context, f *fakeCarrier, read func(lists) T) (value T, err error) {
	f.asked.Add(1)
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return value, fault.New(fault.ReasonCarrierUnreadable, "hanging")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return value, f.fails
	}
	return read(f.lists), nil
}

func (f *fakeCarrier) Trunks(ctx context.Context) ([]carrier.Trunk, error) {
	return answer(ctx, f, func(l lists) []carrier.Trunk { return l.trunks })
}

func (f *fakeCarrier) Offerings(ctx context.Context) ([]carrier.Offering, error) {
	return answer(ctx, f, func(l lists) []carrier.Offering { return l.offerings })
}

func (f *fakeCarrier) Providers(ctx context.Context) ([]carrier.Provider, error) {
	return answer(ctx, f, func(l lists) []carrier.Provider { return l.providers })
}

func (f *fakeCarrier) BusinessGroups(ctx context.Context) ([]carrier.BusinessGroup, error) {
	return answer(ctx, f, func(l lists) []carrier.BusinessGroup { return l.groups })
}

func (f *fakeCarrier) Plans(ctx context.Context, kind carrier.PlanKind) ([]carrier.Plan, error) {
	return answer(ctx, f, func(l lists) []carrier.Plan { return l.plans[kind] })
}

func (f *fakeCarrier) Holidays(ctx context.Context) ([]carrier.Holiday, error) {
	return answer(ctx, f, func(l lists) []carrier.Holiday { return l.holidays })
}

func (f *fakeCarrier) RateCenters(ctx context.Context) ([]carrier.RateCenter, error) {
	return answer(ctx, f, func(l lists) []carrier.RateCenter { return l.centers })
}

func (f *fakeCarrier) CheckPortability(ctx context.Context, digits string) (carrier.Portability, error) {
	f.checks.Add(1)
	return f.portable(ctx, digits)
}

// stocked is a carrier with something in every list.
func stocked() *fakeCarrier {
	return &fakeCarrier{lists: lists{
		trunks: []carrier.Trunk{{Pilot: 4165550100, Label: "Head office"}, {Pilot: 5145550100}, {Pilot: 17}},
		offerings: []carrier.Offering{
			{ID: "O-GENERAL", Name: carrier.Text{En: "Mailbox", Fr: "Boîte"}, Type: 1},
			{ID: "O-CHILD", Name: carrier.Text{En: "Child", Fr: "Enfant"}, Type: 2, Parents: []carrier.Subscription{
				{ID: "S-1", Name: "4165550101", Product: carrier.Text{En: "Bridge", Fr: "Pont"}},
			}},
			{ID: "O-FORWARD", Type: 5},
			{ID: "O-FAX", Type: 7},
			{ID: "O-NEW", Type: 8},
		},
		providers: []carrier.Provider{{ID: 1, Name: "Bell"}, {ID: 2, Name: "Rogers"}},
		groups:    []carrier.BusinessGroup{{ID: "G-1", Name: "Sales"}},
		plans: map[carrier.PlanKind][]carrier.Plan{
			carrier.ResidentialPlan: {{ID: "R-1", Name: "Basic", Account: 7, MonthlyPrice: "9.95", Enabled: true}},
			carrier.BusinessPlan: {
				{ID: "B-1", Account: 7, MonthlyPrice: "24.95", Enabled: true},
				{ID: "B-OLD", Account: 7, MonthlyPrice: "14.95"},
				{ID: "B-SHARED", Account: 8, MonthlyPrice: "1", Enabled: true},
				{ID: "B-SHARED", Account: 7, MonthlyPrice: "2", Enabled: true},
			},
			carrier.CallForwardPlan: {{ID: "F-1", Account: 7, MonthlyPrice: "3.5", Enabled: true}},
		},
		holidays: []carrier.Holiday{
			{Date: "2026-12-25T00:00:00", Name: "Christmas"},
			{Date: "tbd", Name: "Civic"},
			{Date: "20260701", Name: "Canada Day"},
			{Date: "2026-09-07", Name: "Labour Day"},
		},
		centers: []carrier.RateCenter{{Name: "Toronto", Country: "CA", NetworkType: "IP", LNP: true, Local: true, OnNet: true}},
	}}
}

var errDown = fault.New(fault.ReasonCarrierUnreachable, "down").WithRetryAfter(5 * time.Second)
