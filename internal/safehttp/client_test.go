package safehttp_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/safehttp"
)

func TestRedirectIsReturnedAndNotFollowed(t *testing.T) {
	var followed atomic.Int64
	var server *httptest.Server
	server = start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/inside" {
			followed.Add(1)
			return
		}
		w.Header().Set("Location", server.URL+"/inside")
		status := map[string]int{"/301": 301, "/302": 302, "/303": 303, "/307": 307, "/308": 308}[r.URL.Path]
		w.WriteHeader(status)
	})
	// Loopback is open, so that nothing but the redirect rule holds the client back.
	client := newClient(t, safehttp.Options{AllowLoopback: true})
	for path, want := range map[string]int{"/301": 301, "/302": 302, "/303": 303, "/307": 307, "/308": 308} {
		if status, err := post(client, server.URL+path); status != want {
			t.Errorf("%s: status %d, error %v", path, status, err)
		}
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// TestMain names a proxy that is not there. It does so before any test, since net/http reads the environment only once.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Exit(m.Run())
}

func TestProxyFromTheEnvironmentIsIgnored(t *testing.T) {
	s := listen(t)
	// By name, since net/http never asks a proxy for a loopback address.
	client := newClient(t, safehttp.Options{AllowLoopback: true, Resolver: resolver("127.0.0.1")})
	if status, err := post(client, s.url("shop.example")); status != http.StatusOK {
		t.Errorf("status %d, error %v", status, err)
	}
}

func TestTLSIsVerified(t *testing.T) {
	server := startTLS(t, nothing, nil)
	trusted := roots(server)
	for name, c := range map[string]struct {
		options safehttp.Options
		host    string
		ok      bool
	}{
		"trusted":           {safehttp.Options{RootCAs: trusted}, "127.0.0.1", true},
		"trusted by name":   {safehttp.Options{RootCAs: trusted}, "example.com", true},
		"unknown authority": {safehttp.Options{}, "127.0.0.1", false},
		"another name":      {safehttp.Options{RootCAs: trusted}, "shop.test", false},
	} {
		c.options.AllowLoopback, c.options.Resolver = true, resolver("127.0.0.1")
		status, err := post(newClient(t, c.options), withHost(server, c.host))
		if unverified := new(tls.CertificateVerificationError); errors.As(err, &unverified) == c.ok {
			t.Errorf("%s: status %d, error %v", name, status, err)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	server := startTLS(t, nothing, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	})
	client := newClient(t, safehttp.Options{AllowLoopback: true, RootCAs: roots(server)})
	_, err := post(client, server.URL)
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got error %v, want one about the protocol version", err)
	}
}

func TestHTTP2IsUsedWhereOffered(t *testing.T) {
	var protocol atomic.Value
	server := startTLS(t, func(_ http.ResponseWriter, r *http.Request) { protocol.Store(r.Proto) }, http2)
	client := newClient(t, safehttp.Options{AllowLoopback: true, RootCAs: roots(server)})
	if _, err := post(client, server.URL); err != nil || protocol.Load() != "HTTP/2.0" {
		t.Errorf("protocol %v, error %v", protocol.Load(), err)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	s := listen(t)
	client := newClient(t, safehttp.Options{AllowLoopback: true})
	for range 5 {
		if _, err := post(client, s.url("127.0.0.1")); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.connections.Load(); n != 1 {
		t.Errorf("%d connections for 5 requests", n)
	}
}

func TestConnectionsPerHostAreBounded(t *testing.T) {
	s := listen(t)
	client := newClient(t, safehttp.Options{AllowLoopback: true, MaxConnsPerHost: 2})
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() {
			if _, err := post(client, s.url("127.0.0.1")); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
	if n := s.connections.Load(); n > 2 {
		t.Errorf("%d connections, want 2 at most", n)
	}
}

func TestTimeoutEndsTheWholeRequest(t *testing.T) {
	if got := safehttp.NewClient(safehttp.Options{}).Timeout; got != 10*time.Second {
		t.Errorf("the default is %v", got)
	}
	end := make(chan struct{})
	for name, handler := range map[string]http.HandlerFunc{
		"no answer": func(http.ResponseWriter, *http.Request) { <-end },
		"no end": func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			<-end
		},
	} {
		server := start(t, handler)
		client := newClient(t, safehttp.Options{AllowLoopback: true, Timeout: 20 * time.Millisecond})
		_, err := post(client, server.URL)
		if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: got error %v, want a timeout", name, err)
		}
	}
	close(end)
}

func TestLongHeadersAreRefused(t *testing.T) {
	long := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("x", 128<<10)) }
	for name, configure := range map[string]func(*httptest.Server){"HTTP/1.1": nil, "HTTP/2": http2} {
		server := startTLS(t, long, configure)
		client := newClient(t, safehttp.Options{AllowLoopback: true, RootCAs: roots(server)})
		if status, err := post(client, server.URL); err == nil {
			t.Errorf("%s: status %d, want an error", name, status)
		}
	}
}

func TestAnswerNobodyReadsIsNotBuffered(t *testing.T) {
	const tooMuch = 256 << 10
	buffered := make(chan struct{})
	server := startTLS(t, func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(make([]byte, tooMuch)); err == nil {
			close(buffered)
		}
	}, http2)
	client := newClient(t, safehttp.Options{AllowLoopback: true, RootCAs: roots(server)})
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	select {
	case <-buffered:
		t.Errorf("the server could send %d bytes that nobody read", tooMuch)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestAnswerIsNotUnpacked(t *testing.T) {
	var accepted atomic.Value
	server := start(t, func(_ http.ResponseWriter, r *http.Request) { accepted.Store(r.Header.Get("Accept-Encoding")) })
	if _, err := post(newClient(t, safehttp.Options{AllowLoopback: true}), server.URL); err != nil || accepted.Load() != "" {
		t.Errorf("asked for %q, error %v", accepted.Load(), err)
	}
}

func nothing(http.ResponseWriter, *http.Request) {}

func http2(s *httptest.Server) { s.EnableHTTP2 = true }

func start(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func startTLS(t *testing.T, handler http.HandlerFunc, configure func(*httptest.Server)) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	count(server, new(atomic.Int64))
	if configure != nil {
		configure(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func roots(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

func withHost(server *httptest.Server, host string) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return "https://" + net.JoinHostPort(host, port)
}
