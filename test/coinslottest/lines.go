package coinslottest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/coinslot/coinslot/internal/server"
)

// Lines are connections in memory to an installation, so that over them, too, a test's
// time is its own.
type Lines struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// InMemory serves the installation as Listen does, but on Lines, until the test ends.
func (i *Installation) InMemory(t testing.TB) *Lines {
	t.Helper()
	l := &Lines{calls: make(chan net.Conn), closed: make(chan struct{})}
	web := server.HTTP(i.Handler, slog.New(slog.DiscardHandler))
	var serving sync.WaitGroup
	serving.Go(func() { _ = web.Serve(l) }) // until it is closed
	t.Cleanup(func() {
		_ = web.Close()
		serving.Wait()
	})
	return l
}

// Transport makes a transport over the lines, whatever host is asked for.
func (l *Lines) Transport(t testing.TB, http2 bool) *http.Transport {
	tr := &http.Transport{
		DialContext: l.dial, Protocols: new(http.Protocols),
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}, // so that a slow reader is noticed
	}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetUnencryptedHTTP2(http2)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (l *Lines) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.calls <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *Lines) Accept() (net.Conn, error) {
	select {
	case conn := <-l.calls:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Lines) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *Lines) Addr() net.Addr { return &net.TCPAddr{} }
