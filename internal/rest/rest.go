// Package rest serves the /v1 paths. It knows none of them: they are transcoded
// from the google.api.http annotations of the contract.
package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"connectrpc.com/authn"
	"connectrpc.com/vanguard"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
)

// New serves the REST paths of services to callers with a key.
func New(services []rpc.Service, keys Keys) (http.Handler, error) {
	var all []*vanguard.Service
	for _, service := range services {
		all = append(all, vanguard.NewServiceWithSchema(service.Descriptor, service.Handler,
			vanguard.WithTargetProtocols(vanguard.ProtocolConnect),
			vanguard.WithTargetCodecs(vanguard.CodecProto),
			vanguard.WithNoTargetCompression(),
			vanguard.WithMaxMessageBufferBytes(rpc.MostMessageBytes)))
	}
	transcoder, err := vanguard.NewTranscoder(all, vanguard.WithCodec(documentedJSON),
		vanguard.WithCompression("gzip", rpc.Zip, rpc.Unzip), vanguard.WithUnknownHandler(http.HandlerFunc(unknown)))
	if err != nil {
		return nil, fmt.Errorf("transcode the REST paths: %w", err)
	}
	return admitting(newPlain(answering(transcoder), services), keys), nil
}

// Keys says who holds an API key.
type Keys interface {
	Authenticate(key string) (gateway.Caller, error)
}

// admitting refuses a caller without a valid key before anything of its request is
// read. The RPC handler behind the transcoder would do so too, but only after that.
func admitting(next http.Handler, keys Keys) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := authn.BearerToken(r)
		if _, err := keys.Authenticate(key); err != nil {
			var told *pay.Error
			if errors.As(err, &told) {
				writeError(w, http.StatusUnauthorized, string(told.Code), told.Message)
				return
			}
			writeError(w, http.StatusInternalServerError, string(pay.Internal), "internal error")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unknown answers what no annotation names; answer finds the words.
func unknown(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

// answering gives answers the documented REST form: errors as {"error":{…}}, and on
// a list a Link to its next page.
func answering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w, method: r.Method, asked: *r.URL} // a copy: the transcoder writes its own path into it
		next.ServeHTTP(a, r)
		a.finish()
	})
}

// answer passes a success through and holds an error back to be written anew.
type answer struct {
	http.ResponseWriter
	method string
	asked  url.URL
	status int
	failed bytes.Buffer
}

func (a *answer) WriteHeader(status int) {
	if a.status = status; status >= http.StatusBadRequest {
		return
	}
	h := a.Header()
	if cursor := h.Get(rpc.NextCursorHeader); cursor != "" {
		h.Del(rpc.NextCursorHeader)
		query := a.asked.Query()
		query.Del("offset")
		query.Set("cursor", cursor)
		h.Set("Link", "<"+a.asked.Path+"?"+query.Encode()+`>; rel="next"`) // RFC 8288
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status >= http.StatusBadRequest {
		return a.failed.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

// Flush implements http.Flusher, which the transcoder demands. An error that is held
// back is not sent by it.
func (a *answer) Flush() {
	if f, ok := a.ResponseWriter.(http.Flusher); ok && a.status < http.StatusBadRequest {
		f.Flush()
	}
}

// finish writes the error that was held back. The transcoder wrote it as a
// google.rpc.Status, in which ours is a detail; one without it is the transcoder's own:
// it could make no call of the request, and calls some of that an internal error.
func (a *answer) finish() {
	if a.status < http.StatusBadRequest {
		return
	}
	var told struct {
		Message string `json:"message"`
		Details []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"details"`
	}
	_ = json.Unmarshal(a.failed.Bytes(), &told)
	code := ""
	for _, d := range told.Details {
		code = d.Code
	}
	if code == "" && a.status == http.StatusInternalServerError {
		a.status = http.StatusBadRequest
	}
	if code == "" {
		code = codeOf(a.status)
	}
	if a.status == http.StatusUnsupportedMediaType {
		told.Message = "Content-Type must be application/json"
	}
	if told.Message == "" {
		told.Message = a.method + " " + a.asked.Path + ": " + http.StatusText(a.status)
	}
	writeError(a.ResponseWriter, a.status, code, told.Message)
}

// codeOf is the documented code of an error that carries none.
func codeOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusServiceUnavailable:
		return "unavailable"
	}
	return "invalid_request"
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	h := w.Header()
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": code, "message": message}})
}
