package server

import (
	"net/http"
	"strings"

	"github.com/coinslot/coinslot/internal/rpc"
)

// What caches may do with an answer to a read by GET. Nothing that can change may be
// kept: an answer has no validator to be checked by, and tells of who paid for what.
// What never changes may be kept by its caller alone.
const (
	keepNothing = "no-store"
	keepForEver = "private, max-age=31536000, immutable"
)

// unchanging matches the reads whose answer is the same for ever.
var unchanging = func() *http.ServeMux {
	mux := http.NewServeMux()
	for _, read := range []string{"GET /pay.v1.EventService/GetEvent", "GET /v1/events/{id}"} {
		mux.Handle(read, http.NotFoundHandler())
	}
	return mux
}()

// caching says of each read by GET what caches may do with the answer. Errors are
// never kept, and a POST needs no word: no cache keeps its answer.
func caching(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && isCall(r.URL.Path) {
			w.Header().Set("Cache-Control", keepNothing)
			w.Header().Add("Vary", "Authorization, Accept-Encoding")
			if _, pattern := unchanging.Handler(r); pattern != "" {
				w = &keptWriter{ResponseWriter: w}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isCall says whether a path is a procedure's or one of REST, and no page's.
func isCall(path string) bool {
	return strings.HasPrefix(path, "/v1/") || rpc.Procedure(path) != nil
}

// keptWriter lets a success be kept.
type keptWriter struct {
	http.ResponseWriter
	began bool
}

func (w *keptWriter) WriteHeader(status int) {
	if w.began = true; status == http.StatusOK {
		w.Header().Set("Cache-Control", keepForEver)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *keptWriter) Write(b []byte) (int, error) {
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher, which the handlers need.
func (w *keptWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (w *keptWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
