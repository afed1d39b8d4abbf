package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

// ruleCase changes a legal order. want is a part of the refusal, "" when the order
// stays legal.
type ruleCase struct {
	name   string
	path   string
	change func(body, form object)
	want   string
}

func set(in object, members ...any) {
	for i := 0; i < len(members); i += 2 {
		name, value := members[i].(string), members[i+1]
		if in[name] = value; value == nil {
			delete(in, name)
		}
	}
}

// form changes members of the form; nil takes a member out.
func form(members ...any) func(body, form object) {
	return func(_, form object) { set(form, members...) }
}

// target changes members of the body beside the form.
func target(members ...any) func(body, form object) {
	return func(body, _ object) { set(body, members...) }
}

// entry changes members of one entry of the product's list.
func entry(list string, i int, members ...any) func(body, form object) {
	return func(body, _ object) { set(body.objects(list)[i], members...) }
}

const (
	tollFreePath = "/v2/NumberPorts/Inbound/TollFree/DIDs"
	generalPath  = "/NumberPorts/Inbound/GeneralProducts"
	childPath    = "/NumberPorts/Inbound/GeneralChildProducts"
	resPath      = "/v2/NumberPorts/Inbound/ResidentialLines"
	busPath      = "/v2/NumberPorts/Inbound/BusinessLines"
	forwardPath  = "/v2/NumberPorts/Inbound/PermanentCallForwards"
	groupPath    = "/NumberPorts/Inbound/BusinessPermanentCallForwards"
	faxPath      = "/NumberPorts/Inbound/VirtualFaxes"
)

var ruleCases = []ruleCase{
	{"provider alone", didPath, form("CurrentReseller", nil), ""},
	{"reseller alone", didPath, form("CurrentProvider", nil), ""},
	{"neither", didPath, form("CurrentProvider", nil, "CurrentReseller", nil), "CurrentProvider: required unless"},
	{"an empty reseller", didPath, form("CurrentProvider", nil, "CurrentReseller", ""), "CurrentProvider: required unless"},
	{"neither, not mandatory", didPath, form("CurrentProvider", nil, "CurrentReseller", nil, "CurrentProviderNotMandatory", true), ""},
	{"unknown provider", didPath, form("CurrentProvider", 99), "CurrentProvider: not an ID"},
	{"toll-free, neither", tollFreePath, form("CurrentProvider", nil), ""},
	{"toll-free, reseller alone", tollFreePath, form("CurrentProvider", nil, "CurrentReseller", "R"), ""},
	{"toll-free, both", tollFreePath, form("CurrentReseller", "R"), "CurrentReseller: excludes"},
	{"toll-free, unknown provider", tollFreePath, form("CurrentProvider", 99), "CurrentProvider: not an ID"},

	{"the United States", didPath, form("CustomerCountry", "US"), ""},
	{"another country", didPath, form("CustomerCountry", "FR"), "CustomerCountry"},
	{"country in lower case", didPath, form("CustomerCountry", "ca"), "CustomerCountry"},

	{"no date, no time", didPath, form("RequestedPortDate", nil, "RequestedPortTime", nil), ""},
	{"date alone", didPath, form("RequestedPortTime", nil), ""},
	{"time alone", didPath, form("RequestedPortDate", nil), "RequestedPortTime: only with"},
	{"date of a status", didPath, form("RequestedPortDate", "20261215"), "RequestedPortDate: want"},
	{"no such date", didPath, form("RequestedPortDate", "2026-02-30"), "RequestedPortDate: want"},
	{"date and time in one", didPath, form("RequestedPortDate", "2026-12-15T09:30"), "RequestedPortDate: want"},
	{"empty date", didPath, form("RequestedPortDate", ""), "RequestedPortDate: want"},
	{"midnight", didPath, form("RequestedPortTime", "00:00"), ""},
	{"hour 24", didPath, form("RequestedPortTime", "24:00"), "RequestedPortTime: want"},
	{"short time", didPath, form("RequestedPortTime", "9:30"), "RequestedPortTime: want"},
	{"twelve hours", didPath, form("RequestedPortTime", "09:30 AM"), "RequestedPortTime: want"},

	{"pilot unchanged", didPath, form("ChangePilotNumber", false), "NewPilotNumber: only when"},
	{"pilot change not said", didPath, form("ChangePilotNumber", nil), "NewPilotNumber: only when"},
	{"no new pilot", didPath, form("NewPilotNumber", nil), ""},
	{"new pilot leaves", didPath, form("NewPilotNumber", 4165550123), "NewPilotNumber: not one"},
	{"nothing remains", didPath, form("NumbersToRemain", nil), "NewPilotNumber: not one"},
	{"no circuit", didPath, form("IsPRIMegaLink", false, "PRIMegalinkRemainActive", nil), "PRIMegalinkCircuit: only when"},
	{"no circuit to keep", didPath, form("IsPRIMegaLink", nil, "PRIMegalinkCircuit", nil), "PRIMegalinkRemainActive: only when"},
	{"no circuit at all", didPath, form("IsPRIMegaLink", nil, "PRIMegalinkCircuit", nil, "PRIMegalinkRemainActive", nil), ""},

	{"no number", didPath, form("NumbersToPort", []any{}), "NumbersToPort: no number"},
	{"numbers left out", generalPath, form("NumbersToPort", nil), "NumbersToPort: no number"},
	{"number twice", generalPath, form("NumbersToPort", []any{4165550123, 4165550123}), "NumbersToPort[1]: the number stands at PortForm.NumbersToPort[0]"},
	{"ports and remains", generalPath, form("NumbersToRemain", []any{4165550130, 4165550123}), "NumbersToRemain[1]: the number stands"},
	{"ports and ends", generalPath, form("NumbersToDisconnect", []any{4165550123}), "NumbersToDisconnect[0]: the number stands"},
	{"other order", didPath, form("NumbersToPort", []any{4165550124, 4165550123}), ""},
	{"more in the form", didPath, form("NumbersToPort", []any{4165550123, 4165550124, 4165550125}), "NumbersToPort: has a number that DIDs"},
	{"fewer in the form", didPath, form("NumbersToPort", []any{4165550123}), "DIDs[1]: the number is not in"},
	{"twice in the list", didPath, entry("DIDs", 1, "Number", 4165550123), "DIDs[1]: the number stands twice"},
	{"other line", resPath, entry("Lines", 1, "Number", map[string]any{"Number": 4165550125}), "Lines[1]: the number is not in"},
	{"other forward", forwardPath, entry("Forwards", 0, "Number", map[string]any{"Number": 4165550125}), "Forwards[0]: the number is not in"},
	{"other forwarding", groupPath, entry("ForwardingInstructions", 0, "TN", 4165550125), "ForwardingInstructions[0]: the number is not in"},
	{"toll-free on regular", generalPath, form("NumbersToPort", []any{4165550123, 8005550123}), "NumbersToPort[1]: a toll-free number"},
	{"regular on toll-free", tollFreePath, form("NumbersToPort", []any{8005550123, 4165550123}), "NumbersToPort[1]: a regular number"},

	{"nine digits", generalPath, form("NumbersToPort", []any{416555012}), "NumbersToPort[0]: not a telephone number"},
	{"country code", generalPath, form("NumbersToPort", []any{14165550123}), "NumbersToPort[0]: not a telephone number"},
	{"area code 1xx", generalPath, form("NumbersToPort", []any{1165550123}), "NumbersToPort[0]: not a telephone number"},
	{"exchange 1xx", generalPath, form("NumbersToPort", []any{4161550123}), "NumbersToPort[0]: not a telephone number"},
	{"exchange 411", generalPath, form("NumbersToPort", []any{4164110123}), "NumbersToPort[0]: not a telephone number"},
	{"submitter", didPath, form("SubmitterPhoneNumber", 0), "SubmitterPhoneNumber: not a telephone number"},
	{"forwarding goes nowhere", groupPath, entry("ForwardingInstructions", 0, "ForwardingTN", 5), "ForwardingInstructions[0].ForwardingTN: not a telephone number"},
	{"translated number as it is", didPath, entry("DIDs", 0, "TranslatedNumber", 101), ""},

	{"not base64", didPath, form("FileLastInvoice", []any{map[string]any{"Base64Contents": "%%", "ContentType": "a/b", "FileName": "f"}}), "FileLastInvoice[0].Base64Contents: not standard"},
	{"URL base64", didPath, form("FileLastInvoice", []any{map[string]any{"Base64Contents": "-_-_", "ContentType": "a/b", "FileName": "f"}}), "FileLastInvoice[0].Base64Contents: not standard"},
	{"base64 in lines", didPath, form("FileLastInvoice", []any{map[string]any{"Base64Contents": "AAAA\n", "ContentType": "a/b", "FileName": "f"}}), "FileLastInvoice[0].Base64Contents: not standard"},
	{"base64 unpadded", didPath, form("FileLastInvoice", []any{map[string]any{"Base64Contents": "AA", "ContentType": "a/b", "FileName": "f"}}), "FileLastInvoice[0].Base64Contents: not standard"},
	{"no MIME type", didPath, form("FileLastInvoice", []any{map[string]any{"Base64Contents": "AAAA", "ContentType": "pdf", "FileName": "f"}}), "FileLastInvoice[0].ContentType: not a MIME"},

	{"no such trunk", didPath, target("PilotNumber", 4165550123), "PilotNumber: not a pilot"},
	{"no such trunk, toll-free", tollFreePath, target("PilotNumber", 4165550123), "PilotNumber: not a pilot"},
	{"no such offering", generalPath, target("OfferingID", "OFF-NONE"), "OfferingID: not an OfferingID"},
	{"another product's offering", generalPath, target("OfferingID", "OFF-FAX"), "OfferingID: the offering is of type 7, this operation is for type 1"},
	{"a line's offering", faxPath, target("OfferingID", "OFF-BUSINESS"), "OfferingID: the offering is of type 4"},
	{"no such parent", childPath, target("ParentSubscriptionID", "SUB-NONE"), "ParentSubscriptionID"},
	{"another offering's parent", childPath, target("ParentSubscriptionID", "SUB-2001"), "ParentSubscriptionID"},
	{"another parent of it", childPath, target("ParentSubscriptionID", "SUB-1002"), ""},

	{"no such plan", resPath, entry("Lines", 0, "PlanID", "NONE"), "Lines[0].PlanID: not a plan"},
	{"a business plan", resPath, entry("Lines", 0, "PlanID", "BUS-STANDARD"), "Lines[0].PlanID: not a plan"},
	{"a plan that is no more", resPath, entry("Lines", 1, "PlanID", "RES-RETIRED"), "Lines[1].PlanID: the plan is not enabled"},
	{"two plans", resPath, entry("Lines", 1, "PlanID", "RES-UNLIMITED"), ""},
	{"another account", forwardPath, entry("Forwards", 0, "Account", 1), "Forwards[0].Account"},
	{"two plans for business", busPath, entry("Lines", 1, "PlanID", "BUS-UNLIMITED"), "Lines[1].PlanID: must be equal"},
	{"two groups for business", busPath, entry("Lines", 1, "BusinessGroupID", "BG-MONTREAL"), "Lines[1].BusinessGroupID: must be equal"},
	{"two accounts for business", busPath, entry("Lines", 1, "Account", 1), "Lines[1].Account: must be equal"},
	{"no such group", busPath, func(body, _ object) {
		set(body.objects("Lines")[0], "BusinessGroupID", "BG-NONE")
		set(body.objects("Lines")[1], "BusinessGroupID", "BG-NONE")
	}, "Lines[0].BusinessGroupID: not an ID"},
	{"no such group subscription", groupPath, target("BusinessGroupSubscriptionID", "SUB-BG-9001"), "BusinessGroupSubscriptionID"},

	{"neither number nor rate centre", resPath, entry("Lines", 0, "Number", map[string]any{}), "Lines[0].Number: want either"},
	{"number and rate centre", resPath, entry("Lines", 0, "Number", map[string]any{"Number": 4165550123, "RateCenterName": "Toronto"}), "Lines[0].Number: want either"},
	{"rate centre for a number", resPath, func(body, form object) {
		set(body.objects("Lines")[0], "Number", map[string]any{"RateCenterName": "Toronto"})
		set(form, "NumbersToPort", []any{4165550124})
	}, ""},
	{"no such rate centre", resPath, func(body, form object) {
		set(body.objects("Lines")[0], "Number", map[string]any{"RateCenterName": "Atlantis"})
		set(form, "NumbersToPort", []any{4165550124})
	}, "Lines[0].Number.RateCenterName"},
}

func TestRules(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	for _, c := range ruleCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			op, _, _ := carrier.spec.match(http.MethodPost, c.path)
			body := fullBody(op)
			c.change(body, body.object("PortForm"))
			answer := post(t, carrier, c.path, encode(t, body))
			if c.want == "" {
				answer.mask(t)
				return
			}
			message := answer.exceptionMessage(t)
			if answer.status != http.StatusBadRequest || !strings.Contains(message, c.want) {
				t.Errorf("status %d, message %q, want 400 with %q", answer.status, message, c.want)
			}
		})
	}
}

// TestRefusalsDoNotQuote: a message names members, never what they hold.
func TestRefusalsDoNotQuote(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	const secret = "hunter2"
	for _, change := range []func(body, form object){
		form("CustomerCountry", secret), form("RequestedPortDate", secret), form("CustomerName", []any{secret}),
		form("FileLastInvoice", []any{map[string]any{"Base64Contents": secret + "!", "ContentType": secret, "FileName": secret}}),
		target("PilotNumber", secret),
	} {
		body := did(4165550123)
		change(body, body.object("PortForm"))
		if message := post(t, carrier, didPath, encode(t, body)).exceptionMessage(t); strings.Contains(message, secret) {
			t.Errorf("the message quotes: %s", message)
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	for contentType, want := range map[string]int{
		"application/json":                  http.StatusOK,
		"application/json; charset=UTF-8":   http.StatusOK,
		"application/json; charset=latin1":  http.StatusUnsupportedMediaType,
		"text/plain":                        http.StatusUnsupportedMediaType,
		"application/x-www-form-urlencoded": http.StatusUnsupportedMediaType,
		"":                                  http.StatusUnsupportedMediaType,
	} {
		for path, body := range map[string]any{didPath: did(4165550123), "/NumberPorts/LNP/NPANXX/Check": "416555"} {
			request, err := http.NewRequest(http.MethodPost, b.url+BasePath+path, strings.NewReader(string(encode(t, body))))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth("sandbox", "sandbox")
			request.Header.Set("Content-Type", contentType)
			if answer := b.send(request); answer.status != want {
				t.Errorf("%q on %s answered %d, want %d", contentType, path, answer.status, want)
			}
		}
	}
}

func TestCheckPortability(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	for digits, want := range map[string]int{"416555": 1, "4165550123": 1, "41655501": 1, "867555": 0, "8005550123": 0} {
		var response struct {
			Number int64
			Reply  int
		}
		b.do(t.Context(), http.MethodPost, BasePath+"/NumberPorts/LNP/NPANXX/Check", encode(t, digits)).decode(t, &response)
		if response.Reply != want {
			t.Errorf("%s: Reply %d, want %d", digits, response.Reply, want)
		}
	}
	for _, body := range []string{`"41655"`, `"41655501234"`, `"416-555"`, `"+416555"`, `416555`, `""`, `{}`} {
		if answer := b.do(t.Context(), http.MethodPost, BasePath+"/NumberPorts/LNP/NPANXX/Check", []byte(body)); answer.status != http.StatusBadRequest {
			t.Errorf("%s answered %d", body, answer.status)
		}
	}
}

func TestTelephoneNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]bool{
		4165550123: true, 2002000000: true, 9999999999: true, 8004110123: true,
		8009110123: false, 4169110123: false, 9115550123: false, 1999999999: false, 10000000000: false, -4165550123: false,
	} {
		if nanp(n) != want {
			t.Errorf("nanp(%d) is %v", n, !want)
		}
	}
	for n, want := range map[int64]bool{8005550123: true, 8225550123: true, 8865550123: true, 8895550123: true, 8115550123: false, 8995550123: false, 8765550123: false} {
		if tollFree(n) != want {
			t.Errorf("tollFree(%d) is %v", n, !want)
		}
	}
}
