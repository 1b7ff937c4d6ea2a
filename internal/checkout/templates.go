package checkout

import (
	"bytes"
	"html"
	"html/template"
	"regexp"
	"sync"

	"golang.org/x/text/language"
)

// templates are the pages in one language: one for each kind, of the layout and what it
// puts in its middle. They are made when the first player reads that language.
type templates func() map[string]*template.Template

var templatesIn = inEveryLanguage("form", "waiting", "ended", "wallet", "verify", "problem")

func inEveryLanguage(kinds ...string) map[language.Tag]templates {
	all := map[language.Tag]templates{}
	for _, t := range translations {
		all[t.tag] = sync.OnceValue(func() map[string]*template.Template { return t.parse(kinds) })
	}
	return all
}

func (t translation) parse(kinds []string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, kind := range kinds {
		page := template.New(kind)
		for _, file := range []string{"layout", kind} {
			template.Must(page.New(file + ".html").Parse(t.phrase(read("page/" + file + ".html"))))
		}
		all[kind] = page
	}
	return all
}

// gapless finds where a template asks for a text that has no gaps, and so is always the same.
var gapless = regexp.MustCompile(`\{\{\$?\.T "([a-z_]+)"\}\}`)

// place finds where a template keeps one for a fixed part.
var place = regexp.MustCompile(`\{\{fixed "([a-z]+)"\}\}`)

// phrase writes such texts into the template: they are most of what a page asks for, and
// looking each up takes longer than all the rest of the page. The place of a fixed part
// becomes its name between two NULs, which html/template escapes wherever else they are.
func (t translation) phrase(text string) string {
	text = place.ReplaceAllString(text, "\x00$1\x00")
	return gapless.ReplaceAllStringFunc(text, func(call string) string {
		return html.EscapeString(t.texts[gapless.FindStringSubmatch(call)[1]])
	})
}

// fill renders a page, whole: half a page would be worse than an error.
func (s *view) fill(kind string) ([]byte, error) {
	var page bytes.Buffer
	err := templatesIn[s.locale.tag]()[kind].ExecuteTemplate(&page, "layout.html", s)
	return page.Bytes(), err
}

// fixed is what all pages in a language have alike, by name. To make it anew for each, and
// to compress it, would take longer than all the rest.
func (h *handler) fixed(l locale) map[string]piece {
	if made, ok := h.made.Load(l.tag); ok {
		return made.(map[string]piece)
	}
	all := map[string]piece{"style": style, "script": script}
	nothing := view{locale: l, Form: &form{TestCards: h.TestCards}}
	for _, name := range []string{"head", "coin", "fields", "lock", "sandbox", "cards"} {
		var part bytes.Buffer
		if err := templatesIn[l.tag]()["form"].ExecuteTemplate(&part, name, nothing); err != nil {
			panic("checkout: a fixed part: " + err.Error()) // it is made of constants
		}
		all[name] = constant(part.String())
	}
	h.made.Store(l.tag, all)
	return all
}
