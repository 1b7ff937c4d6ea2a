package rpc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/authn"
	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/streams"
)

// door lets in only requests that can be a call: the right method and content type,
// a caller who is known, a message that is not too long. What it refuses, it
// refuses in the words of the caller's own protocol.
type door struct {
	wire   Wire
	next   http.Handler
	admit  func(*http.Request) (context.Context, error) // who calls
	errors *connect.ErrorWriter
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stream := isStream(r.URL.Path)
	types := accepted[stream]
	switch {
	case !stream && isConnectGet(r) && reads(r.URL.Path):
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		d.wire.writeNoCall(w, http.StatusMethodNotAllowed, "the method must be POST, or GET as Connect writes it for a method that only reads, got %s", r.Method)
		return
	case !isOneOf(types, r.Header.Get("Content-Type")):
		w.Header().Set("Accept-Post", strings.Join(types, ", "))
		d.wire.writeNoCall(w, http.StatusUnsupportedMediaType,
			"Content-Type must be one of %s, got %q", strings.Join(types, ", "), r.Header.Get("Content-Type"))
		return
	}
	ctx, err := d.admit(r)
	if err != nil {
		_ = d.errors.Write(w, r, err) // fails only if the caller has gone
		return
	}
	r = r.WithContext(ctx)
	if err := d.wire.bound(r); err != nil {
		_ = d.errors.Write(w, r, err)
		return
	}
	if stream {
		ctx, stop := streams.UntilEnd(ctx)
		defer stop()
		p := streams.NewPatient(w)
		defer p.End()
		w, r = p, r.WithContext(ctx)
	}
	d.next.ServeHTTP(w, r)
}

// The content types of calls. Connect has others for streams than for single
// messages; gRPC's are for both.
var (
	connectTypes = []string{"application/json", "application/proto"}
	streamTypes  = []string{"application/connect+json", "application/connect+proto"}
	grpcTypes    = []string{
		"application/grpc", "application/grpc+proto", "application/grpc+json",
		"application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json",
	}
)

// accepted are the content types of calls by whether the procedure streams.
var accepted = map[bool][]string{
	false: slices.Concat(connectTypes, grpcTypes),
	true:  slices.Concat(streamTypes, grpcTypes),
}

// isConnectGet says whether a request is a call by GET, whose message is in its query.
func isConnectGet(r *http.Request) bool {
	query := r.URL.Query()
	if encoding := query.Get("encoding"); r.Method != http.MethodGet || encoding != "json" && encoding != "proto" {
		return false
	}
	if query.Get("base64") != "1" {
		return true
	}
	_, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(query.Get("message"), "="))
	return err == nil
}

// isOneOf says whether a Content-Type header is one of types, in UTF-8.
func isOneOf(types []string, header string) bool {
	base, params, err := mime.ParseMediaType(header)
	if err != nil {
		return false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return slices.Contains(types, base)
}

// writeNoCall answers a request that speaks no protocol of ours, with the RPC code that
// clients make of such a status by themselves. The charset says that it is no answer of
// Connect's, whatever the request was meant to be.
func (wire Wire) writeNoCall(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := pay.Refuse(pay.InvalidRequest, format, args...)
	writeError(w, status, wire.Detail.error(connect.CodeUnknown, e.Code, legible(e.Message)))
}

// writeError writes an error in the form of Connect's JSON, with a status of its own.
func writeError(w http.ResponseWriter, status int, e *connect.Error) {
	body := map[string]any{"code": e.Code().String(), "message": e.Message()}
	var details []map[string]any
	for _, d := range e.Details() {
		told := map[string]any{"type": d.Type(), "value": base64.RawStdEncoding.EncodeToString(d.Bytes())}
		if m, err := d.Value(); err == nil {
			raw, _ := WriteJSON.Marshal(m) // it was just made
			told["debug"] = json.RawMessage(raw)
		}
		details = append(details, told)
	}
	if details != nil {
		body["details"] = details
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only if the caller has gone
}

// callerOf is who calls, as the door found out.
func callerOf(ctx context.Context) gateway.Caller {
	return authn.GetInfo(ctx).(gateway.Caller)
}
