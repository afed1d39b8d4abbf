package bookmark_test

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/bookmark"
)

// A token outlives the program that wrote it, so its form is fixed: the version, the binding, the place.
func TestATokenIsAPlace(t *testing.T) {
	t.Parallel()
	b := bookmark.Bind("ledger", map[string]int{"b": 2, "a": 1}, []string{"x"})
	token := b.Token(3, []byte("place"))
	if want := "A1NKSsXmc7mm5b0Xh31OQhBwbGFjZQ"; token != want {
		t.Errorf("the token is %s, want %s", token, want)
	}
	place, ok := b.Place(3, token)
	if diff := cmp.Diff([]byte("place"), place); diff != "" || !ok {
		t.Errorf("it is read as %v (-want +got):\n%s", ok, diff)
	}
	if place, ok := b.Place(3, b.Token(3, nil)); !ok || len(place) != 0 {
		t.Errorf("an empty place is read as %q, %v", place, ok)
	}
}

func TestAnyOtherTextIsNoPlace(t *testing.T) {
	t.Parallel()
	b := bookmark.Bind("ledger", "mine")
	token := b.Token(1, []byte("place"))
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "a text": "token", "another version": b.Token(2, []byte("place")), "another list": bookmark.Bind("ledger", "theirs").Token(1, []byte("place")),
		"a part": token[:12], "padded": base64.URLEncoding.EncodeToString(raw), "with a line break": token + "\n", "loose bits": token[:len(token)-1] + "R",
	} {
		if place, ok := b.Place(1, text); ok {
			t.Errorf("%s is read as %q", name, place)
		}
	}
}

func FuzzPlace(f *testing.F) {
	b := bookmark.Bind("ledger", "list")
	f.Add(b.Token(1, []byte("place")))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if place, ok := b.Place(1, token); ok && b.Token(1, place) != token {
			t.Errorf("%q is read as %q, which is written as %q", token, place, b.Token(1, place))
		}
	})
}
