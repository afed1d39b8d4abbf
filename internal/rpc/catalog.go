package rpc

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Catalog is what knows the carrier's lists.
type Catalog interface {
	SipTrunks(context.Context, *portinv1.ListSipTrunksRequest) (*portinv1.ListSipTrunksResponse, error)
	TelephoneOfferings(context.Context, *portinv1.ListTelephoneOfferingsRequest) (*portinv1.ListTelephoneOfferingsResponse, error)
	Providers(context.Context, *portinv1.ListProvidersRequest) (*portinv1.ListProvidersResponse, error)
	BusinessGroups(context.Context, *portinv1.ListBusinessGroupsRequest) (*portinv1.ListBusinessGroupsResponse, error)
	LinePlans(context.Context, *portinv1.ListLinePlansRequest) (*portinv1.ListLinePlansResponse, error)
	Holidays(context.Context, *portinv1.ListHolidaysRequest) (*portinv1.ListHolidaysResponse, error)
	RateCenters(context.Context, *portinv1.ListPortableRateCentersRequest) (*portinv1.ListPortableRateCentersResponse, error)
	CheckPortability(context.Context, *portinv1.CheckPortabilityRequest) (*portinv1.CheckPortabilityResponse, error)
}

// catalogService answers CatalogService, each caller from the lists that its tenant's orders may refer to.
type catalogService struct {
	portinv1.UnsafeCatalogServiceServer
	catalog func(tenant string) Catalog
}

var _ portinv1.CatalogServiceServer = (*catalogService)(nil)

// ListSipTrunks lists the account's SIP trunks.
func (s *catalogService) ListSipTrunks(ctx context.Context, req *portinv1.ListSipTrunksRequest) (*portinv1.ListSipTrunksResponse, error) {
	return s.catalog(tenantOf(ctx)).SipTrunks(ctx, req)
}

// ListTelephoneOfferings lists what a port-in can order.
func (s *catalogService) ListTelephoneOfferings(ctx context.Context, req *portinv1.ListTelephoneOfferingsRequest) (*portinv1.ListTelephoneOfferingsResponse, error) {
	return s.catalog(tenantOf(ctx)).TelephoneOfferings(ctx, req)
}

// ListProviders lists the other carriers.
func (s *catalogService) ListProviders(ctx context.Context, req *portinv1.ListProvidersRequest) (*portinv1.ListProvidersResponse, error) {
	return s.catalog(tenantOf(ctx)).Providers(ctx, req)
}

// ListBusinessGroups lists the account's business groups.
func (s *catalogService) ListBusinessGroups(ctx context.Context, req *portinv1.ListBusinessGroupsRequest) (*portinv1.ListBusinessGroupsResponse, error) {
	return s.catalog(tenantOf(ctx)).BusinessGroups(ctx, req)
}

// ListLinePlans lists the plans of lines and forwards.
func (s *catalogService) ListLinePlans(ctx context.Context, req *portinv1.ListLinePlansRequest) (*portinv1.ListLinePlansResponse, error) {
	return s.catalog(tenantOf(ctx)).LinePlans(ctx, req)
}

// ListHolidays lists the days on which the carrier does not port.
func (s *catalogService) ListHolidays(ctx context.Context, req *portinv1.ListHolidaysRequest) (*portinv1.ListHolidaysResponse, error) {
	return s.catalog(tenantOf(ctx)).Holidays(ctx, req)
}

// ListPortableRateCenters lists the rate centres that numbers can be ported from.
func (s *catalogService) ListPortableRateCenters(ctx context.Context, req *portinv1.ListPortableRateCentersRequest) (*portinv1.ListPortableRateCentersResponse, error) {
	return s.catalog(tenantOf(ctx)).RateCenters(ctx, req)
}

// CheckPortability says of numbers or prefixes whether they can be ported in.
func (s *catalogService) CheckPortability(ctx context.Context, req *portinv1.CheckPortabilityRequest) (*portinv1.CheckPortabilityResponse, error) {
	return s.catalog(tenantOf(ctx)).CheckPortability(ctx, req)
}
