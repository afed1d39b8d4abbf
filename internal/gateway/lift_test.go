package gateway

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// checkLifting decodes a body with every string lifted that can be, and with none, and wants the same of both.
func checkLifting(t *testing.T, body []byte) {
	t.Helper()
	lifting, plain := &portinv1.PortInOrder{}, &portinv1.PortInOrder{}
	refusedLifting := decoder{maxElements: 5, liftFrom: 0}.decode(body, lifting)
	refusedPlain := decoder{maxElements: 5, liftFrom: math.MaxInt}.decode(body, plain)
	if (refusedLifting == nil) != (refusedPlain == nil) {
		t.Fatalf("%q: lifting says %v, the plain way %v", body, refusedLifting, refusedPlain)
	}
	if refusedPlain != nil {
		if diff := cmp.Diff(refusedPlain.status.Proto(), refusedLifting.status.Proto(), protocmp.Transform()); diff != "" {
			t.Errorf("%q is refused otherwise (-plain +lifting):\n%s", body, diff)
		}
		return
	}
	if diff := cmp.Diff(plain, lifting, protocmp.Transform()); diff != "" {
		t.Errorf("%q (-plain +lifting):\n%s", body, diff)
	}
}

// documents are bodies that have to do with documents.
var documents = []string{
	`{"form":{"lettersOfAuthorization":[{"content":"QUJD"},{"content":"QUI="},{"content":"QUI"},{"content":""}]}}`,
	`{"form":{"last_invoices":[{"fileName":"QUJD","content":"-_-_"}],"lettersOfAuthorization":[{"content":"+/+/"}]}}`,
	`{"form":{"lettersOfAuthorization":[{"content":"QU\u004aD"}]}}`,
	`{"form":{"lettersOfAuthorization":[{"content":"QUJ!"}]}}`,
	"{\"form\":{\"lettersOfAuthorization\":[{\"content\":\"QU\r\nJD\"}]}}",
	`{"form":{"lettersOfAuthorization":[{"content":"QUJD","content":"QUJD"}]}}`,
	`{"form":{"lettersOfAuthorization":[{"content":null},null]}}`,
	`{"form":{"lettersOfAuthorization":{"content":"QUJD"}}}`,
	`{"form":{"lettersOfAuthorization":[[{"content":"QUJD"}]]}}`,
	`{"form":{"lettersOfAuthorization":[{"content":["QUJD"]}]}}`,
	`{"form":[{"lettersOfAuthorization":[{"content":"QUJD"}]}]}`,
	"{\"form\":{\"lettersOfAuthorization\":[{\"content\":\"QUJD\"},\n{\"content\":\"QUJD\",\"é\":\"\xff\"}]}}",
	`{"form":{"lettersOfAuthorization":[{"content":"QUJD"}],"customerName":5}}`,
	`{"form":{"lettersOfAuthorization":[{"content":"QUJD"}]},"form":{}}`,
	`{"form":{"lettersOfAuthorization":[{"c\u006fntent":"QUJD"}]},"x":"QUJD"}`,
	`{"form":{"lettersOfAuthorization":[{"content":"QUJD"}]}} QUJD`,
}

func TestLiftingChangesNothing(t *testing.T) {
	t.Parallel()
	for _, body := range documents {
		checkLifting(t, []byte(body))
	}
}

func FuzzLiftingChangesNothing(f *testing.F) {
	for _, body := range documents {
		f.Add([]byte(body))
	}
	f.Fuzz(checkLifting)
}

func TestLongDocumentsAreLifted(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("document", liftFrom)
	body := `{"form":{"lettersOfAuthorization":[{"content":"` + base64.StdEncoding.EncodeToString([]byte(content)) + `"}]}}`
	order := &portinv1.PortInOrder{}
	l := &lifter{body: order.ProtoReflect().Descriptor(), from: liftFrom}
	if s := (&scanner{data: []byte(body), target: -1, maxElements: 5, onString: l.consider}); !s.walk() || len(l.found) != 1 {
		t.Errorf("%d strings were lifted, want one", len(l.found))
	}
	if refused := (decoder{maxElements: 5, liftFrom: liftFrom}).decode([]byte(body), order); refused != nil {
		t.Fatal(refused.status)
	}
	if got := string(order.GetForm().GetLettersOfAuthorization()[0].GetContent()); got != content {
		t.Errorf("the document has %d bytes, want %d", len(got), len(content))
	}
}
