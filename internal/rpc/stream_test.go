package rpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// radio is a contract with one method, which answers with a stream.
var radio = func() protoreflect.FileDescriptor {
	text := ".google.protobuf.StringValue"
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("test/radio/v1/radio.proto"), Package: proto.String("test.radio.v1"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("RadioService"),
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: proto.String("Listen"), InputType: &text, OutputType: &text, ServerStreaming: proto.Bool(true),
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err == nil {
		err = protoregistry.GlobalFiles.RegisterFile(file)
	}
	if err != nil {
		panic(err)
	}
	return file
}()

const listen = "/test.radio.v1.RadioService/Listen"

type (
	text    = wrapperspb.StringValue
	program = func(context.Context, *connect.Request[text], *connect.ServerStream[text]) error
)

// station is the product's own server with a radio, on connections in memory.
type station struct {
	lines chan net.Conn
	log   *coinslottest.Log
	drain func()
}

// broadcast serves a program until the test ends. In a synctest bubble, its hours pass
// at once.
func broadcast(t *testing.T, play program) *station {
	t.Helper()
	s := &station{lines: make(chan net.Conn), log: &coinslottest.Log{}}
	wire := rpc.OurWire(s.log.Logger())
	handler := connect.NewServerStreamHandler(listen, play, wire.Options())
	front, err := server.New(server.Options{
		Services: []rpc.Service{{Descriptor: radio.Services().Get(0), Handler: wire.Door(handler, func(r *http.Request) (context.Context, error) { return r.Context(), nil })}},
		Admin:    adminv1connect.UnimplementedAdminServiceHandler{}, Page: http.NotFoundHandler(), PageMount: "/pay",
		Registry: prometheus.NewRegistry(), Logger: s.log.Logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.drain = front.Drain
	web := server.HTTP(front, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = web.Serve(s) // until it is closed
	}()
	t.Cleanup(func() {
		_ = web.Close()
		<-done
	})
	return s
}

// Accept implements net.Listener.
func (s *station) Accept() (net.Conn, error) {
	if conn, ok := <-s.lines; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (s *station) Close() error { close(s.lines); return nil }

// Addr implements net.Listener.
func (s *station) Addr() net.Addr { return &net.TCPAddr{} }

func (s *station) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	s.lines <- there
	return here, nil
}

func (s *station) transport(t *testing.T, http2 bool) *http.Transport {
	tr := &http.Transport{DialContext: s.dial, Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetUnencryptedHTTP2(http2)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// way is one in which a stream can be called.
type way struct {
	name    string
	http2   bool
	options []connect.ClientOption
}

var ways = []way{
	{"Connect", false, nil},
	{"Connect JSON", false, []connect.ClientOption{connect.WithProtoJSON()}},
	{"Connect gzip", false, []connect.ClientOption{connect.WithSendGzip()}},
	{"Connect over HTTP2", true, nil},
	{"gRPC", true, []connect.ClientOption{connect.WithGRPC()}},
	{"gRPC JSON", true, []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
	{"gRPC-Web", false, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"gRPC-Web over HTTP2", true, []connect.ClientOption{connect.WithGRPCWeb()}},
}

// everyWay plays a program to a test in every way, each in a bubble of its own.
func everyWay(t *testing.T, play program, hear func(*testing.T, *station, *connect.ServerStreamForClient[text])) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := broadcast(t, play)
				client := connect.NewClient[text, text](&http.Client{Transport: s.transport(t, way.http2)}, "http://radio.test"+listen, way.options...)
				stream, err := client.CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String("jazz")))
				if err != nil {
					t.Fatal(err)
				}
				hear(t, s, stream)
				_ = stream.Close() // says again what Err said
			})
		})
	}
}

func TestAStreamGoesOnForAsLongAsItIsRead(t *testing.T) {
	play := func(ctx context.Context, req *connect.Request[text], stream *connect.ServerStream[text]) error {
		for i := range 10 {
			select {
			case <-time.After(time.Minute): // for as long as any other answer may take in all
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := stream.Send(wrapperspb.String(fmt.Sprint(req.Msg.Value, i))); err != nil {
				return err
			}
		}
		return nil
	}
	everyWay(t, play, func(t *testing.T, _ *station, stream *connect.ServerStreamForClient[text]) {
		var heard []string
		for stream.Receive() {
			heard = append(heard, stream.Msg().Value)
		}
		if len(heard) != 10 || heard[9] != "jazz9" || stream.Err() != nil {
			t.Errorf("heard %v, then %v", heard, stream.Err())
		}
	})
}

// patience is how long a listener may take nothing, and a little.
const patience = 11 * time.Second

func TestAListenerWhoTakesNothingIsCutOff(t *testing.T) {
	noise := make([]byte, 16<<10) // which no packing makes small
	_, _ = rand.Read(noise)
	var gone chan error
	play := func(_ context.Context, _ *connect.Request[text], stream *connect.ServerStream[text]) error {
		for {
			if err := stream.Send(wrapperspb.String(hex.EncodeToString(noise))); err != nil {
				gone <- err
				return err
			}
		}
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone = make(chan error, 1)
				s := broadcast(t, play)
				client := connect.NewClient[text, text](&http.Client{Transport: s.transport(t, way.http2)}, "http://radio.test"+listen, way.options...)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				stream, err := client.CallServerStream(ctx, connect.NewRequest(wrapperspb.String("jazz")))
				if err != nil || !stream.Receive() {
					t.Fatal(err, stream.Err())
				}
				began := time.Now()
				<-gone
				if took := time.Since(began); took > patience {
					t.Errorf("cut off after %v", took)
				}
				if line := s.log.Line("internal error"); line != "" {
					t.Errorf("a listener's fault is logged as ours: %s", line)
				}
				leave()
				_ = stream.Close()
			})
		})
	}
}

func TestTheRequestOfAStreamMustComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := broadcast(t, func(context.Context, *connect.Request[text], *connect.ServerStream[text]) error { return nil })
		conn, err := s.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: radio.test\r\nContent-Type: application/connect+json\r\nContent-Length: 100\r\n\r\n\x00\x00\x00\x00\x5f{", listen)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, conn) // until the server hangs up
		if took := time.Since(began); took > 3*time.Minute {
			t.Errorf("hung up on after %v", took)
		}
	})
}

func TestAStreamEndsWhenTheServerDoes(t *testing.T) {
	play := func(ctx context.Context, _ *connect.Request[text], stream *connect.ServerStream[text]) error {
		if err := stream.Send(wrapperspb.String("la")); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	everyWay(t, play, func(t *testing.T, s *station, stream *connect.ServerStreamForClient[text]) {
		if !stream.Receive() {
			t.Fatal(stream.Err())
		}
		s.drain()
		if stream.Receive() {
			t.Error("it goes on")
		}
		documentedAs(t, stream.Err(), connect.CodeUnavailable, "unavailable")
	})
}

func TestErrorsOfStreamsAreDocumentedOnes(t *testing.T) {
	const innards = "SELECT hush"
	for _, tt := range []struct {
		name   string
		end    func() error
		want   connect.Code
		code   string
		logged bool
	}{
		{"a refusal", func() error { return pay.Refuse(pay.InvalidCursor, "cursor is wrong") }, connect.CodeInvalidArgument, "invalid_cursor", false},
		{"a plain error", func() error { return errors.New(innards) }, connect.CodeInternal, "internal", true},
		{"a Connect error of ours", func() error { return connect.NewError(connect.CodeNotFound, errors.New(innards)) }, connect.CodeInternal, "internal", true},
		{"a panic", func() error { panic(innards) }, connect.CodeInternal, "internal", true},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %v", tt.name, first), func(t *testing.T) {
				play := func(_ context.Context, _ *connect.Request[text], stream *connect.ServerStream[text]) error {
					if !first {
						if err := stream.Send(wrapperspb.String("la")); err != nil {
							return err
						}
					}
					return tt.end()
				}
				everyWay(t, play, func(t *testing.T, s *station, stream *connect.ServerStreamForClient[text]) {
					for stream.Receive() {
					}
					documentedAs(t, stream.Err(), tt.want, tt.code)
					if strings.Contains(stream.Err().Error(), "hush") {
						t.Errorf("the caller is told %v", stream.Err())
					}
					if logged := s.log.Line("internal error", "hush") != ""; logged != tt.logged {
						t.Errorf("logged: %v", logged)
					}
				})
			})
		}
	}
}

func documentedAs(t *testing.T, err error, want connect.Code, code string) {
	t.Helper()
	var refused *connect.Error
	if !errors.As(err, &refused) || refused.Code() != want || len(refused.Details()) != 1 {
		t.Fatalf("got %v, want %v with one detail", err, want)
	}
	detail, err := refused.Details()[0].Value()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&payv1.Error{Code: code, Message: refused.Message()}, detail, protocmp.Transform()); diff != "" {
		t.Errorf("the detail differs (-want +got):\n%s", diff)
	}
}

// The end of a Connect stream is a message of its own, {"error":{…}} if it went wrong.
func TestBadRequestsOfStreamsAreRefused(t *testing.T) {
	frame := func(flags byte, message string) string {
		return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(message)))) + message
	}
	whole := func(message string) string { return frame(0, message) }
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, _ = packer.Write(make([]byte, 10<<20))
	_ = packer.Close()
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		code, documented        string
	}{
		{"no JSON", "application/connect+json", whole("jazz"), 200, "invalid_argument", "invalid_request"},
		{"no protobuf", "application/connect+proto", whole("\xff"), 200, "invalid_argument", "invalid_request"},
		{"half a message", "application/connect+json", "\x00\x00\x00\x00\x0f\"", 200, "invalid_argument", "invalid_request"},
		{"a message too long", "application/connect+json", "\x00\x01\x00\x00\x00\"", 200, "resource_exhausted", "invalid_request"},
		{"nothing", "application/connect+json", "", 200, "unimplemented", ""},
		{"a bomb", "application/connect+json", frame(1, bomb.String()), 200, "resource_exhausted", "invalid_request"},
		{"two messages", "application/connect+json", whole(`"a"`) + whole(`"b"`), 200, "unimplemented", ""},
		{"the type of a single message", "application/json", `"jazz"`, 415, "unknown", "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := broadcast(t, func(context.Context, *connect.Request[text], *connect.ServerStream[text]) error {
					t.Error("the handler was called")
					return nil
				})
				r, err := http.NewRequestWithContext(t.Context(), "POST", "http://radio.test"+listen, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", tt.contentType)
				r.Header.Set("Connect-Content-Encoding", "gzip")
				res, err := s.transport(t, false).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				said, err := io.ReadAll(res.Body)
				if err != nil || res.StatusCode != tt.status || !strings.Contains(string(said), `"code":"`+tt.code+`"`) ||
					!strings.Contains(string(said), `"code":"`+tt.documented) || (tt.documented == "") == strings.Contains(string(said), "pay.v1.Error") {
					t.Errorf("got %d %q, %v", res.StatusCode, said, err)
				}
				if line := s.log.Line("internal error"); line != "" {
					t.Errorf("a caller's fault is logged as ours: %s", line)
				}
			})
		})
	}
}
