package hostile

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/coinslot/coinslot/internal/server"
)

// mostStreams is how many requests one connection may have under way.
const mostStreams = 100

// talk is an HTTP/2 connection whose frames are written by hand.
type talk struct {
	*http2.Framer
	said chan heard // by the server; closed when it hangs up
	gone error      // why said was closed
}

// heard is what counts of one frame of the server's.
type heard struct {
	settings map[http2.SettingID]uint32
	status   string // of an answer
	goodbye  http2.ErrCode
}

func (x *target) talk(t *testing.T) *talk {
	t.Helper()
	conn := x.dial(t)
	k := &talk{Framer: http2.NewFramer(conn, conn), said: make(chan heard, 1<<16)}
	k.AllowIllegalWrites = true
	k.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := k.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	go k.listen()
	t.Cleanup(func() {
		conn.Close()
		for range k.said { // until the listener has ended
		}
	})
	return k
}

func (k *talk) listen() {
	defer close(k.said)
	for {
		f, err := k.ReadFrame()
		if err != nil {
			k.gone = err
			return
		}
		var h heard
		switch f := f.(type) {
		case *http2.SettingsFrame:
			h.settings = map[http2.SettingID]uint32{}
			_ = f.ForeachSetting(func(s http2.Setting) error { h.settings[s.ID] = s.Val; return nil })
		case *http2.MetaHeadersFrame:
			h.status = f.PseudoValue("status")
		case *http2.GoAwayFrame:
			h.goodbye = f.ErrCode
		}
		k.said <- h
	}
}

// request is the header block of a POST, with a header of the given size more.
func request(path string, size int, more ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	fields := append([]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", path, "content-type", "application/grpc"}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	if size > 0 {
		_ = e.WriteField(hpack.HeaderField{Name: "x-a", Value: strings.Repeat("~", size), Sensitive: true})
	}
	return b.Bytes()
}

func (k *talk) ask(stream uint32, block []byte) error {
	return k.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndStream: true, EndHeaders: true})
}

// goodbye waits until the server ends the connection, and returns the reason that it gave.
func (k *talk) goodbye(t *testing.T) http2.ErrCode {
	t.Helper()
	for h := range k.said {
		if h.goodbye != http2.ErrCodeNo {
			return h.goodbye
		}
	}
	if isTimeout(k.gone) {
		t.Error("the server does not hang up")
	}
	return http2.ErrCodeNo
}

func TestAConnectionIsToldItsLimits(t *testing.T) {
	x := open(t)
	told := (<-x.talk(t).said).settings
	if n := told[http2.SettingMaxConcurrentStreams]; n != mostStreams {
		t.Errorf("%d streams are allowed, want %d", n, mostStreams)
	}
	if n, ok := told[http2.SettingMaxHeaderListSize]; !ok || n > 64<<10 {
		t.Errorf("headers of %d bytes are allowed", n)
	}
}

// TestRapidResetIsBounded opens and resets streams as fast as it can (CVE-2023-44487)
// on handlers that do not look up, and checks how many run.
func TestRapidResetIsBounded(t *testing.T) {
	x := open(t)
	var running, most atomic.Int64
	release := make(chan struct{})
	slow := x.behind(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		for now := running.Add(1); ; {
			if seen := most.Load(); now <= seen || most.CompareAndSwap(seen, now) {
				break
			}
		}
		<-release
		running.Add(-1)
	}))
	k := slow.talk(t)
	block := request(createSession, 0)
	for i := range uint32(20 * mostStreams) {
		if k.ask(2*i+1, block) != nil || k.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
			break // the server has hung up
		}
	}
	reason := k.goodbye(t)
	close(release)
	if reason != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("the server hung up because of %v", reason)
	}
	if n := most.Load(); n > mostStreams {
		t.Errorf("%d handlers ran at a time, want at most %d", n, mostStreams)
	}
	comesBack(t, "handlers", 0, func() int { return int(running.Load()) })
}

// behind serves a handler with the product's own http.Server.
func (x *target) behind(t *testing.T, handler http.Handler) *target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server.HTTP(handler, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &target{Installation: x.Installation, url: "http://" + l.Addr().String(), address: l.Addr().String(), key: x.key}
}

func TestHeadersWithoutEndAreCutOff(t *testing.T) {
	x := open(t)
	k := x.talk(t)
	block := request(createSession, 8<<10)
	err := k.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true})
	written := 0
	for ; err == nil && written < 256<<20; written += len(block) {
		err = k.WriteContinuation(1, false, block[len(block)-(4<<10):])
	}
	if err == nil {
		t.Errorf("the server took %d MB of headers", written>>20)
	}
	k.goodbye(t)
}

func TestLongHeadersOverHTTP2AreRefused(t *testing.T) {
	x := open(t)
	k := x.talk(t)
	if err := k.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request(createSession, 0), EndStream: true}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // it is the last that is too much
		if err := k.WriteContinuation(1, i == 2, extra(12<<10)); err != nil {
			t.Fatal(err)
		}
	}
	for h := range k.said {
		if h.status != "" {
			if h.status != "431" {
				t.Errorf("answered %s", h.status)
			}
			return
		}
	}
	t.Error("not answered")
}

// extra is one header of the given size.
func extra(size int) []byte {
	whole, plain := request("/", size), request("/", 0)
	return whole[len(plain):]
}

func TestWrongFramesEndTheConnection(t *testing.T) {
	x := open(t)
	good := request(createSession, 0)
	for name, wrong := range map[string]func(k *talk) error{
		"a body of no stream":             func(k *talk) error { return k.WriteData(0, true, []byte("x")) },
		"a body of a stream to come":      func(k *talk) error { return k.WriteData(7, true, []byte("x")) },
		"a stream of the server's":        func(k *talk) error { return k.ask(2, good) },
		"a stream of the past":            func(k *talk) error { return errors.Join(k.ask(9, good), k.ask(7, good)) },
		"headers of no stream":            func(k *talk) error { return k.ask(0, good) },
		"headers that cannot be unpacked": func(k *talk) error { return k.ask(1, []byte("\xff\xff\xff\xff\xff\xff\xff")) },
		"a continuation of nothing":       func(k *talk) error { return k.WriteContinuation(1, true, good) },
		"a window of too much": func(k *talk) error {
			return errors.Join(k.WriteWindowUpdate(0, 1<<31-1), k.WriteWindowUpdate(0, 1<<31-1))
		},
		"a window of nothing":   func(k *talk) error { return k.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0, 0, 0, 0}) },
		"a ping of 3 bytes":     func(k *talk) error { return k.WriteRawFrame(http2.FramePing, 0, 0, []byte("abc")) },
		"settings of 3 bytes":   func(k *talk) error { return k.WriteRawFrame(http2.FrameSettings, 0, 0, []byte("abc")) },
		"a frame of a megabyte": func(k *talk) error { return k.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 1<<20)) },
		"a push by the client": func(k *talk) error {
			return k.WriteRawFrame(http2.FramePushPromise, 4, 1, append([]byte{0, 0, 0, 2}, good...))
		},
		"a reset of no stream":   func(k *talk) error { return k.WriteRawFrame(http2.FrameRSTStream, 0, 0, []byte{0, 0, 0, 8}) },
		"a reset of one to come": func(k *talk) error { return k.WriteRSTStream(99, http2.ErrCodeCancel) },
	} {
		t.Run(name, func(t *testing.T) {
			k := x.talk(t)
			_ = wrong(k) // fails where the server is quick to hang up
			if reason := k.goodbye(t); reason == http2.ErrCodeNo {
				t.Error("the server gave no reason")
			}
		})
	}
}
