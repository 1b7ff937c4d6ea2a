package checkout

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

// A key is written as T "key" in a template, as text("key") in Go, or is a status,
// method or failure's own name.
var usedKeys = regexp.MustCompile(`(?:\bT |\bT\(|text\(|count\(|problem\([^"]*|failed\(|trouble\(|notice: |return |text = )"([a-z0-9_]+)"`)

// tables are the files of the translations, which ask for nothing.
var tables = map[string]bool{
	"english.go": true, "german.go": true, "french.go": true, "spanish.go": true, "italian.go": true,
	"portuguese.go": true, "polish.go": true, "turkish.go": true, "russian.go": true, "ukrainian.go": true,
	"japanese.go": true, "korean.go": true, "chinese_simplified.go": true, "chinese_traditional.go": true, "arabic.go": true,
}

func TestEveryTextThatIsAskedForIsThere(t *testing.T) {
	source := ""
	for _, dir := range []string{".", "page"} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !tables[path] && !strings.HasSuffix(path, "_test.go") {
				b, err := os.ReadFile(dir + "/" + path)
				source += string(b)
				return err
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range usedKeys.FindAllStringSubmatch(source, -1) {
		switch m[1] {
		case "ended", "form", "waiting", "processing", // kinds of pages and names of states
			"zero", "one", "two", "few", "many", "other": // plural categories
			continue
		}
		if english[m[1]] == "" && english[m[1]+".other"] == "" {
			t.Errorf("there is no text %q", m[1])
		}
	}
	for key := range english {
		// A text that says more goes with the heading that it is named after.
		key, _, _ := strings.Cut(key, ".")
		heading := strings.TrimSuffix(key, "_says")
		if !strings.Contains(source, `"`+key+`"`) && !strings.Contains(source, `"`+heading+`"`) && !wireNames()[heading] {
			t.Errorf("nothing asks for the text %q", key)
		}
	}
}

func wireNames() map[string]bool {
	names := map[string]bool{}
	for _, s := range pay.SessionStatuses {
		names[string(s)] = true
	}
	for m := range sheets {
		names[string(m)] = true
	}
	for _, c := range failures {
		names[string(c)] = true
	}
	return names
}

var failures = []pay.FailureCode{
	pay.CardDeclined, pay.InsufficientFunds, pay.ExpiredCard, pay.IncorrectCVC, pay.AuthenticationFailed,
	pay.ProcessingError, pay.ProviderUnavailable, pay.ConfirmationRejected, pay.ConfirmationTimeout, pay.Abandoned,
}

func TestEveryFailureHasItsWords(t *testing.T) {
	for _, code := range failures {
		p := pay.Payment{Status: pay.PaymentFailed, Method: pay.MethodCard, Failure: &pay.Failure{Code: code}}
		if got := reason(p); got != string(code) {
			t.Errorf("%s is told as %s", code, got)
		}
	}
	if got := reason(pay.Payment{Failure: &pay.Failure{Code: "new_in_a_later_version"}}); got != string(pay.ProcessingError) {
		t.Errorf("an unknown failure is told as %s", got)
	}
}

func TestGapsAreIsolatedWhereTheyTurnTheText(t *testing.T) {
	l := localeFor("en", "")
	for gap, want := range map[string]string{
		"Space Shooter": "Back to Space Shooter",
		"Café":          "Back to Café",
		"משחק":          "Back to \u2068משחק\u2069",
		"a\u202eb":      "Back to \u2068a\u202eb\u2069",
		"{0}{1}":        "Back to {0}{1}",
	} {
		if got := l.text("back", gap); got != want {
			t.Errorf("%q: %q, want %q", gap, got, want)
		}
	}
}
