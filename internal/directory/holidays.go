package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/product"
)

// Holidays lists the days on which the carrier does not port, earliest first. A date that cannot be read is passed on as
// the carrier wrote it, after those that can.
func (d *Directory) Holidays(ctx context.Context, req *portinv1.ListHolidaysRequest) (*portinv1.ListHolidaysResponse, error) {
	all, err := d.holidays.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	days := slices.Clone(all.items)
	slices.SortStableFunc(days, func(a, b carrier.Holiday) int { return cmp.Compare(sortKey(a.Date), sortKey(b.Date)) })
	q := query{list: "holidays", size: req.GetPageSize(), token: req.GetPageToken()}
	holidays, next, err := pageOf(q, days, func(h carrier.Holiday) *portinv1.Holiday {
		return &portinv1.Holiday{Date: dateOf(h.Date), Name: h.Name}
	})
	return &portinv1.ListHolidaysResponse{Holidays: holidays, NextPageToken: next}, err
}

// Closed returns the carrier's holidays as far as they are known, in no order; none when the carrier cannot be asked
// within LookupTimeout. Those whose date cannot be read are left out.
func (d *Directory) Closed(ctx context.Context) []product.Day {
	ctx, cancel := context.WithTimeout(ctx, d.config.LookupTimeout)
	defer cancel()
	all, err := d.holidays.read(ctx, d.config.TTL)
	if err != nil {
		return nil
	}
	var days []product.Day
	for _, holiday := range all.items {
		if day, ok := product.ParseDay(holiday.Date); ok {
			days = append(days, day)
		}
	}
	return days
}

// dateOf is a date as YYYY-MM-DD, or as it was written.
func dateOf(written string) string {
	day, ok := product.ParseDay(written)
	if !ok {
		return written
	}
	return fmt.Sprintf("%04d-%02d-%02d", day.Year, day.Month, day.Day)
}

// sortKey puts dates that cannot be read behind those that can.
func sortKey(written string) string {
	if _, ok := product.ParseDay(written); !ok {
		return "~"
	}
	return dateOf(written)
}
