package checkout

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed page
var files embed.FS

// The style and the script are in the page itself, so that on a bad network the
// first answer is the whole of it.
var (
	style  = template.CSS(read("page/tokens.css") + read("page/page.css"))
	script = template.JS(read("page/page.js") + read("page/frame.js"))
)

// pages has a template for each kind of page: the layout, and what it puts in its middle.
var pages = parsePages("form", "waiting", "ended", "wallet", "problem")

func read(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(b)
}

func parsePages(kinds ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, kind := range kinds {
		all[kind] = template.Must(template.ParseFS(files, "page/layout.html", "page/"+kind+".html"))
	}
	return all
}

func templateFor(state string) string {
	switch state {
	case "pending":
		return "form"
	case "processing", "authorized":
		return "waiting"
	}
	return "ended"
}

// render writes a page. It is made whole first: half a page would be worse than an error.
func (v *visit) render(status int, kind string, s *view) {
	s.Nonce, s.Style, s.Script = v.nonce, style, script
	var page bytes.Buffer
	if err := pages[kind].ExecuteTemplate(&page, "layout.html", s); err != nil {
		v.Logger.ErrorContext(v.r.Context(), "payment page not rendered", "kind", kind, "error", err)
		http.Error(v.w, s.T("broken_says"), http.StatusInternalServerError)
		return
	}
	head := v.w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Language", s.Lang())
	head.Set("Vary", "Accept-Language, Accept-Encoding")
	body := page.Bytes()
	if strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
		// Safe from guessing by length: nothing in the page is of an attacker's choosing with each request.
		body = compress(body)
		head.Set("Content-Encoding", "gzip")
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body) // a player who has gone is nobody to tell
}

func compress(page []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(page); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
	if err := z.Close(); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
	return b.Bytes()
}
