//go:build unix && !race

package gateway_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what the process has used so far. It tells little about one goroutine while others run, and nothing at all
// under the race detector.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestFault25TimeABody(t *testing.T) { //nolint:paralleltest // it measures
	const size = 4 << 20
	fill := func(before, filler, after string) string {
		return before + strings.Repeat(filler, size/len(filler)) + after
	}
	for name, body := range map[string]string{
		"numbers":          fill(`{"generalProduct":{"numbers":["4165550123"`, `,"4165550123"`, `]}}`),
		"lists":            fill(`[`, `[`, ``),
		"objects":          fill(`{"form":`, `{"form":`, ``),
		"fields":           fill(`{"form":{}`, `,"form":{}`, `}`),
		"space":            fill(`{"form":{}`, " ", `}`),
		"escapes":          fill(`{"form":{"customerName":"`, `\n`, `"}}`),
		"surrogates":       fill(`{"form":{"customerName":"`, `\ud83d\ude00`, `"}}`),
		"digits":           fill(`{"form":{"currentProviderId":`, `9`, `}}`),
		"a document":       fill(`{"form":{"lettersOfAuthorization":[{"content":"`, `QUJD`, `"}]}}`),
		"a bad document":   fill(`{"form":{"lettersOfAuthorization":[{"content":"`, `QUJD`, `!"}]}}`),
		"a broken string":  fill(`{"form":{"customerName":"`, `x`, ``),
		"bytes behind":     fill(`{}`, ` x`, ``),
		"invalid UTF-8":    fill(`{"form":{"customerName":"`, "x", "\xff\"}}"),
		"control":          fill(`{"form":{"customerName":"`, "x", "\x00\"}}"),
		"lines":            fill("{", "\n", `"x":1}`),
		"an unknown field": fill(`{"`, "x", `":1}`),
	} {
		f := newFace(t)
		before := cpuTime(t)
		w := f.place(body)
		if took, limit := cpuTime(t)-before, 50*time.Millisecond*size>>20; took > limit {
			t.Errorf("%s: it took %v for %d MiB, want %v at most", name, took, size>>20, limit)
		}
		if w.Code != 200 && w.Code != 400 || w.Code == 400 && w.Body.Len() > 8<<10 {
			t.Errorf("%s: answered %d with %d bytes", name, w.Code, w.Body.Len())
		}
	}
}
