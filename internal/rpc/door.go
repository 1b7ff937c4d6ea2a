package rpc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"connectrpc.com/authn"
	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

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
	case isConnectGet(r):
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeJSONError(w, http.StatusMethodNotAllowed, pay.Refuse(pay.InvalidRequest, "the method must be POST, or for a read GET as Connect writes it, got %s", r.Method))
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
		err = boundBody(r)
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

// writeJSONError answers a request that speaks no protocol of ours, in the form of
// Connect's JSON errors.
func writeJSONError(w http.ResponseWriter, status int, e *pay.Error) {
	told := refusal(e)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"code": told.Code().String(), "message": told.Message(),
		"details": []map[string]any{{
			"type": told.Details()[0].Type(), "value": base64.RawStdEncoding.EncodeToString(told.Details()[0].Bytes()),
			"debug": map[string]string{"code": string(e.Code), "message": e.Message},
		}},
	})
}

// callerOf is who calls, as the door found out.
func callerOf(ctx context.Context) gateway.Caller {
	return authn.GetInfo(ctx).(gateway.Caller)
}
