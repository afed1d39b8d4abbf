package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"sync"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// canary is planted in everything of an order that is somebody's business: no log, no metric, no trace, no error and no ledger
// of documents may have it.
const canary = "canary"

// testNumbers finds the telephone numbers of the tests.
var testNumbers = regexp.MustCompile(`\b1?[2-9]\d\d[-. )]{0,2}555[-. ]?01\d\d\b`)

// secret is a kind of text that is nobody's business. Most lines have none of its marks, and only one that has is looked at closely.
type secret struct {
	kind  string
	marks []string
	// form is what really is one; nil when a mark is enough.
	form *regexp.Regexp
}

// secrets are all kinds.
var secrets = sync.OnceValue(func() []secret {
	return []secret{
		{"a planted canary", []string{canary, "Canary", "CANARY", hex.EncodeToString([]byte(canary))}, nil},
		{"a canary in base64", inBase64("\ncanary-document"), nil},
		{"a telephone number", []string{"555"}, testNumbers},
		{"a postal code", []string{"9Z", "9z"}, regexp.MustCompile(`\b[A-Za-z]9[Zz][- ]?9[Zz]9\b`)},
		{"the name of a customer", []string{"Sandbox "}, regexp.MustCompile(`\bSandbox [a-z]`)},
		{"an API key", []string{"portin_"}, regexp.MustCompile(`\bportin_[a-z2-7]{52}\b`)},
		{"a token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.`)},
		{"a webhook's secret", []string{"whsec_"}, regexp.MustCompile(`\bwhsec_[\w+/=]{16}`)},
		{"the carrier's password", []string{base64.StdEncoding.EncodeToString([]byte("sandbox:sandbox"))}, nil},
	}
})

// inBase64 is what a text is in base64, wherever in the content it stands: its first and last characters may be mixed with others.
func inBase64(text string) []string {
	var all []string
	for before := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, before), text...))
		all = append(all, encoded[4:len(encoded)-4])
	}
	return all
}

// find is where in a line a secret is; its kind is empty where there is none.
func find(line []byte) (kind string, at int) {
	for _, s := range secrets() {
		for _, mark := range s.marks {
			at := bytes.Index(line, []byte(mark))
			if at >= 0 && s.form != nil {
				at = begin(s.form.FindIndex(line))
			}
			if at >= 0 {
				return s.kind, at
			}
		}
	}
	return "", -1
}

// begin is where a match begins; -1 where there is none.
func begin(match []int) int {
	if match == nil {
		return -1
	}
	return match[0]
}

const (
	// longestLine is how much of a line is looked at once, and overlap is looked at again with what comes after it.
	longestLine = 1 << 20
	overlap     = 1 << 10
	// shown is how much before a secret is shown, and mostHits how many are.
	shown    = 160
	mostHits = 5
)

// sieve looks for secrets in what is written to it, as it comes. It is safe for concurrent use.
type sieve struct {
	// where is what is written to it.
	where string

	mu   sync.Mutex
	rest []byte // of a line that goes on
	line int
	size int
	hits []string
}

// Write takes more.
func (s *sieve) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size += len(p)
	s.rest = append(s.rest, p...)
	for {
		end := bytes.IndexByte(s.rest, '\n')
		if end < 0 {
			break
		}
		s.look(s.rest[:end])
		s.line++
		s.rest = s.rest[end+1:]
	}
	if len(s.rest) > longestLine {
		s.look(s.rest)
		s.rest = bytes.Clone(s.rest[len(s.rest)-overlap:])
	}
	return len(p), nil
}

// look notes where a line has a secret, with what stands before it and without the secret itself.
func (s *sieve) look(line []byte) {
	kind, at := find(line)
	if kind == "" || len(s.hits) >= mostHits {
		return
	}
	s.hits = append(s.hits, fmt.Sprintf("%s, line %d: %s after %q", s.where, s.line+1, kind, veiled(line[max(0, at-shown):at])))
}

// veiled is a text without the secrets in it that were not the first that were looked for.
func veiled(text []byte) []byte {
	for {
		kind, at := find(text)
		if kind == "" {
			return text
		}
		text = text[:at]
	}
}

// found is where there was a secret so far, and how many bytes were looked at.
func (s *sieve) found() (hits []string, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 {
		s.look(s.rest)
		s.rest = nil
	}
	return s.hits, s.size
}

// hit notes something that is wrong in another way.
func (s *sieve) hit(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits = append(s.hits, s.where+": "+what)
}

// report fails the test with every place where there was a secret.
func (s *sieve) report(t testing.TB) {
	t.Helper()
	hits, _ := s.found()
	for _, hit := range hits {
		t.Errorf("what is nobody's business is in %s", hit)
	}
}

// discreet fails the test when a text holds anything that is somebody's business.
func discreet(t *testing.T, where, text string) {
	t.Helper()
	s := &sieve{where: where}
	_, _ = s.Write([]byte(text))
	s.report(t)
}

// isPersonal reports whether a field is somebody's business, as the contract says.
func isPersonal(fd protoreflect.FieldDescriptor) bool {
	options, ok := fd.Options().(*descriptorpb.FieldOptions)
	return ok && options.GetDebugRedact()
}

// plant makes every personal field of a message, at any depth, recognisable.
func plant(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() != nil && fd.IsList():
			for i := range v.List().Len() {
				plant(v.List().Get(i).Message())
			}
		case fd.Message() != nil:
			plant(v.Message())
		case isPersonal(fd) && fd.IsList():
			for i := range v.List().Len() {
				v.List().Set(i, planted(fd, v.List().Get(i)))
			}
		case isPersonal(fd):
			m.Set(fd, planted(fd, v))
		}
		return true
	})
}

// planted is a value of a personal field with a canary, in the form that the field has.
func planted(fd protoreflect.FieldDescriptor, v protoreflect.Value) protoreflect.Value {
	if fd.Kind() == protoreflect.BytesKind {
		return protoreflect.ValueOfBytes(append(bytes.Clone(v.Bytes()), "\ncanary-document"...))
	}
	text := v.String()
	switch kind, _ := find([]byte(text)); {
	case kind != "": // a telephone number, for one
		return v
	case fd.Name() == "postal_code":
		return protoreflect.ValueOfString(text[:1] + "9Z 9Z9")
	}
	return protoreflect.ValueOfString(canary + "-" + text)
}
