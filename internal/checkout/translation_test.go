package checkout

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/feature/plural"
)

// counted are the texts that count, which have a key for each plural category.
var counted = []string{"attempts_left"}

var gaps = regexp.MustCompile(`\{[^}]*\}`)

// The categories of CLDR for whole numbers, and "other", which fractions have.
func TestEveryLanguageHasItsPluralCategories(t *testing.T) {
	for lang, want := range map[string]string{
		"en": "one other", "de": "one other", "es": "one other", "fr": "one other", "it": "one other", "pt-BR": "one other", "tr": "one other",
		"pl": "few many one other", "ru": "few many one other", "uk": "few many one other", "ar": "few many one other two zero",
		"ja": "other", "ko": "other", "zh-Hans": "other", "zh-Hant": "other",
	} {
		l := speaking(t, lang)
		if got := strings.Join(slices.Sorted(maps.Keys(numbersOf(l))), " "); got != want {
			t.Errorf("%s: the categories are %s, want %s", lang, got, want)
		}
	}
}

// numbersOf is what of 0 to 1000 falls into each plural category of a language.
func numbersOf(l locale) map[string][]int {
	numbers := map[string][]int{"other": nil}
	for n := range 1001 {
		c := category(plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0))
		numbers[c] = append(numbers[c], n)
	}
	return numbers
}

func speaking(t *testing.T, lang string) locale {
	t.Helper()
	l := localeFor(lang, "")
	if l.tag.String() != lang {
		t.Fatalf("the page does not speak %s", lang)
	}
	return l
}

func TestEveryLanguageHasEveryTextAndNoOther(t *testing.T) {
	if len(translations) != 15 {
		t.Errorf("there are %d languages", len(translations))
	}
	for _, tr := range translations {
		want := maps.Clone(english)
		maps.DeleteFunc(want, func(key, _ string) bool { return strings.Contains(key, ".") })
		for _, key := range counted {
			for c := range numbersOf(locale{translation: tr}) {
				want[key+"."+c] = ""
			}
		}
		for key := range want {
			if strings.TrimSpace(tr.texts[key]) == "" {
				t.Errorf("%s has no text %q", tr.tag, key)
			}
		}
		for key := range tr.texts {
			if _, ok := want[key]; !ok {
				t.Errorf("%s has a text %q that nothing asks for", tr.tag, key)
			}
		}
	}
}

func TestTranslationsFillTheSameGaps(t *testing.T) {
	for _, tr := range translations {
		for key, text := range tr.texts {
			name, category, counts := strings.Cut(key, ".")
			want := english[key]
			if counts {
				want = english[name+".other"]
			}
			a, b := gaps.FindAllString(want, -1), gaps.FindAllString(text, -1)
			slices.Sort(a)
			slices.Sort(b)
			if counts && len(b) == 0 && len(numbersOf(locale{translation: tr})[category]) == 1 {
				continue // "one attempt" needs no figure where one is all that it can be
			}
			if !slices.Equal(a, b) || strings.Count(text, "{") != len(b) {
				t.Errorf("%s, %s: %q has other gaps than %q", tr.tag, key, text, want)
			}
		}
	}
}

// asInEnglish are the texts that other languages may have in English's very words: names,
// and words that they share.
var asInEnglish = map[string]string{
	"apple_pay": "", "google_pay": "", "paypal": "", "venmo": "", "cvc_hint": "",
	"expiry_hint": "ar", "total": "fr es pt-BR", "title_wallet": "de", "sandbox": "de",
}

// loans are the Latin letters that stand in other scripts.
var loans = regexp.MustCompile(`Apple Pay|Google Pay|PayPal|Venmo|CVC|MM/YY`)

func TestNothingIsLeftInEnglish(t *testing.T) {
	for _, tr := range translations[1:] {
		for key, text := range tr.texts {
			langs, allowed := asInEnglish[key]
			if text == english[key] && !(allowed && (langs == "" || slices.Contains(strings.Fields(langs), tr.tag.String()))) {
				t.Errorf("%s, %s: %q is English", tr.tag, key, text)
			}
			latin := strings.ContainsFunc(loans.ReplaceAllString(text, ""), func(r rune) bool { return unicode.Is(unicode.Latin, r) })
			if script, _ := tr.tag.Script(); script.String() != "Latn" && latin {
				t.Errorf("%s, %s: %q has Latin letters", tr.tag, key, text)
			}
		}
	}
}

// Each language's own signs and spaces.
func TestPunctuationIsTheLanguagesOwn(t *testing.T) {
	for lang, never := range map[string]string{
		"en": `[’“”„«»]|  `, "de": `[^ ]…|'|  `, "fr": `[^\x{202f}][;!?»]|[^\x{a0}]:|'|\.\.\.`, "es": `'|\.\.\.`, "it": `'|\.\.\.`, "pt-BR": `'|\.\.\.`,
		"pl": `'|\.\.\.`, "tr": `'|\.\.\.`, "ru": `[-"'] |\.\.\.|[ыэё]э`, "uk": `['ыэёъ]|\.\.\.`,
		"ja": `[,.:;?!()]|[。、] `, "ko": `[。、，：（）]|\.\.\.`, "zh-Hans": `[,:;?!()"]|\.( |$)|[。，：] `, "zh-Hant": `[,:;?!()"]|\.( |$)|[。，：] `, "ar": `[,;?]|\.\.\.`,
	} {
		pattern := regexp.MustCompile(never)
		for key, text := range speaking(t, lang).texts {
			// A figure such as 08/29 and a gap are none of the language.
			if m := pattern.FindString(text); m != "" {
				t.Errorf("%s, %s: %q has %q", lang, key, text, m)
			}
		}
	}
}

// A sentence ends with its full stop wherever the English one does.
func TestSentencesEndWhereTheEnglishOnesDo(t *testing.T) {
	for _, tr := range translations[1:] {
		for key, text := range english {
			got := tr.texts[key]
			if got == "" || key == "bad_expiry" { // Korean ends it with the example
				continue
			}
			if a, b := strings.HasSuffix(text, "."), strings.HasSuffix(got, ".") || strings.HasSuffix(got, "。"); a != b {
				t.Errorf("%s, %s: %q ends otherwise than %q", tr.tag, key, got, text)
			}
		}
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 2, "You have 2 attempts left."}, {"de", 1, "Sie haben noch 1 Versuch."}, {"fr", 2, "Il vous reste 2 tentatives."},
		{"pl", 1, "Pozostała 1 próba."}, {"pl", 2, "Pozostały 2 próby."}, {"pl", 5, "Pozostało 5 prób."}, {"pl", 22, "Pozostały 22 próby."},
		{"ru", 1, "Осталась 1 попытка."}, {"ru", 3, "Осталось 3 попытки."}, {"ru", 5, "Осталось 5 попыток."}, {"ru", 11, "Осталось 11 попыток."}, {"ru", 21, "Осталась 21 попытка."},
		{"uk", 1, "Залишилася 1 спроба."}, {"uk", 4, "Залишилося 4 спроби."}, {"uk", 9, "Залишилося 9 спроб."},
		{"ar", 0, "لم تتبقَّ أي محاولة."}, {"ar", 1, "تتبقى محاولة واحدة."}, {"ar", 2, "تتبقى محاولتان."}, {"ar", 3, "تتبقى \u2068٣\u2069 محاولات."},
		{"ar", 11, "تتبقى \u2068١١\u2069 محاولة."}, {"ar", 100, "تتبقى \u2068١٠٠\u2069 محاولة."},
		{"ja", 2, "あと2回お試しいただけます。"}, {"ko", 2, "앞으로 2번 더 시도할 수 있습니다."}, {"zh-Hans", 2, "您还可以再试 2 次。"},
	} {
		if got := speaking(t, c.lang).count("attempts_left", c.n); got != c.want {
			t.Errorf("%s, %d: %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}
