// Package protocols makes the documented calls over every protocol that Coinslot
// speaks, with the generated clients, against an installation that listens.
package protocols

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/test/coinslottest"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// protocol is one way to call, and what such a call looks like on the wire.
type protocol struct {
	name    string
	options []connect.ClientOption

	secure      bool   // over TLS
	http2       bool   // without TLS: from the first byte
	contentType string // of a POST, and of every answer
	getsReads   bool   // reads are GET requests
	rest        bool   // by the /v1 paths
}

var protocols = []protocol{
	{name: "Connect JSON", contentType: "application/json", options: []connect.ClientOption{connect.WithProtoJSON()}},
	{name: "Connect binary", contentType: "application/proto"},
	{name: "Connect binary over HTTP2", contentType: "application/proto", http2: true},
	{name: "Connect GET JSON", contentType: "application/json", getsReads: true, options: []connect.ClientOption{connect.WithHTTPGet(), connect.WithProtoJSON()}},
	{name: "Connect GET binary", contentType: "application/proto", getsReads: true, options: []connect.ClientOption{connect.WithHTTPGet()}},
	{name: "Connect gzip", contentType: "application/proto", options: []connect.ClientOption{connect.WithSendGzip()}},
	{name: "gRPC h2c", contentType: "application/grpc", http2: true, options: []connect.ClientOption{connect.WithGRPC()}},
	{name: "gRPC TLS", contentType: "application/grpc", http2: true, secure: true, options: []connect.ClientOption{connect.WithGRPC()}},
	{name: "gRPC JSON", contentType: "application/grpc+json", http2: true, options: []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
	{name: "gRPC gzip", contentType: "application/grpc", http2: true, options: []connect.ClientOption{connect.WithGRPC(), connect.WithSendGzip()}},
	{name: "gRPC-Web binary", contentType: "application/grpc-web+proto", options: []connect.ClientOption{connect.WithGRPCWeb()}},
	{name: "gRPC-Web JSON", contentType: "application/grpc-web+json", options: []connect.ClientOption{connect.WithGRPCWeb(), connect.WithProtoJSON()}},
	{name: "REST", contentType: "application/json", getsReads: true, rest: true, options: []connect.ClientOption{connect.WithProtoJSON()}},
}

// methods are those of the three services, in the order of the contract.
func methods() (all []protoreflect.MethodDescriptor) {
	for _, file := range []protoreflect.FileDescriptor{payv1.File_pay_v1_payment_proto, payv1.File_pay_v1_refund_proto, payv1.File_pay_v1_event_proto} {
		service := file.Services().Get(0)
		for i := range service.Methods().Len() {
			all = append(all, service.Methods().Get(i))
		}
	}
	return all
}

// client calls all three services in one protocol.
type client struct {
	protocol
	payv1connect.PaymentServiceClient
	payv1connect.RefundServiceClient
	payv1connect.EventServiceClient
}

// shop is an installation with a game that captures at once, and one that does so
// by hand. It listens twice: with TLS, and without.
type shop struct {
	*coinslottest.Installation
	key, manualKey string
	plain, secure  *httptest.Server
}

// onPostgres says that every shop of this process is on a PostgreSQL database of its own.
const onPostgres = "COINSLOT_TEST_ON_POSTGRES"

// All of this package's tests, on PostgreSQL.
func TestOnPostgres(t *testing.T) {
	if os.Getenv(onPostgres) != "" {
		t.Skip("these are they")
	}
	postgrestest.Programs(t)
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=5m")
	again.Env = append(os.Environ(), onPostgres+"=1")
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func openShop(t *testing.T, edit ...func(*installation.Options)) *shop {
	t.Helper()
	if os.Getenv(onPostgres) != "" {
		edit = append([]func(*installation.Options){coinslottest.OnPostgres(t, postgrestest.URL(t))}, edit...)
	}
	s := &shop{Installation: coinslottest.Start(t, edit...)}
	s.key = s.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"})
	s.manualKey = s.Key(t, pay.Sandbox, pay.Game{ID: "chess", Capture: pay.CaptureManual})
	s.plain, s.secure = s.listener(t), s.listener(t)
	s.plain.Start()
	s.secure.EnableHTTP2 = true
	s.secure.StartTLS()
	return s
}

func (s *shop) listener(t *testing.T) *httptest.Server {
	l := httptest.NewUnstartedServer(nil)
	l.Config = server.HTTP(s.Handler, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	return l
}

// client speaks the protocol, with the given key, and shows what it sent.
func (s *shop) client(t *testing.T, p protocol, key string) (client, *wire) {
	t.Helper()
	transport, url := s.dial(t, p)
	w := &wire{RoundTripper: transport, key: key, header: http.Header{}}
	h := &http.Client{Transport: w}
	if p.rest {
		h.Transport = restTransport{w}
	}
	return client{
		p,
		payv1connect.NewPaymentServiceClient(h, url, p.options...),
		payv1connect.NewRefundServiceClient(h, url, p.options...),
		payv1connect.NewEventServiceClient(h, url, p.options...),
	}, w
}

// dial is the way to the shop that the protocol takes.
func (s *shop) dial(t *testing.T, p protocol) (way http.RoundTripper, url string) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	t.Cleanup(transport.CloseIdleConnections)
	transport.Protocols.SetHTTP1(!p.http2)
	transport.Protocols.SetHTTP2(p.http2 && p.secure)
	transport.Protocols.SetUnencryptedHTTP2(p.http2 && !p.secure)
	at := s.plain
	if p.secure {
		at = s.secure
		transport.TLSClientConfig = at.Client().Transport.(*http.Transport).TLSClientConfig
	}
	return transport, at.URL
}

// wire sends requests with a key and other headers, and keeps the last exchange.
type wire struct {
	http.RoundTripper
	key    string
	header http.Header
	sent   *http.Request
	got    *http.Response
}

func (w *wire) RoundTrip(r *http.Request) (res *http.Response, err error) {
	w.sent = r.Clone(r.Context())
	w.sent.Header.Set("Authorization", "Bearer "+w.key)
	for name := range w.header {
		w.sent.Header.Set(name, w.header.Get(name))
	}
	w.got, err = w.RoundTripper.RoundTrip(w.sent)
	return w.got, err
}

// typeOf is the content type of a method's requests and answers. Connect has others for
// streams.
func (p protocol) typeOf(m protoreflect.MethodDescriptor) string {
	if !m.IsStreamingServer() || strings.HasPrefix(p.contentType, "application/grpc") {
		return p.contentType
	}
	return strings.Replace(p.contentType, "/", "/connect+", 1)
}

// looksLike checks that a call was really made in the protocol that it is said to be in.
func (w *wire) looksLike(t *testing.T, p protocol, m protoreflect.MethodDescriptor) {
	t.Helper()
	method, contentType := http.MethodPost, p.typeOf(m)
	if p.getsReads && reads(m) {
		method, contentType = http.MethodGet, ""
	}
	if w.sent.Method != method || w.sent.Header.Get("Content-Type") != contentType {
		t.Errorf("the request was a %s of %q, want %s of %q", w.sent.Method, w.sent.Header.Get("Content-Type"), method, contentType)
	}
	if answered := w.got.Header.Get("Content-Type"); answered != p.typeOf(m) {
		t.Errorf("the answer was %q, want %q", answered, p.typeOf(m))
	}
	if rest := strings.HasPrefix(w.sent.URL.Path, "/v1/"); rest != p.rest {
		t.Errorf("the request was to %s", w.sent.URL.Path)
	}
	if http2 := w.got.ProtoMajor == 2; http2 != p.http2 || w.got.Request.URL.Scheme == "https" != p.secure {
		t.Errorf("the answer came over %s of %s", w.got.Proto, w.got.Request.URL)
	}
}
