package inbox

import (
	"bytes"
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/coinslot/coinslot/internal/look"
	"github.com/coinslot/coinslot/internal/pay"
)

//go:embed page
var files embed.FS

var (
	style  = template.CSS(look.Tokens + read("page/inbox.css"))
	script = template.JS(read("page/inbox.js"))
)

// pages has a template for each kind of page: the layout, and what it puts in its middle.
var pages = parsePages("list", "event", "problem")

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

// visit is one request and all that its answer depends on.
type visit struct {
	*Inbox
	w     http.ResponseWriter
	r     *http.Request
	nonce string
}

// newVisit sets the headers that every answer has, the errors too.
func (i *Inbox) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{i, w, r, rand.Text()}
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.nonce+"'; script-src 'nonce-"+v.nonce+"'"+
		"; img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	return v
}

// layout is what every page has.
type layout struct {
	Kind   string // what the style and the script tell pages apart by
	Title  string
	Home   string
	Nonce  string
	Style  template.CSS
	Script template.JS
}

func (v *visit) layout(kind, title string) layout {
	return layout{kind, title, Path, v.nonce, style, script}
}

func (v *visit) render(status int, kind string, page any) {
	v.renderPart(status, kind, "layout.html", page)
}

// renderPart writes a part of a page, or with the layout all of it. It is made whole
// first: half a page would be worse than an error.
func (v *visit) renderPart(status int, kind, part string, page any) {
	var text bytes.Buffer
	if err := pages[kind].ExecuteTemplate(&text, part, page); err != nil {
		v.Logger.ErrorContext(v.r.Context(), "inbox not rendered", "kind", kind, "error", err)
		http.Error(v.w, "the page could not be made; the server's log says why", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(text.Bytes()) // whoever has gone is nobody to tell
}

// problem is a page that only says what is wrong.
type problem struct {
	layout
	Says string
}

// refuse says what is wrong with what was asked for.
func (v *visit) refuse(err error) {
	status, says := http.StatusServiceUnavailable, "The inbox cannot be read just now; the server's log says why. Reload to try again."
	switch pay.CodeOf(err) {
	case pay.EventNotFound, pay.NotFound:
		status, says = http.StatusNotFound, err.Error()
	case pay.Internal, pay.Unavailable:
		v.Logger.ErrorContext(v.r.Context(), "inbox not read", "error", err)
	default:
		status, says = http.StatusBadRequest, err.Error()
	}
	v.render(status, "problem", problem{v.layout("problem", "Nothing to show"), says})
}

func (v *visit) nothing() {
	v.refuse(pay.Refuse(pay.NotFound, "there is nothing at %q", v.r.URL.Path))
}
