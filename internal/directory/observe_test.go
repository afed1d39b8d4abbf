package directory_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/directory"
)

// diary notes what an observer is told.
type diary struct {
	mu      sync.Mutex
	reads   []string
	renewed map[directory.List]time.Time
}

var _ directory.Observer = (*diary)(nil)

func (d *diary) Read(list directory.List, from directory.Had) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads = append(d.reads, string(list)+" "+string(from))
}

func (d *diary) Renewed(list directory.List, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.renewed == nil {
		d.renewed = map[directory.List]time.Time{}
	}
	d.renewed[list] = at
}

func TestAnObserverIsToldWhereAListCameFrom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, seen := stocked(), &diary{}
		d := directory.New(f, directory.Config{Observer: seen})
		read := func() { _, _ = trunks(t.Context(), d) }
		begun := time.Now()
		read()
		read()
		pass(5 * time.Minute)
		f.change(func(f *fakeCarrier) { f.fails = errDown })
		read()
		read()
		want := []string{"sip_trunks asked", "sip_trunks kept", "sip_trunks asked", "sip_trunks failed"}
		if diff := cmp.Diff(want, seen.reads); diff != "" {
			t.Errorf("reads (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[directory.List]time.Time{directory.ListTrunks: begun}, seen.renewed); diff != "" {
			t.Errorf("renewed (-want +got):\n%s", diff)
		}
	})
}

// Every list has a name of its own, and AllLists has it.
func TestEveryListIsObservedByItsName(t *testing.T) {
	t.Parallel()
	ctx, seen := t.Context(), &diary{}
	d := directory.New(stocked(), directory.Config{Observer: seen})
	_, err := d.SipTrunks(ctx, &portinv1.ListSipTrunksRequest{})
	_, err2 := d.TelephoneOfferings(ctx, &portinv1.ListTelephoneOfferingsRequest{})
	_, err3 := d.Providers(ctx, &portinv1.ListProvidersRequest{})
	_, err4 := d.BusinessGroups(ctx, &portinv1.ListBusinessGroupsRequest{})
	_, err5 := d.LinePlans(ctx, &portinv1.ListLinePlansRequest{})
	_, err6 := d.Holidays(ctx, &portinv1.ListHolidaysRequest{})
	_, err7 := d.RateCenters(ctx, &portinv1.ListPortableRateCentersRequest{})
	for _, err := range []error{err, err2, err3, err4, err5, err6, err7} {
		if err != nil {
			t.Error(err)
		}
	}
	want, got := directory.AllLists(), slices.Collect(maps.Keys(seen.renewed))
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lists that were read (-AllLists +observed):\n%s", diff)
	}
}
