package rpc

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"connectrpc.com/authn"
	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// MostMessageBytes is how long a message may be, after decompression.
const MostMessageBytes = 8 << 20

// door lets in only requests that can be a call: the right method and content type,
// a caller who is known, a message that is not too long. What it refuses, it
// refuses in the words of the caller's own protocol.
type door struct {
	next   http.Handler
	admit  func(*http.Request) (context.Context, error) // who calls
	errors *connect.ErrorWriter
}

func newDoor(next http.Handler, admit func(*http.Request) (context.Context, error)) http.Handler {
	return &door{next, admit, connect.NewErrorWriter(codecs())}
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("encoding"): // a Connect GET
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeJSONError(w, http.StatusMethodNotAllowed, pay.Refuse(pay.InvalidRequest, "the method must be POST, got %s", r.Method))
		return
	case !knownContentType(r.Header.Get("Content-Type")):
		w.Header().Set("Accept-Post", strings.Join(contentTypes, ", "))
		writeJSONError(w, http.StatusUnsupportedMediaType,
			pay.Refuse(pay.InvalidRequest, "Content-Type must be one of %s, got %q", strings.Join(contentTypes, ", "), r.Header.Get("Content-Type")))
		return
	}
	ctx, err := d.admit(r)
	if err == nil {
		r = r.WithContext(ctx)
		err = checkLength(r)
	}
	if err != nil {
		_ = d.errors.Write(w, r, err) // fails only if the caller has gone
		return
	}
	d.next.ServeHTTP(w, r)
}

var contentTypes = []string{
	"application/json", "application/proto",
	"application/grpc", "application/grpc+proto", "application/grpc+json",
	"application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json",
	"application/connect+json", "application/connect+proto",
}

func knownContentType(header string) bool {
	base, params, err := mime.ParseMediaType(header)
	if err != nil {
		return false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	for _, known := range contentTypes {
		if base == known {
			return true
		}
	}
	return false
}

// checkLength refuses a message by the length that it announces, before it is read.
// A length that only shows while reading is bounded by Connect's own limit.
func checkLength(r *http.Request) error {
	length := r.ContentLength
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		var prefix [5]byte // one byte of flags, four of length
		n, err := io.ReadFull(r.Body, prefix[:])
		if err == nil {
			length = int64(binary.BigEndian.Uint32(prefix[1:]))
		}
		r.Body = &prefixed{prefix: prefix[:n], ReadCloser: r.Body}
	}
	if length > MostMessageBytes {
		return refusal(pay.Refuse(pay.RequestTooLarge, "the message must be at most %d bytes long, got %d", MostMessageBytes, length))
	}
	return nil
}

// prefixed is a body of which the first bytes have been read already.
type prefixed struct {
	prefix []byte
	io.ReadCloser
}

func (p *prefixed) Read(to []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(to, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.ReadCloser.Read(to)
}

// writeJSONError answers a request that speaks no protocol of ours, in the form of
// Connect's JSON errors.
func writeJSONError(w http.ResponseWriter, status int, e *pay.Error) {
	told := refusal(e)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"code": told.Code().String(), "message": told.Message(),
		"details": []map[string]any{{
			"type": told.Details()[0].Type(), "value": base64NoPad(told.Details()[0].Bytes()),
			"debug": map[string]string{"code": string(e.Code), "message": e.Message},
		}},
	})
}

// callerOf is who calls, as the door found out.
func callerOf(ctx context.Context) gateway.Caller {
	return authn.GetInfo(ctx).(gateway.Caller)
}
