package checkout

import "golang.org/x/text/language"

// translation is all texts of one language, by their key.
type translation struct {
	tag   language.Tag
	dir   string
	space string // between two sentences
	texts map[string]string
}

// translations lists the languages that the page speaks. The first is what is shown
// to those who speak none of them. Another language is a file like english.go and a
// line here; the tests say what it lacks.
var translations = []translation{
	{language.English, "ltr", " ", english},
	{language.German, "ltr", " ", german},
	{language.French, "ltr", " ", french},
	{language.Spanish, "ltr", " ", spanish},
	{language.Italian, "ltr", " ", italian},
	{language.BrazilianPortuguese, "ltr", " ", portuguese},
	{language.Polish, "ltr", " ", polish},
	{language.Turkish, "ltr", " ", turkish},
	{language.Russian, "ltr", " ", russian},
	{language.Ukrainian, "ltr", " ", ukrainian},
	{language.Japanese, "ltr", "", japanese},
	{language.Korean, "ltr", " ", korean},
	{language.SimplifiedChinese, "ltr", "", chineseSimplified},
	{language.TraditionalChinese, "ltr", "", chineseTraditional},
	{language.Arabic, "rtl", " ", arabic},
}

var speaks = language.NewMatcher(tags())

func tags() (all []language.Tag) {
	for _, t := range translations {
		all = append(all, t.tag)
	}
	return all
}

// locale is how a player reads: the language of the page, and whose notation its
// prices and numbers are in. The two differ for en-GB, and where the page does not
// speak the player's language.
type locale struct {
	translation
	notation language.Tag
}

// localeFor picks what the session asks for, else what the browser does.
func localeFor(session, acceptLanguage string) locale {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		wanted = nil // a header that makes no sense asks for nothing
	}
	// Parse takes an underscore for a hyphen, as games write it.
	if tag, err := language.Parse(session); err == nil && session != "" {
		wanted = append([]language.Tag{tag}, wanted...)
	}
	chosen, notation := choose(wanted)
	return locale{translations[chosen], notation}
}

// choose looks for the wanted languages in their order (RFC 4647, lookup): first for
// themselves, of whatever country, and then for one that their readers mostly read too.
// For who gets neither, the notation is often known though the language is not spoken.
func choose(wanted []language.Tag) (chosen int, notation language.Tag) {
	for _, tag := range wanted {
		if _, i, _ := speaks.Match(tag); baseOf(tag) == baseOf(translations[i].tag) {
			return i, tag
		}
	}
	for _, tag := range wanted {
		if _, i, sure := speaks.Match(tag); sure != language.No {
			return i, tag
		}
	}
	if len(wanted) > 0 && wanted[0] != language.Und {
		return 0, wanted[0]
	}
	return 0, translations[0].tag
}

// baseOf is a tag without its script and country, and without guessing what is not said.
func baseOf(tag language.Tag) language.Base {
	base, _, _ := tag.Raw()
	return base
}
