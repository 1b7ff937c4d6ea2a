package checkout

import (
	"bytes"
	"embed"
	"net/http"
	"strconv"
	"strings"

	"github.com/coinslot/coinslot/internal/look"
)

//go:embed page
var files embed.FS

// The style and the script are in the page itself, so that on a bad network the
// first answer is the whole of it.
var (
	style  = constant(look.Tokens + read("page/page.css"))
	script = constant(read("page/page.js") + read("page/frame.js"))
)

func read(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(b)
}

func templateFor(state string) string {
	switch state {
	case "pending":
		return "form"
	case "processing", "verify", "authorized":
		return "waiting"
	}
	return "ended"
}

// render writes a page.
func (v *visit) render(status int, kind string, s *view) {
	s.Nonce = v.nonce
	page, err := s.fill(kind)
	if err != nil {
		v.Logger.ErrorContext(v.r.Context(), "payment page not rendered", "kind", kind, "error", err)
		http.Error(v.w, s.T("broken_says"), http.StatusInternalServerError)
		return
	}
	head := v.w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Language", s.Lang())
	head.Set("Vary", "Accept-Language, Accept-Encoding")
	body := plain
	if strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
		// Safe from guessing by length: nothing in the page is of an attacker's choosing with each request.
		body = gzipped
		head.Set("Content-Encoding", "gzip")
	}
	sent := body(furnish(page, v.fixed(s.locale)))
	head.Set("Content-Length", strconv.Itoa(len(sent)))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(sent) // a player who has gone is nobody to tell
}

// furnish puts the fixed parts into the places that a page keeps for them.
func furnish(page []byte, fixed map[string]piece) []piece {
	var all []piece
	for i, part := range bytes.Split(page, []byte{0}) {
		if i%2 == 0 {
			all = append(all, piece{text: part})
		} else {
			all = append(all, fixed[string(part)])
		}
	}
	return all
}
