package rpc

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if address, ok := os.LookupEnv(benchAddress); ok {
		os.Exit(watchersAlone(address))
	}
	goleak.VerifyTestMain(m)
}
