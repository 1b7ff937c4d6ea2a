package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/coinslot/coinslot/gen/openapi"
)

// document serves the OpenAPI document to everybody, pages of other sites included: it
// holds nothing that is not public. Caches ask each time whether it is still the same.
func document() http.HandlerFunc {
	sum := sha256.Sum256(openapi.Document)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/yaml") // RFC 9512
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(openapi.Document))
	}
}
