package directory

import (
	"context"
	"slices"
	"strconv"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/product"
)

// The lists of CatalogService, one method for each of its calls. Their errors are those of the carrier's look-ups and
// PAGE_TOKEN_INVALID.

// SipTrunks lists the account's SIP trunks.
func (d *Directory) SipTrunks(ctx context.Context, req *portinv1.ListSipTrunksRequest) (*portinv1.ListSipTrunksResponse, error) {
	all, err := d.trunks.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	q := query{list: "sip_trunks", size: req.GetPageSize(), token: req.GetPageToken()}
	trunks, next, err := pageOf(q, all.items, func(t carrier.Trunk) *portinv1.SipTrunk {
		return &portinv1.SipTrunk{PilotNumber: e164(t.Pilot), Label: t.Label}
	})
	return &portinv1.ListSipTrunksResponse{SipTrunks: trunks, NextPageToken: next}, err
}

// TelephoneOfferings lists what a port-in can order, or what fits one target. A target that is none of the contract's is
// INVALID_FIELDS of `target`.
func (d *Directory) TelephoneOfferings(
	ctx context.Context, req *portinv1.ListTelephoneOfferingsRequest,
) (*portinv1.ListTelephoneOfferingsResponse, error) {
	target := req.GetTarget()
	if target != "" && !slices.ContainsFunc(product.Specs(), func(s product.Spec) bool { return string(s.Arm) == target }) {
		return nil, fault.Fields([]fault.Violation{{
			Field: "target", Description: "is not a target of an order; want one of the field names of its target, such as virtual_fax",
		}})
	}
	all, err := d.offerings.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	fitting := all.items
	if target != "" {
		fitting = slices.DeleteFunc(slices.Clone(fitting), func(o carrier.Offering) bool {
			return !slices.Contains(product.ForProductType(o.Type), target)
		})
	}
	q := query{list: "telephone_offerings", filter: target, size: req.GetPageSize(), token: req.GetPageToken()}
	offerings, next, err := pageOf(q, fitting, offering)
	return &portinv1.ListTelephoneOfferingsResponse{TelephoneOfferings: offerings, NextPageToken: next}, err
}

// Providers lists the other carriers.
func (d *Directory) Providers(ctx context.Context, req *portinv1.ListProvidersRequest) (*portinv1.ListProvidersResponse, error) {
	all, err := d.providers.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	q := query{list: "providers", size: req.GetPageSize(), token: req.GetPageToken()}
	providers, next, err := pageOf(q, all.items, func(p carrier.Provider) *portinv1.Provider {
		return &portinv1.Provider{ProviderId: p.ID, Name: p.Name}
	})
	return &portinv1.ListProvidersResponse{Providers: providers, NextPageToken: next}, err
}

// BusinessGroups lists the account's business groups.
func (d *Directory) BusinessGroups(
	ctx context.Context, req *portinv1.ListBusinessGroupsRequest,
) (*portinv1.ListBusinessGroupsResponse, error) {
	all, err := d.groups.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	q := query{list: "business_groups", size: req.GetPageSize(), token: req.GetPageToken()}
	groups, next, err := pageOf(q, all.items, func(g carrier.BusinessGroup) *portinv1.BusinessGroup {
		return &portinv1.BusinessGroup{BusinessGroupId: g.ID, Name: g.Name}
	})
	return &portinv1.ListBusinessGroupsResponse{BusinessGroups: groups, NextPageToken: next}, err
}

// RateCenters lists the rate centres that numbers can be ported from.
func (d *Directory) RateCenters(
	ctx context.Context, req *portinv1.ListPortableRateCentersRequest,
) (*portinv1.ListPortableRateCentersResponse, error) {
	all, err := d.centers.read(ctx, d.config.TTL)
	if err != nil {
		return nil, err
	}
	q := query{list: "portable_rate_centers", size: req.GetPageSize(), token: req.GetPageToken()}
	centers, next, err := pageOf(q, all.items, func(c carrier.RateCenter) *portinv1.PortableRateCenter {
		return &portinv1.PortableRateCenter{
			Name: c.Name, Country: c.Country, NetworkType: c.NetworkType, Lnp: c.LNP, Local: c.Local, OnNet: c.OnNet,
		}
	})
	return &portinv1.ListPortableRateCentersResponse{PortableRateCenters: centers, NextPageToken: next}, err
}

// pageOf is a page in the words of the contract. Only the page is translated, not the list.
func pageOf[T, M any](q query, items []T, translate func(T) *M) (entries []*M, next string, err error) {
	cut, next, err := page(q, items)
	for _, item := range cut {
		entries = append(entries, translate(item))
	}
	return entries, next, err
}

func offering(o carrier.Offering) *portinv1.TelephoneOffering {
	message := &portinv1.TelephoneOffering{
		OfferingId:  o.ID,
		ProductName: localized(o.Name),
		ProductType: int32(o.Type),
		Targets:     product.ForProductType(o.Type),
	}
	for _, parent := range o.Parents {
		message.PotentialParentSubscriptions = append(message.PotentialParentSubscriptions, &portinv1.Subscription{
			SubscriptionId: parent.ID, Name: parent.Name, ProductName: localized(parent.Product),
		})
	}
	return message
}

func localized(t carrier.Text) *portinv1.LocalizedText {
	return &portinv1.LocalizedText{En: t.En, Fr: t.Fr}
}

// e164 is a number of the carrier's in the contract's spelling, or its digits if it is no number.
func e164(number int64) string {
	digits := strconv.FormatInt(number, 10)
	if n, ok := nanp.Parse(digits); ok {
		return n.E164()
	}
	return digits
}
