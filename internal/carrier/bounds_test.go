package carrier_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

func TestFault10_AByteASecondEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drip := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			for _, b := range []byte(plainAccepted + strings.Repeat(" ", 100)) {
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
					return
				}
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
			}
		}
		c, posts := servePipes(t, settings(""), drip)
		begun := time.Now()
		out := settles(t, c.Submit(t.Context(), order), carrier.InDoubt)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("a submission took %v, want a minute", took)
		}
		if !strings.Contains(out.Evidence, "HTTP 200") || !strings.Contains(out.Evidence, "the time was up") {
			t.Errorf("evidence %q", out.Evidence)
		}
		posted(t, posts, 1)

		begun = time.Now()
		if _, err := c.Trunks(t.Context()); !fault.Is(err, fault.ReasonCarrierUnreadable) {
			t.Errorf("a look-up: %v", err)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("a look-up took %v, want one try of 10 s", took)
		}
	})
}

// flood writes a gigabyte of white space around the right answer.
func flood(w io.Writer) {
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 1 << 10 {
		if _, err := w.Write(blanks); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, plainAccepted)
}

func TestFault10_MemoryStaysWithinBounds(t *testing.T) { //nolint:paralleltest // it measures the whole process
	packed := bomb()
	for name, handler := range map[string]http.HandlerFunc{ //nolint:paralleltest // the same
		"1 GiB in chunks": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			flood(w)
		},
		"1 GiB announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set("Content-Length", fmt.Sprint(1<<30+len(plainAccepted)))
			flood(w)
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		},
		"10 MB header":       headed("X-Padding: " + strings.Repeat("x", 10<<20) + "\r\n"),
		"many small headers": headed(strings.Repeat("X-Padding: x\r\n", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			url, posts := serve(t, handler)
			config := settings(url)
			config.GetTries = 1
			c := client(t, config)
			for operation, do := range map[string]func(){
				"submission": func() { settles(t, c.Submit(t.Context(), order), carrier.InDoubt) },
				"look-up": func() {
					if _, err := c.RateCenters(t.Context()); !fault.Is(err, fault.ReasonCarrierUnreadable) {
						t.Errorf("error %v", err)
					}
				},
			} {
				if grown := heapGrowth(do); grown > 16<<20 {
					t.Errorf("a %s: the heap grew by %d KiB", operation, grown>>10)
				}
			}
			posted(t, posts, 1)
		})
	}
}

// headed answers rightly below a header of its own making.
func headed(lines string) http.HandlerFunc {
	text := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + lines + "\r\n" + plainAccepted)
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write(text)
		_ = conn.Close()
	}
}

// heapGrowth is by how much the memory that the heap has from the system grows while something is done.
func heapGrowth(do func()) uint64 {
	resident := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapSys - m.HeapReleased
	}
	debug.FreeOSMemory()
	before := resident()
	do()
	return max(resident(), before) - before
}

// bomb is 64 MiB of white space in a few bytes: a gzip stream may be several after one another.
func bomb() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = w.Close()
	return bytes.Repeat(packed.Bytes(), 64)
}

func TestFault10_TheLimitIsTheLimit(t *testing.T) {
	t.Parallel()
	for _, chunked := range []bool{false, true} {
		for limit, want := range map[int64]carrier.Settlement{
			int64(len(plainAccepted)) - 1: carrier.InDoubt,
			int64(len(plainAccepted)):     carrier.Accepted,
			int64(len(plainAccepted)) + 1: carrier.Accepted,
		} {
			url, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", typeJSON)
				if chunked {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, plainAccepted)
			})
			config := settings(url)
			config.MaxAnswer = limit
			settles(t, client(t, config).Submit(t.Context(), order), want)
		}
	}
}

// TestFault10_SwitchedProtocolsEnd holds that a connection which the carrier takes over is not read without an end.
func TestFault10_SwitchedProtocolsEnd(t *testing.T) {
	t.Parallel()
	server := serveBare(t, func(conn *net.TCPConn, _ int32, read func() error) {
		_ = read()
		write(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"+plainAccepted)
		_ = read() // until the client leaves
	})
	out := settles(t, client(t, settings(server.url)).Submit(t.Context(), order), carrier.InDoubt)
	if out.HTTPStatus != http.StatusSwitchingProtocols {
		t.Errorf("status %d", out.HTTPStatus)
	}
}

func TestEarlyHintsAreNoAnswer(t *testing.T) {
	t.Parallel()
	server := serveBare(t, func(conn *net.TCPConn, _ int32, read func() error) {
		_ = read()
		write(conn, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n", 2)+acceptedAnswer)
	})
	settles(t, client(t, settings(server.url)).Submit(t.Context(), order), carrier.Accepted)
}
