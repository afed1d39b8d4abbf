package account_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/carrier"
)

// world is a carrier that notes who asks, a folder of files, and what accounts tell of them.
type world struct {
	dir    string
	url    string
	log    lines
	served *httptest.Server
	// refuses has the carrier refuse everybody.
	refuses atomic.Bool

	mu    sync.Mutex
	asked []string
	told  []bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.served = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.mu.Lock()
		w.asked = append(w.asked, user+":"+password)
		w.mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		if w.refuses.Load() {
			rw.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = rw.Write([]byte("[]"))
	}))
	t.Cleanup(w.served.Close)
	w.url = w.served.URL
	return w
}

// write writes a file, and returns its path.
func (w *world) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) params() account.Params {
	return account.Params{
		Carrier: carrier.Config{BaseURL: w.url}, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Observer: w,
	}
}

// open opens accounts of a file.
func (w *world) open(t *testing.T, content string, change ...func(*account.Params)) *account.Accounts {
	t.Helper()
	p := w.params()
	p.File = w.write(t, "accounts.yaml", content)
	for _, c := range change {
		c(&p)
	}
	a, err := account.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// Accounts notes what it is told.
func (w *world) Accounts(ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, ok)
}

// since returns who has asked and what was told since the last time.
func (w *world) since() (asked []string, told []bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, told, w.asked, w.told = w.asked, w.told, nil, nil
	return asked, told
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// take returns what was written since the last time.
func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.all.Reset()
	return l.all.String()
}
