package order_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/order"
)

func TestCategoryOfEveryWord(t *testing.T) {
	t.Parallel()
	want := map[order.Status][2]order.Category{
		"":                     {0, 0},
		"PENDING":              {order.CategoryOpen, order.CategoryOpen},
		"SUBMITTED":            {order.CategoryOpen, order.CategoryOpen},
		"CONFIRMED":            {order.CategoryScheduled, order.CategoryScheduled},
		"CONFIRMEDwDATECHANGE": {order.CategoryScheduled, order.CategoryScheduled},
		"CONFIRMEDwEXCEPTION":  {order.CategoryAttention, order.CategoryAttention},
		"COMPLETED":            {order.CategoryClosed, order.CategoryClosed},
		"REJECTED":             {order.CategoryAttention, order.CategoryOpen},
		"HOLD":                 {order.CategoryAttention, order.CategoryAttention},
		"RESCHEDULED":          {order.CategoryScheduled, order.CategoryScheduled},
		"CANCELLATIONPENDING":  {order.CategoryOpen, order.CategoryOpen},
		"CANCELLED":            {order.CategoryClosed, order.CategoryClosed},
		"PARTIALCANCELLATION":  {order.CategoryOpen, order.CategoryOpen},
		"FULLCANCELLATION":     {order.CategoryClosed, order.CategoryClosed},
		"EXPIRED":              {order.CategoryClosed, order.CategoryClosed},
		"TELEPORTED":           {order.CategoryAttention, order.CategoryAttention},
		"completed":            {order.CategoryAttention, order.CategoryAttention},
	}
	got := map[order.Status][2]order.Category{}
	for s := range want {
		got[s] = [2]order.Category{s.Category(false), s.Category(true)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
	for _, s := range order.Statuses() {
		if _, ok := want[s]; !ok {
			t.Errorf("%s is listed and not tested", s)
		}
	}
}
