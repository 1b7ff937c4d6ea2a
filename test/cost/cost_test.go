// Package cost says what the whole life of a session costs on PostgreSQL: the figures
// behind docs/scale.md.
package cost

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/test/postgrestest"
)

// A life is: made by JSON with an idempotency key, its page opened and paid by card without
// JavaScript, its status read three times by the game server, and its three events (created,
// payment succeeded, paid) delivered to one endpoint.
const (
	players     = 16
	statusReads = 3
)

// BenchmarkSessionLife has sessions live on the built program and a PostgreSQL as it is
// installed. Run it with -benchtime 5000x: what is not for each session is divided by that.
func BenchmarkSessionLife(b *testing.B) {
	h := open(b)
	h.live(10 * players) // connections, statements and caches are there after that
	h.settle()
	if _, err := h.db.Exec(context.Background(), "ANALYZE"); err != nil { // as autovacuum does within a minute
		b.Fatal(err)
	}
	before := h.look()
	b.ResetTimer()
	h.live(b.N)
	h.settle()
	b.StopTimer()
	after := h.look()
	for _, name := range figures {
		b.ReportMetric((after[name]-before[name])/float64(b.N), name)
	}
	b.ReportMetric(0, "ns/op")
}

// figures are per session. A commit is a transaction of the database, those that only read
// among them; a flush is one of the log to the disk.
var figures = []string{"server-µs", "postgres-µs", "WAL-bytes", "table-bytes", "index-bytes", "commits", "flushes", "http-requests", "http-bytes", "webhooks"}

type house struct {
	b         *testing.B
	db        *pgx.Conn
	server    *exec.Cmd
	postgres  string // the directory of its data
	url, key  string
	client    *http.Client
	requests  atomic.Int64
	bytes     atomic.Int64
	delivered atomic.Int64
}

func open(b *testing.B) *house {
	b.Helper()
	h := &house{b: b}
	program := filepath.Join(b.TempDir(), "coinslot")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/coinslot").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	database := postgrestest.Start(b, "shared_buffers=128MB").URL()
	data := b.TempDir()
	var err error
	if h.db, err = pgx.Connect(context.Background(), database); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.db.Close(context.Background()) })
	h.postgres = h.text("SHOW data_directory")
	h.server = exec.Command(program, "serve", "--quiet-start", "--addr", "127.0.0.1:0", "--data", data, "--log-level", "error")
	h.server.Env = append(os.Environ(), "COINSLOT_DATABASE="+database)
	h.server.Stderr = os.Stderr
	out, err := h.server.StdoutPipe()
	if err == nil {
		err = h.server.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.server.Process.Kill(); _ = h.server.Wait() })
	var ready struct{ URL string }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&ready); err != nil {
		b.Fatal(err)
	}
	h.url = ready.URL
	h.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: players, DialContext: h.dial}}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h.delivered.Add(1)
	}))
	b.Cleanup(receiver.Close)
	coinslot := func(args ...string) string {
		command := exec.Command(program, append(args, "--data", data)...)
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			b.Fatal(args, err)
		}
		return strings.TrimSpace(string(out))
	}
	h.key = coinslot("keys", "create", "--game", "space_shooter", "--environment", "sandbox")
	coinslot("webhooks", "create", "--game", "space_shooter", "--environment", "sandbox", "--url", receiver.URL)
	return h
}

// dial counts what goes over the connection, in both directions.
func (h *house) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return counted{c, &h.bytes}, err
}

type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

// live has so many sessions live, some of them at a time.
func (h *house) live(n int) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range players {
		all.Go(func() {
			for next.Add(1) <= int64(n) && !h.b.Failed() {
				h.one()
			}
		})
	}
	all.Wait()
}

var token = regexp.MustCompile(`name="(token|attempt)" value="([^"]*)"`)

func (h *house) one() {
	var made struct{ ID string }
	body := h.ask("POST", "/pay.v1.PaymentService/CreateSession", "application/json", `{"game_id":"space_shooter","user_id":"player-12345","return_url":"https://game.example.com/shop/thanks",
		"item":{"title":"500 Gems","price":499,"currency":"USD"}}`, 200)
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		h.b.Error(err)
		return
	}
	form := url.Values{"method": {"card"}, "number": {"4242424242424242"}, "expiry": {"12/99"}, "cvc": {"123"}}
	for _, hidden := range token.FindAllStringSubmatch(h.ask("GET", "/pay/"+made.ID, "", "", 200), -1) {
		form.Set(hidden[1], hidden[2])
	}
	h.ask("POST", "/pay/"+made.ID+"/pay", "application/x-www-form-urlencoded", form.Encode(), 303)
	for range statusReads {
		if got := h.ask("POST", "/pay.v1.PaymentService/GetSessionStatus", "application/json", `{"id":"`+made.ID+`"}`, 200); !strings.Contains(got, "paid") {
			h.b.Error("the session is ", got)
		}
	}
}

func (h *house) ask(method, path, kind, body string, want int) string {
	r, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.b.Error(err)
		return ""
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if kind == "application/json" {
		r.Header.Set("Authorization", "Bearer "+h.key)
		r.Header.Set("Idempotency-Key", fmt.Sprintf("order-%d", h.requests.Load())+path+time.Now().String())
	}
	res, err := h.client.Do(r)
	if err != nil {
		h.b.Error(err)
		return ""
	}
	defer res.Body.Close()
	h.requests.Add(1)
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		h.b.Errorf("%s %s: %s %s", method, path, res.Status, text)
	}
	return string(text)
}

// settle waits until nothing is to be delivered or folded any more.
func (h *house) settle() {
	for h.number("SELECT (SELECT COUNT(*) FROM deliveries WHERE status = 'pending') + (SELECT COUNT(*) FROM tallies)") > 0 && !h.b.Failed() {
		time.Sleep(50 * time.Millisecond)
	}
}

func (h *house) look() map[string]float64 {
	sizes := "SELECT COALESCE(SUM(%s), 0)::float8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'tallies'"
	_, _ = h.db.Exec(context.Background(), "SELECT pg_stat_force_next_flush()")
	return map[string]float64{
		"server-µs": 1e6 * processor(h.b, func(dir, _ string) bool { return filepath.Base(dir) == strconv.Itoa(h.server.Process.Pid) }),
		"postgres-µs": 1e6 * processor(h.b, func(dir, name string) bool {
			at, _ := os.Readlink(dir + "/cwd")
			return name == "postgres" && at == h.postgres
		}),
		"WAL-bytes":     h.number("SELECT (pg_current_wal_lsn() - '0/0')::float8"),
		"table-bytes":   h.number(fmt.Sprintf(sizes, "pg_table_size(c.oid)")),
		"index-bytes":   h.number(fmt.Sprintf(sizes, "pg_indexes_size(c.oid)")),
		"commits":       h.number("SELECT xact_commit::float8 FROM pg_stat_database WHERE datname = current_database()"),
		"flushes":       h.number("SELECT wal_sync::float8 FROM pg_stat_wal"),
		"http-requests": float64(h.requests.Load()),
		"http-bytes":    float64(h.bytes.Load()),
		"webhooks":      float64(h.delivered.Load()),
	}
}

func (h *house) number(sql string) (n float64) {
	if err := h.db.QueryRow(context.Background(), strings.Replace(sql, "FROM tallies)", "FROM tallies)::float8", 1)).Scan(&n); err != nil {
		h.b.Fatal(err)
	}
	return n
}

func (h *house) text(sql string) (s string) {
	if err := h.db.QueryRow(context.Background(), sql).Scan(&s); err != nil {
		h.b.Fatal(err)
	}
	return s
}

// processor is the processor time, in seconds, of the processes that are wanted.
func processor(b *testing.B, wanted func(dir, name string) bool) (seconds float64) {
	b.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(stat[strings.IndexByte(string(stat), '(')+1:]), ") ")
		if !wanted(dir, name) {
			continue
		}
		fields := strings.Fields(rest)
		for _, at := range []int{11, 12} { // utime and stime, in hundredths
			ticks, _ := strconv.ParseFloat(fields[at], 64)
			seconds += ticks / 100
		}
	}
	return seconds
}
