package sandbox_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/portin/portin/internal/sandbox"
)

// A test of a client gives it the server's URL and the credentials, lets the next
// order fail, and looks at what the carrier saw.
func Example() {
	carrier, err := sandbox.New(sandbox.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(carrier)
	defer server.Close()
	defer carrier.Close() // first, so that the server has nothing to wait for

	if err := carrier.Next("timeout-after-body", "empty-503+ticket", "hold"); err != nil {
		fmt.Println(err)
		return
	}
	// … a client sends orders to server.URL + sandbox.BasePath …

	fmt.Println(carrier.Waiting())
	fmt.Println(carrier.Counts().Orders)
	// Output:
	// [timeout-after-body empty-503+ticket accepted+hold]
	// 0
}
