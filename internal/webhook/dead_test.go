package webhook_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

const (
	deadEndpoints    = 1000
	healthyEndpoints = 10

	// healthySoon is how late 99 of 100 deliveries to healthy endpoints may be.
	healthySoon = slower * 2 * time.Second

	// mostHeap is how much the heap may grow over dead endpoints: a few buffers for each
	// post under way, and what is known of a thousand endpoints.
	mostHeap = 64 << 20
)

// A thousand endpoints that are dead in every way there is, on real sockets, beside ten that
// are well: those are told in time, and the memory stays small. That holds from the start
// of the process on, when it has not seen any of them succeed. The clock is a real one here.
func TestAThousandDeadEndpointsBesideTenHealthy(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	s := openStore(t)
	v := vault.New([32]byte{1})
	w := &world{T: t, store: s, vault: v}
	now := pay.Clock(time.Now())
	w.configure(func(tx store.Settings) error {
		return tx.CreateGame(pay.Game{ID: game, CreatedAt: now, UpdatedAt: now}.WithDefaults())
	})
	healthy := newPunctual(t)
	urls, bury := deadURLs(t)
	w.real(healthyEndpoints, time.Time{}, healthy.URL)
	w.real(deadEndpoints, now.Add(-time.Hour), urls...)

	client := safehttp.NewClient(safehttp.Options{AllowLoopback: true})
	defer client.CloseIdleConnections()
	w.options = webhook.Options{Store: s, Vault: v, Client: func(pay.Environment) *http.Client { return client }}
	before := heap()
	ctx, stop := context.WithCancel(t.Context())
	returned := make(chan error, 1)
	go func() { returned <- webhook.NewRelay(w.options).Run(ctx) }()
	defer func() {
		stop()
		bury() // what hangs would hold up the end
		if err := errors.Join(<-returned, s.Close()); err != nil {
			t.Error(err)
		}
	}()
	const events = 60 / min(slower, 5)
	for range events {
		healthy.written(string(w.offer().ID))
		time.Sleep(50 * time.Millisecond)
	}
	late := healthy.wait(t, events*healthyEndpoints)
	p99 := late[len(late)*99/100]
	grown := heap() - before
	t.Logf("p50 %v, p99 %v, slowest %v; heap grown by %d KiB", late[len(late)/2], p99, late[len(late)-1], grown>>10)
	if p99 > healthySoon {
		t.Errorf("p99 of the healthy endpoints is %v, want at most %v", p99, healthySoon)
	}
	if grown > mostHeap {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

// real registers n endpoints that share URLs, and have failed since then.
func (w *world) real(n int, failing time.Time, urls ...string) {
	w.Helper()
	now := pay.Clock(time.Now())
	w.configure(func(tx store.Settings) error {
		for i := range n {
			id := pay.NewEndpointID(now, w.entropy())
			if err := tx.CreateEndpoint(pay.Endpoint{
				ID: id, Environment: pay.Sandbox, Game: game, URL: urls[i%len(urls)], Enabled: true, FailingSince: failing,
				Secrets: []pay.SealedSecret{w.seal(id, newSecret, time.Time{})}, CreatedAt: now, UpdatedAt: now,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// punctual is a receiver that notes how late it is told of each session.
type punctual struct {
	*httptest.Server
	mu   sync.Mutex
	made map[string]time.Time
	late []time.Duration
	news chan struct{}
}

func newPunctual(t *testing.T) *punctual {
	p := &punctual{made: map[string]time.Time{}, news: make(chan struct{}, 1)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, session, _ := strings.Cut(string(body), `"session_id":"`)
		session, _, _ = strings.Cut(session, `"`)
		p.told(session)
	}))
	t.Cleanup(p.Close)
	return p
}

// written notes when a session was written; it may have been told of already.
func (p *punctual) written(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.made[session]; !ok {
		p.made[session] = time.Now()
	}
}

func (p *punctual) told(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.made[session]; !ok {
		p.made[session] = time.Now()
	}
	p.late = append(p.late, time.Since(p.made[session]))
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// wait returns how late n deliveries were, the quickest first.
func (p *punctual) wait(t *testing.T, n int) []time.Duration {
	t.Helper()
	patience := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		late := slices.Clone(p.late)
		p.mu.Unlock()
		if len(late) >= n {
			slices.Sort(late)
			return late
		}
		select {
		case <-p.news:
		case <-patience:
			t.Fatalf("%d of %d deliveries to healthy endpoints arrived", len(late), n)
		}
	}
}

// deadURLs are receivers that are dead each in a way of its own, until they are buried.
func deadURLs(t *testing.T) (urls []string, bury func()) {
	over := make(chan struct{})
	quiet := log.New(io.Discard, "", 0)
	serve := func(h http.HandlerFunc) string {
		s := httptest.NewUnstartedServer(h)
		s.Config.ErrorLog = quiet
		s.Start()
		t.Cleanup(s.Close)
		return s.URL
	}
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + refusing.Addr().String()
	_ = refusing.Close()
	badTLS := httptest.NewUnstartedServer(http.NotFoundHandler())
	badTLS.Config.ErrorLog = quiet
	badTLS.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	badTLS.StartTLS()
	t.Cleanup(badTLS.Close)
	silent, closeSilent := mute(t)
	urls = []string{
		refused,
		serve(func(_ http.ResponseWriter, r *http.Request) { hang(r, over) }),
		serve(func(w http.ResponseWriter, r *http.Request) { drip(w, r, over) }),
		serve(flood),
		serve(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
		}),
		"http://10.0.0.1/hook",
		badTLS.URL,
		silent,
	}
	return urls, func() {
		close(over)
		closeSilent()
	}
}

// hang never answers.
func hang(r *http.Request, over chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-over:
	}
}

// drip answers a failure, a byte at a time.
func drip(w http.ResponseWriter, r *http.Request, over chan struct{}) {
	w.WriteHeader(http.StatusInternalServerError)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, _ = w.Write([]byte("."))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-over:
			return
		}
	}
}

// flood answers a failure of 10 GB.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
	chunk := make([]byte, 64<<10)
	for range (10 << 30) / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// mute accepts connections and says nothing, not even in TLS.
func mute(t *testing.T) (url string, end func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close() // when it is over
		}
	}()
	return "https://" + listener.Addr().String(), func() {
		_ = listener.Close()
		<-done
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
