package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestControlPaths goes through all of them without credentials, in the order of a
// session.
func TestControlPaths(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})

	var waiting struct{ Waiting []string }
	b.control("POST", "/_sandbox/next", `{"outcomes":["rejected","hold"]}`, &waiting)
	if diff := cmp.Diff([]string{"rejected", "accepted+hold"}, waiting.Waiting); diff != "" {
		t.Error(diff)
	}
	b.order(didPath, did(4165550123))
	b.control("GET", "/_sandbox/next", "", &waiting)
	if diff := cmp.Diff([]string{"accepted+hold"}, waiting.Waiting); diff != "" {
		t.Error(diff)
	}
	placed := b.order(didPath, did(4165550124)).mask(t)

	var clock struct{ Now time.Time }
	b.control("POST", "/_sandbox/clock", `{"advance":"48h"}`, &clock)
	if want := noon.Add(48 * time.Hour); !clock.Now.Equal(want) {
		t.Errorf("now %v, want %v", clock.Now, want)
	}
	b.control("GET", "/_sandbox/clock", "", &clock)

	var elsewhere Ticket
	b.control("POST", "/_sandbox/tickets", `{"numbers":[4165550125],"scenario":"cancelled","age":"72h"}`, &elsewhere)
	b.control("PUT", "/_sandbox/tickets/"+placed+"/status", `{"status":"EXPIRED"}`, nil)
	var tickets []Ticket
	b.control("GET", "/_sandbox/tickets", "", &tickets)
	if diff := cmp.Diff(b.Tickets(), tickets); diff != "" {
		t.Error(diff)
	}
	if len(tickets) != 2 || tickets[0].Status != "EXPIRED" || tickets[1].Status != "CANCELLED" || tickets[1].ID != elsewhere.ID {
		t.Errorf("tickets %+v", tickets)
	}

	b.control("POST", "/_sandbox/lookups", `{"lookups":"status","count":1,"outcome":"html-502"}`, nil)
	if answer := b.statusOf("4165550124"); answer.status != http.StatusBadGateway {
		t.Errorf("status %d", answer.status)
	}

	var switched Unknowns
	b.control("PUT", "/_sandbox/unknowns", `{"none":"html","visible_after":"10m"}`, &switched)
	if want := (Unknowns{None: NoneHTML, VisibleAfter: 10 * time.Minute}).withDefaults(); switched != want || b.Unknowns() != want {
		t.Errorf("switched to %v", switched)
	}
	b.control("GET", "/_sandbox/unknowns", "", &switched)

	var counts Counts
	b.control("GET", "/_sandbox/counts", "", &counts)
	if diff := cmp.Diff(b.Counts(), counts); diff != "" {
		t.Error(diff)
	}

	b.control("POST", "/_sandbox/reset", "", nil)
	if b.Counts().Orders != 0 || b.Unknowns().String() != "defaults" {
		t.Errorf("counts %+v, switches %v", b.Counts(), b.Unknowns())
	}
}

func TestControlRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	body := did(4165550123)
	body.object("PortForm")["CommentsPortTeam"] = strings.Repeat("x", 2*listedBody)
	b.order(didPath, body)
	b.get(BasePath + "/SipTrunks")
	var list []struct {
		Seq      int
		Method   string
		Outcome  string
		Body     string
		BodyCut  bool `json:"body_cut"`
		BodySize int  `json:"body_size"`
		Header   http.Header
	}
	b.control("GET", "/_sandbox/requests", "", &list)
	if len(list) != 2 || list[0].Outcome != "accepted" || !list[0].BodyCut || len(list[0].Body) != listedBody || list[1].Method != http.MethodGet {
		t.Errorf("list %+v", list)
	}
	if list[0].Header.Get("Content-Type") == "" || list[0].Header.Get("Authorization") != "" {
		t.Errorf("header %v", list[0].Header)
	}
	all := b.get("/_sandbox/requests/" + strconv.Itoa(list[0].Seq) + "/body")
	if !bytes.Equal(all.body, encode(t, body)) || len(all.body) != list[0].BodySize {
		t.Errorf("the body has %d bytes of %d", len(all.body), list[0].BodySize)
	}
	for _, seq := range []string{"99", "x"} {
		if answer := b.get("/_sandbox/requests/" + seq + "/body"); answer.status != http.StatusNotFound {
			t.Errorf("body %s answered %d", seq, answer.status)
		}
	}
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/_sandbox/next", `{"outcomes":["nothing"]}`, 400},
		{"POST", "/_sandbox/next", `{"outcome":["slow"]}`, 400},
		{"POST", "/_sandbox/next", `{"outcomes":["slow"]} x`, 400},
		{"POST", "/_sandbox/next", ``, 400},
		{"POST", "/_sandbox/clock", `{"advance":"two days"}`, 400},
		{"POST", "/_sandbox/clock", `{"advance":48}`, 400},
		{"POST", "/_sandbox/lookups", `{"lookups":"orders","count":1,"outcome":"slow"}`, 400},
		{"POST", "/_sandbox/lookups", `[]`, 400},
		{"POST", "/_sandbox/tickets", `{"numbers":[1]}`, 400},
		{"POST", "/_sandbox/tickets", `{"numbers":"1"}`, 400},
		{"PUT", "/_sandbox/tickets/SANDBOX-0/status", `{"status":"HOLD"}`, 404},
		{"PUT", "/_sandbox/tickets/SANDBOX-0/status", `{"word":"HOLD"}`, 400},
		{"PUT", "/_sandbox/unknowns", `{"none":"maybe"}`, 400},
		{"PUT", "/_sandbox/unknowns", `{"nothing":"404"}`, 400},
		{"PUT", "/_sandbox/unknowns", `{"none":404}`, 400},
		{"DELETE", "/_sandbox/tickets", ``, 405},
		{"GET", "/_sandbox/nothing", ``, 404},
		{"GET", "/", ``, 404},
	} {
		answer := b.control(c.method, c.path, c.body, nil)
		if answer.status != c.want {
			t.Errorf("%s %s %s answered %d %s", c.method, c.path, c.body, answer.status, answer.body)
		}
		var problem struct{ Error string }
		if c.want == 400 && (json.Unmarshal(answer.body, &problem) != nil || problem.Error == "") {
			t.Errorf("%s %s %s says nothing: %s", c.method, c.path, c.body, answer.body)
		}
	}
	if b.Unknowns().String() != "defaults" || len(b.Waiting()) != 0 {
		t.Errorf("switches %v, waiting %v", b.Unknowns(), b.Waiting())
	}
}

// TestHelpListsEverything holds the page against the tables.
func TestHelpListsEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	answer := b.get("/_sandbox/")
	if answer.status != 200 || !strings.HasPrefix(answer.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v", answer.status, answer.header)
	}
	page := string(answer.body)
	var want []string
	for _, o := range Outcomes() {
		want = append(want, o.Name, o.Says)
	}
	for _, s := range Scenarios() {
		want = append(want, s.Name, s.Says)
	}
	for _, s := range switches {
		want = append(want, s.key, s.asks)
		for _, p := range s.positions {
			want = append(want, p.value, p.says)
		}
	}
	for _, route := range controlRoutes() {
		want = append(want, route.path, route.says)
	}
	for _, o := range b.catalogue.offerings {
		want = append(want, o.OfferingID)
	}
	want = append(want, "4165550100", "BG-TORONTO", "SUB-1001", "RES-BASIC", "BUS-STANDARD", "PCF-LOCAL", "Fibernetics", "416555", "Ottawa-Hull", "100234")
	for _, text := range want {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}
