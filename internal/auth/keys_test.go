package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// refused checks why a token is refused; "" is that it is not.
func (h *house) refused(what, token string, want Refusal) {
	h.t.Helper()
	if _, why := h.bearer(token); why != want {
		h.t.Errorf("%s is refused with %q, want %q", what, why, want)
	}
}

// lands waits until the keys are not being fetched.
func (h *house) lands() { <-h.tokens.keys.refresh(h.t.Context()) }

// wasAsked checks how often the issuer was asked since the last time.
func (i *issuer) wasAsked(discoveries, keys int) {
	i.t.Helper()
	got := i.counts()
	if want := [2]int{discoveries, keys}; [2]int{got[discovery], got[keySet]} != want {
		i.t.Errorf("the issuer was asked %v, want %d times where its keys are and %d times for them", got, discoveries, keys)
	}
}

func TestFault29_TheIssuerChangesItsKeys(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster)
	first, firstPublic := newKey(t, "one")
	second, secondPublic := newKey(t, "two")
	i.publishes(firstPublic)
	h.refused("the first", i.sign(first, nil), "")
	i.wasAsked(1, 1)

	i.publishes(firstPublic, secondPublic)
	h.refused("a new one, a moment later", i.sign(second, nil), TokenForged)
	i.wasAsked(0, 0)
	h.clock.pass(fetchEvery)
	h.refused("a new one", i.sign(second, nil), "")
	h.refused("the first", i.sign(first, nil), "")
	i.wasAsked(0, 1)

	// A key that is withdrawn is good no longer than it takes until they are fetched again.
	i.publishes(secondPublic)
	h.tokens.renew(t.Context())
	i.wasAsked(0, 0)
	h.clock.pass(keysAge)
	h.tokens.renew(t.Context())
	h.lands()
	h.refused("the withdrawn one", i.sign(first, nil), TokenForged)
	h.refused("the other", i.sign(second, nil), "")
	i.wasAsked(0, 1)
}

func TestFault29_TheKeyServerIsDown(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster)
	key, public := newKey(t, "one")
	unknown, _ := newKey(t, "two")
	i.publishes(public)
	h.plants(planted)
	i.answers(down)
	h.refused("at the start", i.sign(key, nil), KeysMissing)
	h.refused("a moment later", i.sign(key, nil), KeysMissing)
	i.wasAsked(1, 0)
	i.answers(nil)
	h.refused("too soon", i.sign(key, nil), KeysMissing)
	i.wasAsked(0, 0)
	h.clock.pass(fetchEvery)
	h.refused("when it is up", i.sign(key, nil), "")
	i.wasAsked(1, 1)

	// Later, the keys that are known stay good for as long as it takes.
	for _, answer := range []http.HandlerFunc{
		down,
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, planted) },
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, keySet+"?"+planted, http.StatusFound)
		},
		func(w http.ResponseWriter, _ *http.Request) { // the connection breaks
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, planted)
		},
	} {
		i.answers(i.onlyKeys(answer))
		h.clock.pass(fetchEvery)
		h.refused("an unknown one", i.sign(unknown, nil), TokenForged)
		h.clock.pass(24 * time.Hour)
		h.tokens.renew(t.Context())
		h.lands()
		h.refused("a known one", i.sign(key, nil), "")
	}
	i.answers(nil)
	h.clock.pass(fetchEvery)
	h.refused("an unknown one", i.sign(unknown, nil), TokenForged)
	if log := h.logged(); strings.Count(log, "cannot be fetched") != 2 || strings.Count(log, "can be fetched again") != 2 {
		t.Errorf("each change is not logged once: %s", log)
	}
}

func TestFault29_AFloodOfUnknownKeys(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster)
	key, public := newKey(t, "one")
	i.publishes(public)
	good := i.sign(key, nil)
	flood := func() {
		t.Helper()
		var all sync.WaitGroup
		for n := range 200 {
			forged := signedBy(t, i, fmt.Sprint("unknown-", n))
			all.Go(func() {
				if _, err := h.Authenticate(t.Context(), Credentials{Authorization: "Bearer " + forged}); Why(err) != TokenForged {
					t.Errorf("a forged token: %v", Why(err))
				}
			})
			all.Go(func() {
				if _, err := h.Authenticate(t.Context(), Credentials{Authorization: "Bearer " + good}); err != nil {
					t.Errorf("a good token: %v", Why(err))
				}
			})
		}
		all.Wait()
	}
	flood()
	i.wasAsked(1, 1)
	flood()
	i.wasAsked(0, 0)
	h.clock.pass(fetchEvery - 1)
	flood()
	i.wasAsked(0, 0)
	h.clock.pass(1)
	flood()
	i.wasAsked(0, 1)
}

// signedBy is a token of a key that nobody else has.
func signedBy(t *testing.T, i *issuer, id string) string {
	t.Helper()
	key, _ := newKey(t, id)
	return i.sign(key, nil)
}

func TestFault29_AnAnswerThatIsTooMuch(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster)
	key, public := newKey(t, "one")
	i.publishes(public)
	padded := strings.Repeat(" ", maxAnswer)
	for name, answer := range map[string]http.HandlerFunc{
		"where the keys are": func(w http.ResponseWriter, _ *http.Request) {
			i.discovered(w)
			fmt.Fprint(w, padded)
		},
		"the keys": i.onlyKeys(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{public}})
			fmt.Fprint(w, padded)
		}),
		"too many": i.onlyKeys(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": slices.Repeat([]any{public}, maxKeys+1)})
		}),
	} {
		i.answers(answer)
		h.clock.pass(fetchEvery)
		h.refused(name, i.sign(key, nil), KeysMissing)
	}
	// Keys that are no public ones are none.
	i.answers(nil)
	i.publishes(key, jose.JSONWebKey{Key: []byte(planted + planted + planted + planted), KeyID: "one"})
	h.clock.pass(fetchEvery)
	h.refused("secrets", i.sign(key, nil), KeysMissing)
	// What the library cannot read costs only itself.
	i.publishes(map[string]any{"kty": "ML-DSA", "kid": "new"}, "x", map[string]any{"kty": "EC", "crv": "P-256", "x": "", "y": ""}, public)
	h.clock.pass(fetchEvery)
	h.refused("beside unknown kinds", i.sign(key, nil), "")
}

func TestFault29_AnIssuerThatMovesItsKeys(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster)
	first, firstPublic := newKey(t, "one")
	second, secondPublic := newKey(t, "two")
	i.publishes(firstPublic)
	h.refused("the first", i.sign(first, nil), "")
	i.answers(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case discovery:
			fmt.Fprint(w, `{"issuer":"`+i.URL+`","jwks_uri":"`+i.URL+`/moved"}`)
		case "/moved":
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{secondPublic}})
		default:
			http.NotFound(w, r)
		}
	})
	h.clock.pass(fetchEvery)
	h.refused("the second, where they were", i.sign(second, nil), TokenForged)
	h.clock.pass(fetchEvery)
	h.refused("the second, where they are", i.sign(second, nil), "")
}

func TestFault29_AnIssuerThatIsNotTheOneThatIsSet(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]func(i *issuer) string{
		"calls itself by another name": func(i *issuer) string {
			return `{"issuer":"https://evil.example.com","jwks_uri":"` + i.URL + keySet + `"}`
		},
		"at an address that is not https": func(i *issuer) string { return `{"issuer":"` + i.URL + `","jwks_uri":"http://keys.example.com"}` },
		"is not what it should be":        func(*issuer) string { return `[]` },
	} {
		i, h := newIssuer(t, aRoster)
		key, public := newKey(t, "one")
		i.publishes(public)
		text := answer(i)
		i.answers(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
		h.refused(want, i.sign(key, nil), KeysMissing)
		i.wasAsked(1, 0)
		if !strings.Contains(h.logged(), want) {
			t.Errorf("the log does not say that it %s: %s", want, h.logged())
		}
	}
}

// slow is a body that does not come before its request is given up.
type slow struct{ ctx context.Context }

func (s slow) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// newRemote is a house in a bubble, whose issuer takes its time for its keys.
func newRemote(t *testing.T, keys transport) (*issuer, *house) {
	t.Helper()
	i := &issuer{t: t, Server: &httptest.Server{URL: "https://id.example.com"}}
	h := newHouse(t, aRoster, func(p *Params) {
		p.Now = time.Now
		p.Issuer = Issuer{URL: i.URL, Audience: audience}
		p.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != discovery {
				return keys(r)
			}
			var body bytes.Buffer
			i.discovered(&body)
			return answered(&body), nil
		})
	})
	i.clock = h.clock
	return i, h
}

func TestFault29_ASlowKeyServer(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]transport{
		"before its answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"in its answer": func(r *http.Request) (*http.Response, error) { return answered(slow{r.Context()}), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i, h := newRemote(t, keys)
				token := signedBy(t, i, "one")
				began := time.Now()
				h.refused("a token", token, KeysMissing)
				if took := time.Since(began); took != fetchTimeout {
					t.Errorf("it took %s, want %s", took, fetchTimeout)
				}
				h.refused("the next one, at once", token, KeysMissing)
				if took := time.Since(began); took != fetchTimeout {
					t.Errorf("both took %s, want %s", took, fetchTimeout)
				}
			})
		})
	}
}

// Whoever leaves does not take the keys along that the others wait for.
func TestACallerWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, public := newKey(t, "one")
		text := asText(t, map[string]any{"keys": []any{public}})
		i, h := newRemote(t, func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(3 * time.Second):
				return answered(strings.NewReader(text)), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		token := i.sign(key, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := h.Authenticate(ctx, Credentials{Authorization: "Bearer " + token}); Why(err) != KeysMissing || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), Why(err))
		}
		h.refused("the next one", token, "")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the next one was there after %s, want 3s", took)
		}
	})
}

// Keys are fetched again by Run, and whoever calls meanwhile does not wait.
func TestOldKeysAreFetchedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, public := newKey(t, "one")
		var fetches atomic.Int32
		i, h := newRemote(t, func(r *http.Request) (*http.Response, error) {
			if fetches.Add(1) > 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answered(strings.NewReader(asText(t, map[string]any{"keys": []any{public}}))), nil
		})
		defer h.runs()()
		pass(time.Hour)
		if n := fetches.Load(); n != 0 {
			t.Errorf("nobody needs the keys, and they were fetched %d times", n)
		}
		h.clock.pass(time.Hour)
		token := i.sign(key, nil)
		h.refused("a token", token, "")
		pass(keysAge - time.Minute)
		if n := fetches.Load(); n != 1 {
			t.Errorf("the keys were fetched %d times, want once", n)
		}
		pass(time.Minute + lookEvery + time.Second)
		began := time.Now()
		h.refused("a token meanwhile", token, "")
		if n, took := fetches.Load(), time.Since(began); n != 2 || took != 0 {
			t.Errorf("the keys were fetched %d times, want twice; the token took %s", n, took)
		}
		pass(time.Minute)
		if n := fetches.Load(); n < 4 || n > 8 {
			t.Errorf("while they cannot be had, they were fetched %d times in about a minute", n)
		}
		h.refused("a token then", token, "")
	})
}

// asText is a value as JSON.
func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAPanicWhileFetchingIsSurvived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i, h := newRemote(t, func(*http.Request) (*http.Response, error) { panic(planted) })
		h.plants(planted)
		h.refused("a token", signedBy(t, i, "one"), KeysMissing)
		if got := <-h.observer.keys; got {
			t.Error("the keys were fetched")
		}
	})
}
