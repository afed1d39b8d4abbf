package carrier_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// faultsAlike compares faults by all that a caller sees.
var faultsAlike = cmpopts.IgnoreUnexported(fault.Error{})

// want is the Outcome that a meeting has to come to, without its evidence.
func (m meeting) want() carrier.Outcome {
	out := carrier.Outcome{
		Settlement: m.settled, Reply: m.reply, Ticket: m.ticket, Message: m.message, ErrorID: m.errorID,
		HTTPStatus: m.status,
	}
	if m.reason == "" {
		return out
	}
	says := m.says
	if says == "" {
		says = map[carrier.Class]string{
			carrier.ClassNotWritten:  "the carrier could not be reached; nothing was sent to it",
			carrier.ClassCredentials: "the carrier does not take the service's own credentials; its operator has to act",
			carrier.ClassBusy:        "the carrier takes no more requests for now",
		}[m.class]
	}
	out.Fault = fault.New(m.reason, says).WithRetryAfter(m.wait)
	if m.errorID != "" {
		out.Fault = out.Fault.WithMetadata("carrier_error_id", m.errorID)
	}
	return out
}

func judge(m meeting, without int) (carrier.Class, carrier.Outcome) {
	return carrier.Judge(m.status, m.header(), m.retryAfter, []byte(m.body), without)
}

func TestFault05_Fault07_Fault08_EveryMeetingIsClassified(t *testing.T) {
	t.Parallel()
	for _, m := range meetings() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			class, out := judge(m, carrier.AllRows)
			if class != m.class {
				t.Errorf("class %q, want %q", class, m.class)
			}
			if !strings.HasPrefix(out.Evidence, string(m.class)+": ") {
				t.Errorf("evidence %q does not begin with its class", out.Evidence)
			}
			checkQuiet(t, m, out)
			out.Evidence = ""
			if diff := cmp.Diff(m.want(), out, faultsAlike); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// checkQuiet asserts that nothing of a body but the carrier's own message and ids comes through.
func checkQuiet(t *testing.T, m meeting, out carrier.Outcome) {
	t.Helper()
	seen := out.Evidence
	if out.Fault != nil {
		seen += out.Fault.Error()
		if err := out.Fault.Unwrap(); err != nil {
			seen += err.Error()
		}
	}
	for _, planted := range []string{"Jane", "T-1", "Set-Cookie"} {
		if strings.Contains(m.body, planted) && strings.Contains(seen, planted) {
			t.Errorf("%q stands in %q", planted, seen)
		}
	}
}

// TestEveryRowDecidesSomething takes each row out of the table: the suite has to notice.
func TestEveryRowDecidesSomething(t *testing.T) {
	t.Parallel()
	for without := range carrier.SubmissionRows() {
		noticed := 0
		for _, m := range meetings() {
			_, whole := judge(m, carrier.AllRows)
			_, less := judge(m, without)
			if !cmp.Equal(whole, less, faultsAlike) {
				noticed++
			}
		}
		if noticed == 0 {
			t.Errorf("without row %d of the table nothing changes", without)
		}
	}
}

// TestWithoutAnyRowNothingIsSettled holds that what nobody classified is in doubt.
func TestWithoutAnyRowNothingIsSettled(t *testing.T) {
	t.Parallel()
	m := meeting{status: 299, body: plainAccepted}
	if class, out := judge(m, carrier.SubmissionRows()-1); class != "" || !cmp.Equal(out, carrier.Outcome{}) {
		t.Errorf("class %q, outcome %+v; want none and in doubt", class, out)
	}
	var zero carrier.Settlement
	if zero != carrier.InDoubt {
		t.Error("the zero settlement is not InDoubt")
	}
}

func TestFault26_MessagesAreBoundedAndHarmless(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", carrier.MaxMessage)
	for name, c := range map[string]struct{ in, want string }{
		"plain":          {"No such plan", "No such plan"},
		"CR LF":          {`a\r\nSet-Cookie: b=c`, "a  Set-Cookie: b=c"},
		"control":        {`a\u0000\u001b[31mb\u007f`, "a[31mb"},
		"right to left":  {`a\u202eb\u2066c`, "abc"},
		"lone surrogate": {`a\ud800b`, "a\ufffdb"},
		"white space":    {`\u00a0 a \u2028`, "a"},
		"long":           {long, long[:carrier.MaxMessage]},
		"cut at a rune":  {"x" + long, "x" + long[:carrier.MaxMessage-2]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, out := carrier.Judge(200, typeJSON, "", []byte(`{"Reply":0,"Message":"`+c.in+`"}`), carrier.AllRows)
			if out.Message != c.want || out.Fault == nil || out.Fault.Message != c.want {
				t.Errorf("message %q, fault %v; want %q", out.Message, out.Fault, c.want)
			}
			if len(out.Message) > carrier.MaxMessage || !utf8.ValidString(out.Message) {
				t.Errorf("message of %d bytes, valid UTF-8: %v", len(out.Message), utf8.ValidString(out.Message))
			}
		})
	}
	if got := carrier.Clean("a\xffb", 10); got != "a\ufffdb" {
		t.Errorf("clean of bytes that are not UTF-8 is %q", got)
	}
}

func TestEvidenceNamesOnlyOrdinaryTypes(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]string{
		"text/html; charset=utf-8":                 "of text/html",
		"":                                         "of no known type",
		"text/jane doe":                            "of no known type",
		"text/" + strings.Repeat("x", 100):         "of no known type",
		`multipart/x; boundary="416 555 0123"`:     "of multipart/x",
		"application/4165550123<script>":           "of no known type",
		"application/vnd.carrier.v1+json; a=b; c=": "of application/vnd.carrier.v1+json",
	} {
		_, out := carrier.Judge(502, contentType, "", []byte("?"), carrier.AllRows)
		if !strings.Contains(out.Evidence, want) {
			t.Errorf("Content-Type %q: evidence %q, want it to say %q", contentType, out.Evidence, want)
		}
	}
}
