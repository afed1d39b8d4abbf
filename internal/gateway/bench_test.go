package gateway_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

// BenchmarkPlace is an order over JSON with a document, through the whole gateway to a service that does nothing.
func BenchmarkPlace(b *testing.B) {
	for _, size := range []int{0, 100 << 10, 5 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			conn := gateway.NewInProcess(nil, []grpc.StreamServerInterceptor{})
			portinv1.RegisterPortInServiceServer(conn, &service{})
			face, err := gateway.New(b.Context(), gateway.Config{Conn: conn})
			if err != nil {
				b.Fatal(err)
			}
			content := base64.StdEncoding.EncodeToString(make([]byte, size))
			body := `{"form":{"customerName":"Ada Lovelace","customerAccountNumber":"A-1","emailAddress":"ada@shop.example",` +
				`"serviceAddress":{"streetNumber":"1200","streetName":"Bay","city":"Toronto","province":"ON","postalCode":"M5R 2A5","country":"CA"},` +
				`"lettersOfAuthorization":[{"fileName":"letter.pdf","mimeType":"application/pdf","content":"` + content + `"}]},` +
				`"trunkDid":{"pilotNumber":"+14165550100","dids":[{"number":"+14165550123"},{"number":"+14165550124"}]}}`
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				face.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
