package checkout

import (
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// translations lists the languages that the page speaks. The first is what is
// shown to those who speak none of them, and what a missing text falls back to.
var translations = []translation{
	{language.English, "ltr", english},
}

// translation is all texts of one language, by their key.
type translation struct {
	tag   language.Tag
	dir   string
	texts map[string]string
}

var speaks = language.NewMatcher(tags())

func tags() (all []language.Tag) {
	for _, t := range translations {
		all = append(all, t.tag)
	}
	return all
}

// locale is how a player reads: the language of the page, and the notation of
// prices, which is often known where the language is not.
type locale struct {
	translation
	notation string
}

// localeFor picks what the session asks for, else what the browser does.
func localeFor(session, acceptLanguage string) locale {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		wanted = nil // a header that makes no sense asks for nothing
	}
	if tag, err := language.Parse(strings.ReplaceAll(session, "_", "-")); err == nil && session != "" {
		wanted = append([]language.Tag{tag}, wanted...)
	}
	_, i, _ := speaks.Match(wanted...)
	l := locale{translations[i], translations[i].tag.String()}
	if len(wanted) > 0 && wanted[0] != language.Und {
		l.notation = wanted[0].String()
	}
	return l
}

// text is one of the page's texts with its gaps {0}, {1} … filled in.
func (l locale) text(key string, gaps ...string) string {
	s, ok := l.texts[key]
	if !ok {
		s = translations[0].texts[key]
	}
	pairs := make([]string, 0, 2*len(gaps))
	for i, gap := range gaps {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", l.isolate(gap))
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// isolate wraps what runs the other way, or could turn the way, in the marks "first
// strong isolate" and "pop directional isolate": a game's name in Hebrew leaves the
// words around it in their places, and a price cannot be turned round.
func (l locale) isolate(s string) string {
	turns := func(r rune) bool {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.R, bidi.AL, bidi.AN, bidi.Control, bidi.LRO, bidi.RLO, bidi.LRE, bidi.RLE, bidi.PDF, bidi.LRI, bidi.RLI, bidi.FSI, bidi.PDI:
			return true
		}
		return false
	}
	if l.dir == "ltr" && !strings.ContainsFunc(s, turns) {
		return s
	}
	return "\u2068" + s + "\u2069"
}
