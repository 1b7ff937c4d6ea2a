package checkout

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// text is one of the page's texts with its gaps {0}, {1} … filled in.
func (l locale) text(key string, gaps ...string) string {
	var filled strings.Builder
	for rest := l.texts[key]; ; {
		before, after, found := strings.Cut(rest, "{")
		filled.WriteString(before)
		if !found {
			return filled.String()
		}
		var gap string
		gap, rest, _ = strings.Cut(after, "}")
		if i, err := strconv.Atoi(gap); err == nil && i < len(gaps) {
			filled.WriteString(l.isolate(gaps[i]))
		}
	}
}

// count is a text that counts: the one for the plural category that n falls into.
func (l locale) count(key string, n int) string {
	return l.text(key+"."+category(plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)), number(n, l.digits()))
}

// digits is whose digits numbers in the page's own sentences are in.
func (l locale) digits() language.Tag {
	if baseOf(l.notation) == baseOf(l.tag) {
		return l.notation
	}
	return l.tag
}

// category names a plural form as CLDR does.
func category(f plural.Form) string {
	switch f {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}

// sentences puts sentences after each other.
func (l locale) sentences(all ...string) string { return strings.Join(all, l.space) }

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
