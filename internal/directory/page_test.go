package directory_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
)

// many is a directory of a carrier with so many providers.
func many(providers int) *directory.Directory {
	f := stocked()
	for i := range providers {
		f.lists.providers = append(f.lists.providers[:i], carrier.Provider{ID: int32(i), Name: fmt.Sprint(i)})
	}
	f.lists.providers = f.lists.providers[:providers]
	return directory.New(f, directory.Config{})
}

func providers(t *testing.T, d *directory.Directory, size int32, token string) *portinv1.ListProvidersResponse {
	t.Helper()
	resp, err := d.Providers(t.Context(), &portinv1.ListProvidersRequest{PageSize: size, PageToken: token})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestPagesAreTheWholeListOnce(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 99, 100, 101, 250, 1000, 2001} {
		for size, full := range map[int32]int{0: 100, 1: 1, 7: 7, 100: 100, 1000: 1000, 5000: 1000, -3: 100} {
			if length > 300 && full == 1 {
				continue
			}
			d := many(length)
			token, seen := "", 0
			for pages := 0; ; pages++ {
				resp := providers(t, d, size, token)
				for _, p := range resp.GetProviders() {
					if int(p.GetProviderId()) != seen {
						t.Fatalf("%d by %d: provider %d at place %d", length, size, p.GetProviderId(), seen)
					}
					seen++
				}
				if token = resp.GetNextPageToken(); token == "" {
					break
				}
				if len(resp.GetProviders()) != full || len(token) > 100 || pages > length {
					t.Fatalf("%d by %d: page %d has %d, token %q", length, size, pages, len(resp.GetProviders()), token)
				}
			}
			if seen != length {
				t.Errorf("%d by %d: %d seen", length, size, seen)
			}
		}
	}
}

func TestATokenBelongsToItsListAndFilters(t *testing.T) {
	t.Parallel()
	d := directory.New(stocked(), directory.Config{})
	token := providers(t, d, 1, "").GetNextPageToken()
	invalid := func(name string, err error) {
		t.Helper()
		if !fault.Is(err, fault.ReasonPageTokenInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := d.SipTrunks(t.Context(), &portinv1.ListSipTrunksRequest{PageToken: token})
	invalid("trunks", err)
	_, err = d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{PageToken: token})
	invalid("offerings", err)
	_, err = d.BusinessGroups(t.Context(), &portinv1.ListBusinessGroupsRequest{PageToken: token})
	invalid("groups", err)
	_, err = d.Holidays(t.Context(), &portinv1.ListHolidaysRequest{PageToken: token})
	invalid("holidays", err)
	_, err = d.RateCenters(t.Context(), &portinv1.ListPortableRateCentersRequest{PageToken: token})
	invalid("centres", err)

	plans, err := d.LinePlans(t.Context(), &portinv1.ListLinePlansRequest{PageSize: 1})
	if err != nil || plans.GetNextPageToken() == "" {
		t.Fatal(plans, err)
	}
	_, err = d.LinePlans(t.Context(), &portinv1.ListLinePlansRequest{
		PageSize: 1, PageToken: plans.GetNextPageToken(), Kind: portinv1.LinePlanKind_LINE_PLAN_KIND_BUSINESS.Enum(),
	})
	invalid("plans of another kind", err)
	offerings, err := d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{PageSize: 1})
	if err != nil || offerings.GetNextPageToken() == "" {
		t.Fatal(offerings, err)
	}
	_, err = d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{
		PageToken: offerings.GetNextPageToken(), Target: new("virtual_fax"),
	})
	invalid("offerings of another target", err)
}

func TestTokensThatNobodyMadeAreRefused(t *testing.T) {
	t.Parallel()
	d := many(10)
	token := providers(t, d, 3, "").GetNextPageToken()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	for _, bad := range []string{
		"x", "3", token + "A", token[1:], strings.ToUpper(token) + "=", " " + token, encode(raw[:4]), encode(append(raw[:4:4], 0)),
		encode(append(raw[:4:4], 0x83, 0x00)), encode(append(raw[:4:4], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)),
		encode(append(raw[:4:4], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), encode([]byte("\x00\x00\x00\x00\x03")),
		strings.Repeat("A", 10_000), "../..", "\x00",
	} {
		if _, err := d.Providers(t.Context(), &portinv1.ListProvidersRequest{PageToken: bad}); !fault.Is(err, fault.ReasonPageTokenInvalid) {
			t.Errorf("token %.20q: %v", bad, err)
		}
	}
	// A list that has become shorter ends; that is no mistake of the caller's.
	beyond := encode(append(raw[:4:4], 11))
	if resp := providers(t, d, 3, beyond); len(resp.GetProviders()) != 0 || resp.GetNextPageToken() != "" {
		t.Errorf("beyond the end: %v", resp)
	}
}

// FuzzPageToken holds that a token never panics, and that one which is taken is one that the directory makes: the page
// before it leads to it.
func FuzzPageToken(f *testing.F) {
	d := many(100)
	first, err := d.Providers(f.Context(), &portinv1.ListProvidersRequest{PageSize: 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first.GetNextPageToken(), int32(3))
	f.Add("", int32(0))
	f.Add("AAAAAAM", int32(1))
	f.Fuzz(func(t *testing.T, token string, size int32) {
		resp, err := d.Providers(t.Context(), &portinv1.ListProvidersRequest{PageSize: size, PageToken: token})
		if err != nil {
			if !fault.Is(err, fault.ReasonPageTokenInvalid) || strings.Contains(err.Error(), token) && len(token) > 20 {
				t.Fatalf("token %q: %v", token, err)
			}
			return
		}
		if len(resp.GetProviders()) == 0 || token == "" {
			return
		}
		at := resp.GetProviders()[0].GetProviderId()
		if before := providers(t, d, at, ""); before.GetNextPageToken() != token {
			t.Fatalf("token %q is taken, but the one of place %d is %q", token, at, before.GetNextPageToken())
		}
	})
}
