package rpc

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/tracker"
)

const (
	// benchWatchers watch over benchConnections, 1,000 streams each.
	benchWatchers, benchConnections = 10_000, 10
	// benchAddress is the variable by which the process of the watchers learns where the service is.
	benchAddress = "PORTIN_TEST_WATCH_ADDRESS"
)

// BenchmarkWatch has 10,000 callers in a process of their own watch over loopback: what an idle one costs the service, and
// how long it takes until the last of them has an event.
func BenchmarkWatch(b *testing.B) {
	feed := newFeed()
	watches := tracker.NewWatches(tracker.WatchParams{Ledger: feed, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { watches.Run(ctx) })
	server := grpc.NewServer(Services{Orders: &fake{}, Access: Everybody("default"), Metrics: NewMetrics(), Log: slog.New(slog.DiscardHandler)}.Options(1<<20, time.Hour)...)
	portinv1.RegisterPortInServiceServer(strictRegistrar{server, nil, Everybody("default")}, &portInService{watches: watches, teller: intake.NewTeller(slog.New(slog.DiscardHandler))})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	running.Go(func() {
		if err := server.Serve(listener); err != nil {
			b.Error(err)
		}
	})
	before := memory()
	lines, leave := watchersProcess(b, listener.Addr().String())
	read := func() string {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if line := read(); line != "ready" || watches.Count() != benchWatchers {
		b.Fatalf("%q, %d watches", line, watches.Count())
	}
	for range 10 { // stacks shrink by half each time
		runtime.GC()
	}
	held := memory() - before

	cpu, n := cpuTime(b), 0
	var took, worst time.Duration
	for b.Loop() {
		at := time.Now()
		n++
		feed.place(n)
		nano, err := strconv.ParseInt(read(), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		took += time.Unix(0, nano).Sub(at)
		worst = max(worst, time.Unix(0, nano).Sub(at))
	}
	b.ReportMetric(float64(held)/benchWatchers/1024, "KB/stream")
	b.ReportMetric(float64(took.Microseconds())/1000/float64(n), "ms/event")
	b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms/event")
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/1000/float64(n), "cpu-ms/event")
	stop()
	leave()
	server.Stop()
	running.Wait()
}

// cpuTime is what the process has used so far. The watchers' is another one.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// memory is what the process holds: its heap and its stacks.
func memory() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// watchersProcess starts the process of the watchers.
func watchersProcess(b *testing.B, address string) (lines *bufio.Reader, leave func()) {
	b.Helper()
	command := exec.CommandContext(b.Context(), os.Args[0])
	command.Env = append(os.Environ(), benchAddress+"="+address)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	return bufio.NewReader(stdout), func() {
		if err := stdin.Close(); err != nil {
			b.Error(err)
		}
		if err := command.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// watchersAlone is the main of the process of the watchers: it says when all have had their first answer, and when all have
// had an event, until its input ends. It returns the exit code.
func watchersAlone(address string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var all sync.WaitGroup
	var signs, told, lost atomic.Int64
	for range benchConnections {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		for range benchWatchers / benchConnections {
			all.Go(func() {
				if err := benchWatcher(ctx, conn, &signs, &told); ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, err)
					lost.Add(1)
				}
			})
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	cancel()
	all.Wait()
	return int(min(lost.Load(), 1))
}

// benchWatcher watches, and says so when it was the last one to be told something.
func benchWatcher(ctx context.Context, conn *grpc.ClientConn, signs, told *atomic.Int64) error {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, portinv1.PortInService_WatchPortInOrders_FullMethodName,
		grpc.ForceCodecV2(lengths{encoding.GetCodecV2("proto")}))
	if err != nil {
		return err
	}
	if err := s.SendMsg(&portinv1.WatchPortInOrdersRequest{SkipExisting: true}); err != nil {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	for begun := false; ; {
		var bytes int
		switch err := s.RecvMsg(&bytes); {
		case err != nil:
			return err
		case bytes > 100: // more than a token
			if told.Add(1)%benchWatchers == 0 {
				fmt.Println(time.Now().UnixNano())
			}
		case !begun:
			begun = true
			if signs.Add(1) == benchWatchers {
				fmt.Println("ready")
			}
		}
	}
}

// lengths reads of an answer only how long it is.
type lengths struct{ encoding.CodecV2 }

func (lengths) Unmarshal(data mem.BufferSlice, v any) error {
	n, ok := v.(*int)
	if !ok {
		return fmt.Errorf("a %T is no length", v)
	}
	*n = data.Len()
	return nil
}
