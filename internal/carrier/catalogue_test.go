package carrier_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// listing is a look-up of a list, with an answer and what has to be read from it.
type listing struct {
	path string
	ask  func(context.Context, *carrier.Client) (any, error)
	body string
	want any
	// bad are entries that the list must not have.
	bad []string
}

func listings() map[string]listing {
	plan := func(kind carrier.PlanKind) func(context.Context, *carrier.Client) (any, error) {
		return func(ctx context.Context, c *carrier.Client) (any, error) { return c.Plans(ctx, kind) }
	}
	const plans = `[{"ID":"P-1","Account":7,"Enabled":true,"MonthlyPrice":19.950,"Name":"Basic"},{"ID":"P-2","Account":8,"Enabled":false,"MonthlyPrice":0}]`
	wantPlans := []carrier.Plan{
		{ID: "P-1", Name: "Basic", Account: 7, MonthlyPrice: "19.950", Enabled: true},
		{ID: "P-2", Account: 8, MonthlyPrice: "0"},
	}
	return map[string]listing{
		"trunks": {
			"/SipTrunks", func(ctx context.Context, c *carrier.Client) (any, error) { return c.Trunks(ctx) },
			`[{"Number":4165550100,"Label":"Head office"},{"Number":4165550101}]`,
			[]carrier.Trunk{{Pilot: 4165550100, Label: "Head office"}, {Pilot: 4165550101}},
			[]string{`{}`, `{"Number":"4165550100"}`, `{"Number":null}`, `{"Number":1.5}`, `{"Number":1,"Label":1}`, `{"Number":1,"Number":2}`},
		},
		"offerings": {
			"/Products/TelephoneOfferings", func(ctx context.Context, c *carrier.Client) (any, error) { return c.Offerings(ctx) },
			`[{"OfferingID":"O-1","ProductName":{"En":"Fax","Fr":"Télécopie"},"Type":7},
			  {"OfferingID":"O-2","ProductName":{"En":"Child","Fr":"Enfant"},"Type":12,"PotentialParentSubscriptions":
			   [{"SubscriptionID":"S-1","Name":"4165550100","ProductName":{"En":"Parent","Fr":"Parent"}}]}]`,
			[]carrier.Offering{
				{ID: "O-1", Name: carrier.Text{En: "Fax", Fr: "Télécopie"}, Type: 7},
				{ID: "O-2", Name: carrier.Text{En: "Child", Fr: "Enfant"}, Type: 12, Parents: []carrier.Subscription{
					{ID: "S-1", Name: "4165550100", Product: carrier.Text{En: "Parent", Fr: "Parent"}},
				}},
			},
			[]string{
				`{"ProductName":{"En":"a","Fr":"b"},"Type":7}`,
				`{"OfferingID":"","ProductName":{"En":"a","Fr":"b"},"Type":7}`,
				`{"OfferingID":"O","ProductName":"a","Type":7}`,
				`{"OfferingID":"O","ProductName":{"En":"a"},"Type":7}`,
				`{"OfferingID":"O","ProductName":{"En":"a","Fr":"b"}}`,
				`{"OfferingID":"O","ProductName":{"En":"a","Fr":"b"},"Type":7,"PotentialParentSubscriptions":[{}]}`,
				`{"OfferingID":"O","ProductName":{"En":"a","Fr":"b"},"Type":7,"PotentialParentSubscriptions":{}}`,
			},
		},
		"providers": {
			"/NumberPorts/Providers", func(ctx context.Context, c *carrier.Client) (any, error) { return c.Providers(ctx) },
			`[{"ID":-1,"Name":"Bell"},{"ID":2147483647,"Name":""}]`,
			[]carrier.Provider{{ID: -1, Name: "Bell"}, {ID: 2147483647}},
			[]string{`{"ID":1}`, `{"ID":2147483648,"Name":"a"}`, `{"ID":"1","Name":"a"}`},
		},
		"business groups": {
			"/BusinessGroups", func(ctx context.Context, c *carrier.Client) (any, error) { return c.BusinessGroups(ctx) },
			`[{"ID":"G-1","Name":"Sales"}]`,
			[]carrier.BusinessGroup{{ID: "G-1", Name: "Sales"}},
			[]string{`{"ID":"G-1"}`, `{"ID":1,"Name":"Sales"}`, `{"ID":"a\nb","Name":"Sales"}`},
		},
		"residential plans": {
			"/ResidentialLinePlans", plan(carrier.ResidentialPlan), plans, wantPlans,
			[]string{
				`{"Account":7,"Enabled":true,"MonthlyPrice":1}`, `{"ID":"P","Enabled":true,"MonthlyPrice":1}`,
				`{"ID":"P","Account":7,"MonthlyPrice":1}`, `{"ID":"P","Account":7,"Enabled":true}`,
				`{"ID":"P","Account":7,"Enabled":0,"MonthlyPrice":1}`, `{"ID":"P","Account":7,"Enabled":true,"MonthlyPrice":"1"}`,
			},
		},
		"business plans":     {"/BusinessLinePlans", plan(carrier.BusinessPlan), plans, wantPlans, nil},
		"call forward plans": {"/PermanentCallForwardPlans", plan(carrier.CallForwardPlan), plans, wantPlans, nil},
		"holidays": {
			"/Holidays", func(ctx context.Context, c *carrier.Client) (any, error) { return c.Holidays(ctx) },
			`[{"Date":"2026-07-01T00:00:00","Name":"Canada Day"}]`,
			[]carrier.Holiday{{Date: "2026-07-01T00:00:00", Name: "Canada Day"}},
			[]string{`{"Date":"2026-07-01"}`, `{"Date":20260701,"Name":"Canada Day"}`},
		},
		"rate centres": {
			"/NumberPorts/LNP/RateCenters", func(ctx context.Context, c *carrier.Client) (any, error) { return c.RateCenters(ctx) },
			`[{"Name":"Toronto","Country":"CA","NetworkType":"IP","LNP":true,"Local":false,"OnNet":true}]`,
			[]carrier.RateCenter{{Name: "Toronto", Country: "CA", NetworkType: "IP", LNP: true, OnNet: true}},
			[]string{`{"Name":"Toronto","Country":"CA","NetworkType":"IP","LNP":true,"Local":false}`},
		},
		"prefixes": {
			"/NumberPorts/LNP/NPANXX", func(ctx context.Context, c *carrier.Client) (any, error) { return c.PortablePrefixes(ctx) },
			` [416555, 905200] `,
			[]int32{416555, 905200},
			[]string{`1`, `"416555"`, `4165550`, `416555.0`, `{}`, `null`, `99999999999999999999`},
		},
	}
}

func TestListsAreReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, l := range listings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body atomic.Value
			body.Store(l.body)
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.RequestURI != l.path {
					t.Errorf("%s %s", r.Method, r.RequestURI)
				}
				answering(200, typeJSON, body.Load().(string))(w, r)
			})
			c := client(t, settings(url))
			got, err := l.ask(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(l.want, got); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
			good := strings.TrimSuffix(strings.TrimSpace(l.body), "]")
			for _, bad := range l.bad {
				body.Store(good + "," + bad + "]")
				if _, err := l.ask(t.Context(), c); !fault.Is(err, fault.ReasonCarrierUnreadable) {
					t.Errorf("with the entry %s: %v", bad, err)
				}
			}
			for _, bad := range []string{"", "null", "{}", `{"Items":[]}`, "[", "[{}]", "[null]", "[1.5]", "[[]]", `[""]`} {
				body.Store(bad)
				if _, err := l.ask(t.Context(), c); !fault.Is(err, fault.ReasonCarrierUnreadable) {
					t.Errorf("as %q: %v", bad, err)
				}
			}
			body.Store("[]")
			if _, err := l.ask(t.Context(), c); err != nil {
				t.Errorf("empty: %v", err)
			}
		})
	}
}

func TestThereIsNoOtherKindOfPlan(t *testing.T) {
	t.Parallel()
	c := client(t, settings("http://localhost:1"))
	if _, err := c.Plans(t.Context(), 0); !fault.Is(err, fault.ReasonInternal) {
		t.Errorf("error %v", err)
	}
}

func TestPortabilityIsAskedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		digits string
		answer meeting
		want   carrier.Portability
		reason fault.Reason
	}{
		"a prefix":          {"416555", meeting{status: 200, body: `{"Number":416555,"Reply":1,"Message":"Yes"}`}, carrier.Portability{Number: 416555, Reply: carrier.ReplyAccepted, Message: "Yes"}, ""},
		"a number":          {"4165550123", meeting{status: 200, body: `{"Number":4165550123,"Reply":0}`}, carrier.Portability{Number: 4165550123, Reply: carrier.ReplyRejected}, ""},
		"another number":    {"4165550123", meeting{status: 200, body: `{"Number":4165550124,"Reply":1}`}, carrier.Portability{}, fault.ReasonCarrierUnreadable},
		"no reply":          {"416555", meeting{status: 200, body: `{"Number":416555}`}, carrier.Portability{}, fault.ReasonCarrierUnreadable},
		"an unknown reply":  {"416555", meeting{status: 200, body: `{"Number":416555,"Reply":9}`}, carrier.Portability{}, fault.ReasonCarrierUnreadable},
		"a failing carrier": {"416555", meeting{status: 500, body: sorry}, carrier.Portability{}, fault.ReasonCarrierUnreadable},
		"a busy carrier":    {"416555", meeting{status: 429, retryAfter: "1"}, carrier.Portability{}, fault.ReasonCarrierBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, posts := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.RequestURI != "/NumberPorts/LNP/NPANXX/Check" {
					t.Errorf("asked %q", r.RequestURI)
				}
				script(new(atomic.Int32), c.answer)(w, r)
			})
			got, err := client(t, settings(url)).CheckPortability(t.Context(), c.digits)
			if !cmp.Equal(c.want, got) || (err == nil) != (c.reason == "") || err != nil && !fault.Is(err, c.reason) {
				t.Errorf("%+v, error %v", got, err)
			}
			posted(t, posts, 1)
		})
	}
}

func TestPortabilityOfWhatIsNoNumberIsNotAsked(t *testing.T) {
	t.Parallel()
	url, posts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("asked about %q", body)
		w.WriteHeader(http.StatusBadRequest)
	})
	c := client(t, settings(url))
	for _, digits := range []string{"", "41655", "41655501234", "+14165550", "416 555", "-416555", `416555"`, "41655x"} {
		if _, err := c.CheckPortability(t.Context(), digits); !fault.Is(err, fault.ReasonInvalidFields) {
			t.Errorf("%q: %v", digits, err)
		}
	}
	posted(t, posts, 0)
}
