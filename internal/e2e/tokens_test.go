package e2e_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// listed is what a caller with a token is answered who lists orders: the whole error, or one without a code when there is none.
// The line of the log about it has the trace identity.
func (c *client) listed(t *testing.T, over face, token, traceID string) *rpcstatus.Status {
	t.Helper()
	if over == overGRPC {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", traceID)
		_, err := c.grpc.ListPortInOrders(ctx, &portinv1.ListPortInOrdersRequest{}, grpc.PerRPCCredentials(bearer(token)))
		return status.Convert(err).Proto()
	}
	a := c.do(t, http.MethodGet, "http://"+c.HTTPAddress+"/v1/port-ins", nil, "Authorization", "Bearer "+token, "X-Request-Id", traceID)
	s := &rpcstatus.Status{}
	if a.status == http.StatusOK {
		return s
	}
	if err := protojson.Unmarshal(a.body, s); err != nil {
		t.Fatalf("HTTP %d: %v", a.status, err)
	}
	if want := map[codes.Code]int{codes.Unauthenticated: 401, codes.Unavailable: 503}[codes.Code(s.GetCode())]; a.status != want {
		t.Errorf("HTTP %d with the code %d, want %d", a.status, s.GetCode(), want)
	}
	return s
}

// told compares what a caller with a token is told over a face with what it should be; nil is that it may list orders.
func (c *client) told(t *testing.T, over face, name, token string, want *rpcstatus.Status) {
	t.Helper()
	if diff := cmp.Diff(want, c.listed(t, over, token, newKey()), protocmp.Transform(), protocmp.IgnoreEmptyMessages()); diff != "" {
		t.Errorf("%s is told over %s (-want +got):\n%s", name, over, diff)
	}
}

// anError is an error of the service, whole.
func anError(t *testing.T, code codes.Code, message string, details ...proto.Message) *rpcstatus.Status {
	t.Helper()
	s := &rpcstatus.Status{Code: int32(code), Message: message}
	for _, d := range details {
		detail, err := anypb.New(d)
		if err != nil {
			t.Fatal(err)
		}
		s.Details = append(s.Details, detail)
	}
	return s
}

// notLetIn is what everybody is told who is refused, whatever the reason.
func notLetIn(t *testing.T) *rpcstatus.Status {
	t.Helper()
	return anError(t, codes.Unauthenticated, "the request has no credentials that are valid here",
		&errdetails.ErrorInfo{Reason: "UNAUTHENTICATED", Domain: "portin.v1"})
}

// causes are what the log says of the calls with trace identities: why each was refused.
func (p *process) causes(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(p.log.String()) {
		var said struct {
			Msg, Cause string
			RequestID  string `json:"request_id"`
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "call" && said.Cause != "" {
			all[said.RequestID] = said.Cause
		}
	}
	return all
}

// keepsQuiet wants nothing of a token to be in a log: neither what was signed nor the signature.
func (p *process) keepsQuiet(t *testing.T, name, token string) {
	t.Helper()
	for i, part := range strings.Split(token, ".") {
		if i > 0 && len(part) > 16 && p.log.has(part) {
			t.Errorf("the log has part %d of the token %q", i, name)
		}
	}
}

// A good token lets its caller do what its scopes allow, in its tenant, over both faces: whether the callers file knows its
// subject, or its claims say who it is.
func TestFault29_GoodTokensAndTheirScopes(t *testing.T) {
	t.Parallel()
	key := signingKey(t, "one")
	i := newIssuer(t, key)
	p, a, carrier := takesTokens(t, i, tokenTenants)
	tokens := map[string]string{
		"night-shift": i.token(t, key, map[string]any{"sub": "00u1abcd", "tenant": nil, "scope": nil}),
		"reader":      i.token(t, key, nil),
		"clerk":       i.token(t, key, map[string]any{"sub": "u-2", "tenant": "globex", "scope": nil, "scp": []string{"portin:read", "portin:order"}}),
		"landlord":    i.token(t, key, map[string]any{"sub": "u-3", "scope": "portin:order portin:operate portin:read"}),
	}
	callers := map[string]*client{}
	for name, token := range tokens {
		callers[name] = p.as(t, a, token)
	}
	for _, f := range faces() {
		got := map[string][3]codes.Code{}
		for name, c := range callers {
			got[name] = [3]codes.Code{c.code(t, f), c.portIn(t.Context(), f, carrier.order(t, ""), newKey()).code, c.decides(t)}
		}
		const ok, no, none = codes.OK, codes.PermissionDenied, codes.NotFound // none: it may, and there is no such order
		want := map[string][3]codes.Code{"night-shift": {ok, no, none}, "reader": {ok, no, no}, "clerk": {ok, ok, no}, "landlord": {ok, ok, none}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("over %s reading, ordering and deciding are answered (-want +got):\n%s", f, diff)
		}
		theirs := callers["clerk"].must(t, f, carrier.order(t, ""), newKey(), accepted)
		if actor := callers["clerk"].events(t, theirs.orderID)[0].GetActor(); actor != "oidc:u-2" {
			t.Errorf("the order was placed by %q, says its event", actor)
		}
		ours := callers["landlord"].must(t, f, carrier.order(t, ""), newKey(), accepted)
		seen := map[string]codes.Code{}
		for name, c := range callers {
			seen[name+" of globex's"], seen[name+" of acme's"] = c.reads(t, f, theirs.orderID), c.reads(t, f, ours.orderID)
		}
		if diff := cmp.Diff(map[string]codes.Code{
			"night-shift of globex's": none, "reader of globex's": none, "landlord of globex's": none, "clerk of globex's": ok,
			"night-shift of acme's": ok, "reader of acme's": ok, "landlord of acme's": ok, "clerk of acme's": none,
		}, seen); diff != "" {
			t.Errorf("over %s orders are read (-want +got):\n%s", f, diff)
		}
	}
	i.wasAsked(t, "for all of them", 1, 1)
	for name, token := range tokens {
		p.keepsQuiet(t, name, token)
	}
}

// decides is what a decision about an order that is not there comes to.
func (c *client) decides(t *testing.T) codes.Code {
	t.Helper()
	_, err := c.resolve(t.Context(), &portinv1.PortInOrder{OrderId: newKey(), Attempt: 1}, "", false)
	return status.Code(err)
}

// reads is what reading an order comes to.
func (c *client) reads(t *testing.T, over face, orderID string) codes.Code {
	t.Helper()
	if over == overGRPC {
		_, err := c.grpc.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: orderID})
		return status.Code(err)
	}
	a := c.do(t, http.MethodGet, "http://"+c.HTTPAddress+"/v1/port-ins/"+orderID, nil)
	return map[int]codes.Code{200: codes.OK, 401: codes.Unauthenticated, 404: codes.NotFound}[a.status]
}

// badToken is a token that is refused, and what the log and the metric call the reason.
type badToken struct{ token, why string }

// badTokens has every way in which a token is not good. One has the key's public half for a secret, as whoever reads the
// issuer's keys could make it.
func badTokens(t *testing.T, i *issuer, key jose.JSONWebKey) map[string]badToken {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	shared := func(secret []byte) string {
		return signed(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: key.KeyID}}, i.claims(nil))
	}
	good, now := strings.Split(i.token(t, key, nil), "."), time.Now()
	richer := strings.Split(i.token(t, key, map[string]any{"scope": "portin:admin"}), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + key.KeyID + `"}`))
	return map[string]badToken{
		"alg none":                  {none + "." + good[1] + ".", "malformed"},
		"alg none, signed":          {none + "." + good[1] + "." + good[2], "malformed"},
		"HS256 with the public key": {shared(der), "malformed"},
		"HS256 with it as PEM":      {shared(text), "malformed"},
		"for another audience":      {i.token(t, key, map[string]any{"aud": "another"}), "token_foreign"},
		"of another issuer":         {i.token(t, key, map[string]any{"iss": i.url + "/other"}), "token_foreign"},
		"expired":                   {i.token(t, key, map[string]any{"exp": now.Add(-time.Minute).Unix()}), "token_expired"},
		"not yet valid":             {i.token(t, key, map[string]any{"nbf": now.Add(time.Hour).Unix()}), "token_expired"},
		"of an unknown key":         {i.token(t, signingKey(t, "unknown"), nil), "token_forged"},
		"of an impostor":            {i.token(t, signingKey(t, key.KeyID), nil), "token_forged"},
		"with other claims":         {good[0] + "." + richer[1] + "." + good[2], "token_forged"},
		"without its signature":     {good[0] + "." + good[1] + ".", "token_forged"},
		"of an unknown tenant":      {i.token(t, key, map[string]any{"tenant": "initech"}), "token_of_nobody"},
		"without a scope":           {i.token(t, key, map[string]any{"scope": "openid read"}), "token_of_nobody"},
		"no token":                  {"hunter2-hunter2-hunter2", "malformed"},
	}
}

// Who comes with a token that is not good is told one and the same thing, whatever is wrong with it. The log and a metric say
// what that is, and nothing of the token.
func TestFault29_BadTokensAreRefusedWithoutDetail(t *testing.T) {
	t.Parallel()
	key := signingKey(t, "one")
	i := newIssuer(t, key)
	p, a, _ := takesTokens(t, i, tokenTenants)
	nobody := p.as(t, a, "")
	bad := badTokens(t, i, key)
	for _, f := range faces() {
		nobody.told(t, f, "a good token", i.token(t, key, nil), nil)
	}
	logged, counted := map[string]string{}, map[string]float64{}
	for name, b := range bad {
		for _, f := range faces() {
			traceID := newKey()
			if diff := cmp.Diff(notLetIn(t), nobody.listed(t, f, b.token, traceID), protocmp.Transform()); diff != "" {
				t.Errorf("a token %s is answered over %s (-want +got):\n%s", name, f, diff)
			}
			logged[traceID] = "refused: " + b.why
			counted[b.why]++
		}
	}
	until(t, "all of them are in the log", func() bool { return len(p.causes(t)) >= len(logged) })
	if diff := cmp.Diff(logged, p.causes(t)); diff != "" {
		t.Errorf("why they are refused, says the log, by the call (-want +got):\n%s", diff)
	}
	got := map[string]float64{}
	for why := range counted {
		got[why] = p.metric(t, fmt.Sprintf("portin_auth_refused_total{why=%q}", why))
	}
	if diff := cmp.Diff(counted, got); diff != "" {
		t.Errorf("why they are refused, says the metric (-want +got):\n%s", diff)
	}
	for name, b := range bad {
		p.keepsQuiet(t, name, b.token)
	}
}

// A flood of tokens that name keys nobody knows asks the issuer as often as it may be asked, and keeps nobody with a good one
// waiting for it.
func TestFault29_AFloodOfUnknownKeysAsksTheIssuerSeldom(t *testing.T) {
	t.Parallel()
	key := signingKey(t, "one")
	i := newIssuer(t, key)
	p, a, _ := takesTokens(t, i, tokenTenants)
	nobody := p.as(t, a, "")
	const crowd = 200
	forged := make([]string, crowd)
	for n := range forged {
		forged[n] = i.token(t, signingKey(t, fmt.Sprintf("unknown-%d", n)), nil)
	}
	good, began := i.token(t, key, nil), time.Now()
	var all sync.WaitGroup
	for n, token := range forged {
		f := faces()[n%2]
		all.Go(func() { nobody.told(t, f, "a forged token", token, notLetIn(t)) })
		if n%20 == 0 {
			all.Go(func() { nobody.told(t, f, "a good token", good, nil) })
		}
	}
	all.Wait()
	// Every ten seconds, and once at the start: on a quick machine that is once.
	most := 1 + int(time.Since(began)/(10*time.Second))
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.asked[discoveryPath] != 1 || i.asked[keySetPath] < 1 || i.asked[keySetPath] > most {
		t.Errorf("for %d unknown keys the issuer was asked %v, want its keys %d times at most", crowd, i.asked, most)
	}
}

// A key that the issuer begins to sign with is good as soon as its keys may be fetched again; while it is down, known keys stay
// good and unknown ones are nobody's.
func TestFault29_KeysAreRotatedAndTheIssuerGoesDown(t *testing.T) {
	t.Parallel()
	first, second, third := signingKey(t, "one"), signingKey(t, "two"), signingKey(t, "three")
	i := newIssuer(t, first)
	p, a, _ := takesTokens(t, i, tokenTenants)
	nobody := p.as(t, a, "")
	old := i.token(t, first, nil)
	nobody.told(t, overGRPC, "a token of the first key", old, nil)
	i.wasAsked(t, "for the first key", 1, 1)

	i.publish(first, second)
	rotated := i.token(t, second, nil)
	until(t, "a token of the new key is good", func() bool { return nobody.listed(t, overJSON, rotated, newKey()).GetCode() == 0 })
	i.wasAsked(t, "for the new key", 1, 2) // the first time that it may be asked at all
	nobody.told(t, overJSON, "a token of the first key", old, nil)

	i.down()
	unknown := i.token(t, third, nil)
	until(t, "it is noticed that the issuer is down", func() bool {
		nobody.told(t, overGRPC, "a token of an unknown key", unknown, notLetIn(t))
		return p.metric(t, "portin_auth_keys_missing") == 1
	})
	for _, f := range faces() {
		nobody.told(t, f, "a token of the first key, without the issuer", old, nil)
		nobody.told(t, f, "a token of the second key, without the issuer", rotated, nil)
		nobody.told(t, f, "a token of an unknown key, without the issuer", unknown, notLetIn(t))
	}
	i.publish(first, second, third)
	i.up(t)
	until(t, "the issuer's next key is good", func() bool { return nobody.listed(t, overGRPC, unknown, newKey()).GetCode() == 0 })
	if got := p.metric(t, "portin_auth_keys_missing"); got != 0 {
		t.Errorf("with the issuer up again, portin_auth_keys_missing is %v", got)
	}
	for name, token := range map[string]string{"old": old, "rotated": rotated, "unknown": unknown} {
		p.keepsQuiet(t, name, token)
	}
}

// As long as the issuer was never reached, nobody can say that a token is not good: its caller is told to come back. Whoever has
// another thing to show is judged by it as ever.
func TestFault29_AnIssuerThatWasNeverReached(t *testing.T) {
	t.Parallel()
	key := signingKey(t, "one")
	i := newIssuer(t, key)
	i.down()
	apikey, sum := apiKey()
	stale, _ := apiKey()
	p, a, _ := takesTokens(t, i, tokenTenants+"  - {name: boss, tenant: acme, scopes: [read], key_sha256: "+sum+"}\n")
	nobody, robot := p.as(t, a, ""), p.as(t, a, "", a.issue(t, "robot.example.com", 4))
	good := i.token(t, key, nil)
	later := anError(t, codes.Unavailable, "the keys that tokens are checked with cannot be had yet; try again",
		&errdetails.ErrorInfo{Reason: "ISSUER_UNREACHABLE", Domain: "portin.v1"}, &errdetails.RetryInfo{RetryDelay: durationpb.New(10 * time.Second)})
	for _, f := range faces() {
		nobody.told(t, f, "a token that may be good", good, later)
		nobody.told(t, f, "what is no token", "hunter2-hunter2-hunter2", notLetIn(t))
		nobody.told(t, f, "a key that nobody has", stale, notLetIn(t))
		nobody.told(t, f, "a key", apikey, nil)
		if got := robot.code(t, f); got != codes.Unauthenticated {
			t.Errorf("a certificate of nobody is told %v over %s", got, f)
		}
	}
	if resp := nobody.do(t, http.MethodGet, "http://"+p.HTTPAddress+"/v1/port-ins", nil, "Authorization", "Bearer "+good); resp.header.Get("Retry-After") != "10" ||
		resp.header.Get("WWW-Authenticate") != "" {
		t.Errorf("a token that may be good is answered with the header %v", resp.header)
	}
	if !p.log.has("refused: keys_missing") {
		t.Error("the log does not say that the keys are missing")
	}
	i.up(t)
	until(t, "the token is good", func() bool { return nobody.listed(t, overGRPC, good, newKey()).GetCode() == 0 })
	nobody.told(t, overGRPC, "a token of an unknown key", i.token(t, signingKey(t, "two"), nil), notLetIn(t))
	p.keepsQuiet(t, "that may be good", good)
}
