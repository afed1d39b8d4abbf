package sandbox

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// retail sends a request as the account retail.
func (b *bench) retail(password, method, path string, body []byte) got {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url+BasePath+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.SetBasicAuth("retail", password)
	request.Header.Set("Content-Type", "application/json")
	return b.send(request)
}

// What one account has, the others neither see nor may refer to.
func TestAccountsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Accounts: []Account{{Username: "retail", Password: "secret", Pilots: []int64{4165550199}}}})
	mine := b.order(didPath, did(4165550123)).mask(t)
	foreign := b.retail("secret", http.MethodPost, didPath, encode(t, did(4165550124)))
	if foreign.status != http.StatusBadRequest {
		t.Errorf("an order to a trunk of another account answered %d", foreign.status)
	}
	body := did(4165550124)
	body["PilotNumber"] = 4165550199
	theirs := b.retail("secret", http.MethodPost, didPath, encode(t, body)).mask(t)
	elsewhere, err := b.PlaceElsewhere(Elsewhere{Numbers: []int64{4165550125}, Account: "retail"})
	if err != nil {
		t.Fatal(err)
	}

	statuses := map[string][2]int{}
	for path := range map[string]bool{
		"/v2/NumberPorts/Inbound/Tickets/" + mine + "/PortInStatus": true, "/v2/NumberPorts/Inbound/Numbers/4165550123/PortInStatus": true,
		"/v2/NumberPorts/Inbound/Tickets/" + theirs + "/PortInStatus": true, "/v2/NumberPorts/Inbound/Numbers/4165550124/PortInStatus": true,
		"/v2/NumberPorts/Inbound/Tickets/" + elsewhere.ID + "/PortInStatus": true,
	} {
		statuses[path] = [2]int{b.get(BasePath + path).status, b.retail("secret", http.MethodGet, path, nil).status}
	}
	want := map[string][2]int{
		"/v2/NumberPorts/Inbound/Tickets/" + mine + "/PortInStatus": {200, 404}, "/v2/NumberPorts/Inbound/Numbers/4165550123/PortInStatus": {200, 404},
		"/v2/NumberPorts/Inbound/Tickets/" + theirs + "/PortInStatus": {404, 200}, "/v2/NumberPorts/Inbound/Numbers/4165550124/PortInStatus": {404, 200},
		"/v2/NumberPorts/Inbound/Tickets/" + elsewhere.ID + "/PortInStatus": {404, 200},
	}
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Errorf("what the first account and the second one are answered (-want +got):\n%s", diff)
	}
	var orders [2]customerInfo
	b.get(BasePath+"/v2/NumberPorts/Inbound/Dashboard/PortInInfo").decode(t, &orders[0])
	b.retail("secret", http.MethodGet, "/v2/NumberPorts/Inbound/Dashboard/PortInInfo", nil).decode(t, &orders[1])
	if len(orders[0].Orders) != 1 || len(orders[1].Orders) != 2 {
		t.Errorf("the dashboards show %v", orders)
	}
	var trunks []trunk
	b.retail("secret", http.MethodGet, "/SipTrunks", nil).decode(t, &trunks)
	if diff := cmp.Diff([]trunk{{Label: "retail", Number: 4165550199}}, trunks); diff != "" {
		t.Errorf("trunks (-want +got):\n%s", diff)
	}
}

func TestAPasswordChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Accounts: []Account{{Username: "retail", Password: "secret"}}})
	answers := func() (all []int) {
		for _, password := range []string{"secret", "other"} {
			all = append(all, b.retail(password, http.MethodGet, "/SipTrunks", nil).status)
		}
		return append(all, b.get(BasePath+"/SipTrunks").status)
	}
	before := answers()
	b.SetPassword("retail", "other")
	if diff := cmp.Diff([][]int{{200, 401, 200}, {401, 200, 200}}, [][]int{before, answers()}); diff != "" {
		t.Errorf("answers before and after (-want +got):\n%s", diff)
	}
}
