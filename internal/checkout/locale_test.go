package checkout

import "testing"

func TestThePageSpeaksThePlayersLanguage(t *testing.T) {
	for _, c := range []struct{ session, asked, want, notation string }{
		{"de", "", "de", "de"},
		{"", "de", "de", "de"},
		{"fr", "de", "fr", "fr"},
		{"", "", "en", "en"},
		{"", "en-GB,en;q=0.8", "en", "en-GB"},
		{"", "de-AT, en;q=0.5", "de", "de-AT"},
		{"pt", "", "pt-BR", "pt"},
		{"pt-PT", "", "pt-BR", "pt-PT"},
		{"pt_BR", "", "pt-BR", "pt-BR"},
		{"zh", "", "zh-Hans", "zh"},
		{"zh-SG", "", "zh-Hans", "zh-SG"},
		{"zh-TW", "", "zh-Hant", "zh-TW"},
		{"", "zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant", "zh-HK"},
		{"es-MX", "", "es", "es-MX"},
		{"", "ar-SA", "ar", "ar-SA"},
		{"uk-UA", "ru", "uk", "uk-UA"},
		// Not spoken here: the browser's next language, and else English.
		{"", "cs,de;q=0.8,en;q=0.7", "de", "de"},
		{"tlh", "it", "it", "it"},
		{"hi", "", "en", "hi"},
		{"be", "", "ru", "be"},
		{"", "kk,en;q=0.8", "en", "en"},
		{"fa", "", "en", "fa"}, // read in Arabic's letters, and another language
		{"", "nl", "en", "nl"},
		{"", "en;q=0, de", "de", "de"},
		{"", "*", "en", "mul"},
		// What makes no sense asks for nothing.
		{"not a locale", "garbage;;q", "en", "en"},
		{"../../etc", "\x00", "en", "en"},
	} {
		l := localeFor(c.session, c.asked)
		if l.tag.String() != c.want || l.notation.String() != c.notation {
			t.Errorf("%q, %q: %s with %s's prices, want %s with %s's", c.session, c.asked, l.tag, l.notation, c.want, c.notation)
		}
		if dir := map[bool]string{true: "rtl", false: "ltr"}[c.want == "ar"]; l.dir != dir {
			t.Errorf("%s runs %s", c.want, l.dir)
		}
	}
}
