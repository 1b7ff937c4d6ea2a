package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/rpc"
)

// frame is a gRPC message with whatever flags and length are claimed for it.
func frame(flags byte, length uint32, message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, length)) + message
}

func whole(message string) string { return frame(0, uint32(len(message)), message) }

// The gRPC statuses that a bad frame is answered with.
const (
	invalidArgument   = "3"
	resourceExhausted = "8"
	unimplemented     = "12"
	internal          = "13"
)

func TestBadFramesAreRefused(t *testing.T) {
	x := open(t)
	order, err := proto.Marshal(&payv1.CreateSessionRequest{
		GameId: "arcade", UserId: "p", ReturnUrl: "arcade://done", Item: &payv1.Item{Title: "Coin", Price: 100, Currency: "USD"},
	})
	if err != nil {
		t.Fatal(err)
	}
	good := string(order)
	zipped := bomb(t, strings.Repeat(" ", 4<<20), 1000)
	for _, bad := range []struct {
		name, body string
		headers    []string
		status     string
		code       string // empty: the protocol's own error, which has none of ours
	}{
		{"nothing", "", nil, unimplemented, ""},
		{"half a prefix", "\x00\x00\x00", nil, invalidArgument, "invalid_request"},
		{"a prefix alone", frame(0, 100, ""), nil, invalidArgument, "invalid_request"},
		{"a frame that ends early", frame(0, uint32(len(good)+1), good), nil, invalidArgument, "invalid_request"},
		{"a length of 4 GiB", frame(0, 1<<32-1, good), nil, resourceExhausted, "invalid_request"},
		{"a length of 10 MB, and 10 MB", whole(strings.Repeat("x", tenMB)), nil, resourceExhausted, "invalid_request"},
		{"a length that is too short", frame(0, uint32(len(good)-1), good), nil, internal, ""},
		{"two messages", whole(good) + whole(good), nil, unimplemented, ""},
		{"a message and 10 MB more", whole(good) + whole(strings.Repeat("x", tenMB)), nil, resourceExhausted, ""},
		{"noise", strings.Repeat("\xde\xad\xbe\xef", 100), nil, resourceExhausted, "invalid_request"},
		{"noise in a frame", whole("\xff\xff\xff\xff"), nil, invalidArgument, "invalid_request"},
		{"JSON in a frame", whole(goodOrder), nil, invalidArgument, "invalid_request"},
		{"JSON that is none", whole(`{"game_id":`), []string{"Content-Type", "application/grpc+json"}, invalidArgument, "invalid_request"},
		{"invalid UTF-8", whole(field(2, "\xff")), nil, invalidArgument, "invalid_request"},
		{"packed, but nobody said how", frame(1, uint32(len(good)), good), nil, internal, ""},
		{"packed in an unknown way", frame(1, uint32(len(good)), good), []string{"Grpc-Encoding", "br"}, unimplemented, ""},
		{"packed, but not gzip", frame(1, uint32(len(good)), good), []string{"Grpc-Encoding", "gzip"}, invalidArgument, "invalid_request"},
		{"a bomb", frame(1, uint32(len(zipped)), zipped), []string{"Grpc-Encoding", "gzip"}, resourceExhausted, "invalid_request"},
		{"unknown flags", frame(0x7e, uint32(len(good)), good), nil, "", ""},
		{"a timeout in words", whole(good), []string{"Grpc-Timeout", "soon"}, invalidArgument, ""},
	} {
		t.Run(bad.name, func(t *testing.T) {
			for _, web := range []bool{false, true} {
				if web && len(bad.body) > rpc.MostMessageBytes {
					continue // over HTTP/1.1 a client that is still sending may miss the answer
				}
				got := x.grpc(t, web, bad.body, bad.headers...)
				if bad.status == "" && got.status != "0" || got.status == bad.status && got.code == bad.code && got.message != "" {
					continue
				}
				t.Errorf("web %v: got %+v, want status %s, code %q", web, got, bad.status, bad.code)
			}
		})
	}
}

// grpcReply is how a gRPC call ended.
type grpcReply struct{ status, message, code string }

// grpc posts bytes as a gRPC call over HTTP/2, or as a gRPC-Web call over HTTP/1.1.
func (x *target) grpc(t *testing.T, web bool, body string, headers ...string) (end grpcReply) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(web)
	protocols.SetUnencryptedHTTP2(!web)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.url+createSession, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = -1 // in chunks
	r.Header.Set("Authorization", "Bearer "+x.key)
	r.Header.Set("Idempotency-Key", "attack")
	r.Header.Set("Content-Type", "application/grpc")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if web {
		r.Header.Set("Content-Type", strings.Replace(r.Header.Get("Content-Type"), "application/grpc", "application/grpc-web", 1))
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return readEnd(t, web, res, text)
}

// readEnd reads trailers from wherever they are: the header of an answer without a
// body, the trailer, or for gRPC-Web the last frame of the body.
func readEnd(t *testing.T, web bool, res *http.Response, body []byte) grpcReply {
	t.Helper()
	at := res.Trailer
	if res.Header.Get("Grpc-Status") != "" {
		at = res.Header
	} else if web {
		at = http.Header{}
		_, trailers, _ := bytes.Cut(body, []byte{0x80})
		for line := range strings.Lines(string(trailers[min(4, len(trailers)):])) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			at.Set(name, strings.TrimSpace(value))
		}
	}
	end := grpcReply{status: at.Get("Grpc-Status"), message: at.Get("Grpc-Message")}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(at.Get("Grpc-Status-Details-Bin"), "="))
	var whole status.Status
	if err != nil || proto.Unmarshal(raw, &whole) != nil {
		t.Fatalf("the details are %q", at.Get("Grpc-Status-Details-Bin"))
	}
	for _, d := range whole.Details {
		var told payv1.Error
		if err := d.UnmarshalTo(&told); err != nil {
			t.Fatal(err)
		}
		end.code = told.Code
	}
	return end
}
