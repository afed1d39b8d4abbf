package product

import (
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/nanp"
)

// Normalize brings an order, in place, into the one spelling that is compared, kept, answered and sent. It is total and
// idempotent: what it cannot read it leaves for Validate to refuse.
//
//   - Fields that only answers have are cleared, at every depth.
//   - Single-line text loses the spaces around it. Free text and passwords stay as they are.
//   - Telephone numbers become E.164.
//   - Country, province and postal code become upper case, "m5h2n2" becomes "M5H 2N2" and "100011234" "10001-1234".
//   - The MIME type of a document becomes lower case; its parameters stay.
func Normalize(o *portinv1.PortInOrder) {
	if o == nil {
		return
	}
	orderPlan.clear(o.ProtoReflect())
	orderPlan.rewrite(o.ProtoReflect(), newTrail(), func(_ trail, kind textKind, text string) string {
		if kind == singleLine {
			return strings.TrimSpace(text)
		}
		return text
	})
	// The texts are trimmed by now, so a number is read from its first digit on.
	if spec, ok := Of(o); ok {
		normalizePhones(spec.phones(o))
	}
	f := o.GetForm()
	normalizePhones(formPhones(f))
	if a := f.GetServiceAddress(); a != nil {
		a.Country, a.Province = upper(a.Country), upper(a.Province)
		a.PostalCode = normalizePostalCode(a.PostalCode)
	}
	for _, d := range documents(f) {
		// Types are without case; the parameters are not always.
		mediaType, parameters, found := strings.Cut(d.MimeType, ";")
		if d.MimeType = lower(strings.TrimSpace(mediaType)); found {
			d.MimeType += ";" + parameters
		}
	}
}

// normalizePhones writes what can be read in E.164 and leaves the rest as the caller wrote it.
func normalizePhones(phones []phone) {
	for _, p := range phones {
		if n, ok := nanp.Read(*p.value); ok {
			*p.value = n.E164()
		}
	}
}

// normalizePostalCode writes what has the shape of a Canadian postal code or of a ZIP code as the post does, and
// anything else in upper case.
func normalizePostalCode(code string) string {
	code = upper(code)
	bare := strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' {
			return -1
		}
		return c
	}, code)
	switch {
	case hasShape(bare, "A9A9A9"):
		return bare[:3] + " " + bare[3:]
	case hasShape(bare, "999999999"):
		return bare[:5] + "-" + bare[5:]
	case hasShape(bare, "99999"):
		return bare
	}
	return code
}

// hasShape reports whether s has a letter from A to Z where the shape has an A, a digit where it has a 9, and the
// shape's own character elsewhere.
func hasShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		c, want := s[i], shape[i]
		switch {
		case want == 'A' && c >= 'A' && c <= 'Z':
		case want == '9' && c >= '0' && c <= '9':
		case want != 'A' && want != '9' && c == want:
		default:
			return false
		}
	}
	return true
}

// upper changes ASCII letters only: the codes have no others, and some letters elsewhere do not come to rest at once.
func upper(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' {
			return c - 'a' + 'A'
		}
		return c
	}, s)
}

// lower is upper the other way.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c - 'A' + 'a'
		}
		return c
	}, s)
}
