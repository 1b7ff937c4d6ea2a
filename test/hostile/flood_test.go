package hostile

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestAFloodOfBadRequestsPasses has hundreds of clients send what is refused, some of
// them leaving before the answer, and checks that nothing of it stays.
func TestAFloodOfBadRequestsPasses(t *testing.T) {
	x := open(t)
	x.get(t, "/healthz")
	goroutines, memory := runtime.NumGoroutine(), heap()
	const clients, each = 300, 5
	attacks := []func(t *testing.T){
		func(t *testing.T) { x.post(t, createSession, goodOrder[:20]).is(t, 400, "invalid_request") },
		func(t *testing.T) { x.post(t, restSessions, "\xff").is(t, 400, "invalid_request") },
		func(t *testing.T) { x.post(t, createSession, goodOrder, "Authorization").is(t, 401, "unauthorized") },
		func(t *testing.T) { x.post(t, "/nothing", goodOrder).is(t, 404, "unimplemented") },
		func(t *testing.T) {
			x.post(t, createSession, goodOrder, "Content-Encoding: gzip").is(t, 400, "invalid_request")
		},
		func(t *testing.T) {
			x.post(t, createSession, "", fmt.Sprintf("Content-Length: %d", tenMB)).is(t, 429, "invalid_request")
		},
		func(t *testing.T) { // leaves in the middle of a body
			conn := x.dial(t)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", createSession, x.key)
			conn.Close()
		},
	}
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for i := range each {
				attacks[(client+i)%len(attacks)](t)
			}
		})
	}
	all.Wait()
	comesBack(t, "goroutines", goroutines+20, runtime.NumGoroutine)
	comesBack(t, "bytes of memory", int(memory)+64<<20, func() int { return int(heap()) })
	x.get(t, "/readyz")
}

// comesBack waits until a figure is no more than most.
func comesBack(t *testing.T, what string, most int, now func() int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); now() > most; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("there are still %d %s, want at most %d", now(), what, most)
		}
	}
}

// get expects a 200.
func (x *target) get(t *testing.T, path string) {
	t.Helper()
	res, err := http.Get(x.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v: %s", path, res.Status, err, body)
	}
}
