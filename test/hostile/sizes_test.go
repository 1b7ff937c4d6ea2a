package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/rpc"
)

const tenMB = 10 << 20

func TestTenMegabytesAreRefused(t *testing.T) {
	x := open(t)
	long := with("Coin", strings.Repeat("x", tenMB))
	for _, path := range []string{createSession, restSessions} {
		t.Run("announced to "+path, func(t *testing.T) {
			x.post(t, path, long).is(t, 429, "invalid_request")
		})
		t.Run("in chunks to "+path, func(t *testing.T) {
			got := x.post(t, path, chunked(long), "Content-Length", "Transfer-Encoding: chunked")
			got.is(t, 429, "invalid_request")
		})
		t.Run("announced and not sent to "+path, func(t *testing.T) {
			got := x.post(t, path, "", fmt.Sprintf("Content-Length: %d", tenMB), "Expect: 100-continue")
			got.is(t, 429, "invalid_request")
		})
	}
	t.Run("of protobuf", func(t *testing.T) {
		x.post(t, createSession, field(1, strings.Repeat("x", tenMB)), "Content-Type: application/proto").is(t, 429, "invalid_request")
	})
	t.Run("of blanks, which JSON ignores", func(t *testing.T) {
		x.post(t, createSession, strings.Repeat(" ", tenMB)+goodOrder).is(t, 429, "invalid_request")
	})
	t.Run("without a key", func(t *testing.T) {
		x.post(t, createSession, long, "Authorization").is(t, 401, "unauthorized")
	})
}

// A message of the greatest length is read and judged by what it says.
func TestEightMegabytesAreStillRead(t *testing.T) {
	x := open(t)
	order := with("USD", "usd")
	whole := order + strings.Repeat(" ", rpc.MostMessageBytes-len(order))
	x.post(t, createSession, whole).is(t, 400, "invalid_currency")
	x.post(t, createSession, chunked(whole), "Content-Length", "Transfer-Encoding: chunked").is(t, 400, "invalid_currency")
	x.post(t, createSession, bomb(t, whole, 1), "Content-Encoding: gzip").is(t, 400, "invalid_currency")
	x.post(t, createSession, whole+" ").is(t, 429, "invalid_request")
	x.post(t, createSession, chunked(whole+" "), "Content-Length", "Transfer-Encoding: chunked").is(t, 429, "invalid_request")
	x.post(t, createSession, bomb(t, whole+" ", 1), "Content-Encoding: gzip").is(t, 429, "invalid_request")
}

// endless is a body that never ends, in chunks.
type endless struct{ sent int64 }

func (e *endless) Read(to []byte) (int, error) {
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 32<<10, bytes.Repeat([]byte(" "), 32<<10))
	n := copy(to, chunk[e.sent%int64(len(chunk)):])
	e.sent += int64(n)
	return n, nil
}

func TestABodyWithoutEndIsAnsweredBeforeItsEnd(t *testing.T) {
	x := open(t)
	for _, path := range []string{createSession, restSessions} {
		head := "POST " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + x.key +
			"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		x.raw(t, "POST", io.MultiReader(strings.NewReader(head), &endless{})).is(t, 429, "invalid_request")
	}
}

// bomb is gzip that unpacks to text, times over: gzip of gzip members is gzip.
func bomb(t testing.TB, text string, times int) string {
	t.Helper()
	var member bytes.Buffer
	w, err := gzip.NewWriterLevel(&member, gzip.BestSpeed)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Repeat(member.String(), times)
}

func TestGzipBombsAreDefused(t *testing.T) {
	x := open(t)
	fourGB := bomb(t, strings.Repeat(" ", 4<<20), 1000)
	if len(fourGB) > rpc.MostMessageBytes {
		t.Fatalf("the bomb has %d bytes, so it is refused for those", len(fourGB))
	}
	twentyMB := bomb(t, strings.Repeat(" ", 20<<20), 1)
	byGet := "/pay.v1.PaymentService/GetSession?connect=v1&encoding=json&compression=gzip&base64=1&message=" +
		base64.RawURLEncoding.EncodeToString([]byte(twentyMB))
	before := heap()
	for name, got := range map[string]reply{
		"JSON":     x.post(t, createSession, fourGB, "Content-Encoding: gzip"),
		"protobuf": x.post(t, createSession, fourGB, "Content-Encoding: gzip", "Content-Type: application/proto"),
		"REST":     x.post(t, restSessions, fourGB, "Content-Encoding: gzip"),
		"GET":      x.send(t, "GET", byGet, ""),
	} {
		t.Run(name, func(t *testing.T) { got.is(t, 429, "invalid_request") })
	}
	if grown := heap() - before; grown > 256<<20 {
		t.Errorf("the heap has grown by %d MB", grown>>20)
	}
}

func TestBrokenGzipIsRefused(t *testing.T) {
	x := open(t)
	whole := bomb(t, goodOrder, 1)
	for name, body := range map[string]string{
		"none":           goodOrder,
		"half of it":     whole[:len(whole)/2],
		"its header":     whole[:10],
		"a false sum":    whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:],
		"noise at end":   whole + "noise",
		"a wrong method": whole[:2] + "\x07" + whole[3:],
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{createSession, restSessions} {
				x.post(t, path, body, "Content-Encoding: gzip").is(t, 400, "invalid_request")
			}
		})
	}
}

func chunked(text string) string {
	const most = 64 << 10
	var b strings.Builder
	for len(text) > 0 {
		n := min(len(text), most)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, text[:n])
		text = text[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// heap is how much memory is in use once the garbage is gone.
func heap() int64 {
	runtime.GC()
	runtime.GC() // pools let go of theirs at the second collection
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
