package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/portin/portin/internal/fault"
)

const (
	// fetchEvery is how often the issuer is asked at most, however many tokens have keys that are not known.
	fetchEvery = 10 * time.Second
	// keysAge is when keys are fetched again although they are known, so that one that the issuer has withdrawn does not live on.
	// Run does it, so that no caller waits for it. While the issuer cannot be reached, they go on being good.
	keysAge = 15 * time.Minute
	// maxKeys is how many keys an issuer may have: a token that does not name its key is tried with all of them.
	maxKeys = 100
)

// keys are an issuer's public keys, fetched when a token needs them.
type keys struct {
	issuer   string
	client   *http.Client
	now      func() time.Time
	log      *slog.Logger
	observer Observer
	flight   singleflight.Group
	// address is where the keys are, once it was found out; the flight's alone, like failing.
	address string
	failing bool

	mu sync.Mutex
	// set is never written to, only replaced.
	set []jose.JSONWebKey
	// asked is when the issuer was last asked, and fetched when it answered with the set.
	asked, fetched time.Time
}

func newKeys(p Params) *keys {
	return &keys{issuer: p.Issuer.URL, client: newClient(p.Transport), now: p.Now, log: p.Log, observer: p.Observer}
}

// check returns what a token's signature signs. It waits for the issuer when the key is not known, and otherwise never.
func (k *keys) check(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, Refusal) {
	set := k.known()
	payload, named := verified(jws, set)
	if payload == nil && !named {
		select {
		case <-k.refresh(ctx):
		case <-ctx.Done():
		}
		set = k.known() // also when it was too soon to ask again: another flight may just have landed
		payload, _ = verified(jws, set)
	}
	switch {
	case payload != nil:
		return payload, ""
	case set == nil:
		return nil, KeysMissing
	default:
		return nil, TokenForged
	}
}

// verified is what one of the keys has signed, and whether the token names one of them.
func verified(jws *jose.JSONWebSignature, set []jose.JSONWebKey) (payload []byte, named bool) {
	id := jws.Signatures[0].Header.KeyID // the verifier has refused more than one signature
	for _, key := range set {
		if id != "" && id != key.KeyID {
			continue
		}
		named = named || id != ""
		if payload, err := jws.Verify(key); err == nil {
			return payload, true
		}
	}
	return nil, named
}

// known are the keys that there are.
func (k *keys) known() []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set
}

// old reports whether the keys that there are should be fetched again.
func (k *keys) old() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set != nil && k.now().Sub(k.fetched) >= keysAge
}

// refresh fetches the keys, unless that is being done or was done a moment ago. Its channel is ready when it is done; it goes
// on when the caller leaves, for others will need the keys too.
func (k *keys) refresh(ctx context.Context) <-chan singleflight.Result {
	return k.flight.DoChan("", func() (any, error) {
		if !k.may() {
			return nil, nil
		}
		set, err := k.fetch(context.WithoutCancel(ctx))
		k.observer.Keys(err == nil)
		switch {
		case err != nil && !k.failing:
			k.log.WarnContext(ctx, "the issuer's keys cannot be fetched; tokens of keys that are known stay good", slog.Any("error", err))
		case err == nil && k.failing:
			k.log.InfoContext(ctx, "the issuer's keys can be fetched again")
		}
		if k.failing = err != nil; k.failing {
			k.address = "" // it may have moved
			return nil, nil
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.set, k.fetched = set, k.now()
		return nil, nil
	})
}

// may reports whether the issuer may be asked again, and notes that it is.
func (k *keys) may() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if since := now.Sub(k.asked); !k.asked.IsZero() && 0 <= since && since < fetchEvery {
		return false
	}
	k.asked = now
	return true
}

// fetch finds out where the keys are, if that is not known, and gets them.
func (k *keys) fetch(ctx context.Context) (set []jose.JSONWebKey, err error) {
	defer func() { // it runs in a goroutine of its own, where a panic would end the process
		if p := recover(); p != nil {
			err = fault.Panicked(p)
		}
	}()
	if k.address == "" {
		if k.address, err = k.discover(ctx); err != nil {
			return nil, err
		}
	}
	var answer struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := get(ctx, k.client, k.address, &answer); err != nil {
		return nil, err
	}
	for _, raw := range answer.Keys {
		// Issuers add kinds of keys that the library cannot read; those cost nothing but themselves.
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") {
			set = append(set, key)
		}
	}
	if len(set) == 0 || len(set) > maxKeys {
		return nil, errors.New("the issuer's answer has no key that tokens could be checked with, or more than 100")
	}
	return set, nil
}

// discover asks the issuer where its keys are.
func (k *keys) discover(ctx context.Context) (string, error) {
	var answer struct {
		Issuer  string `json:"issuer"`
		Address string `json:"jwks_uri"`
	}
	err := get(ctx, k.client, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &answer)
	switch {
	case err != nil:
		return "", err
	case answer.Issuer != k.issuer:
		return "", errors.New("the issuer calls itself by another name than the one that is set")
	case !safe(answer.Address):
		return "", errors.New("the issuer says that its keys are at an address that is not https")
	}
	return answer.Address, nil
}
