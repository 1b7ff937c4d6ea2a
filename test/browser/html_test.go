package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// isValid has a validator read every state as the server sends it, in a language that
// runs from the left and one from the right.
func isValid(t *testing.T, _ *coinslottest.Shop, pages map[string]string) {
	needValidator(t)
	dir := t.TempDir()
	for _, lang := range []string{"en", "ar"} {
		for name, address := range pages {
			write(t, filepath.Join(dir, lang+"-"+name+".html"), got(t, address, lang, ""))
		}
		write(t, filepath.Join(dir, lang+"-wrong.html"), refusedForm(t, pages["pending"], lang))
	}
	for _, complaint := range validate(t, dir) {
		t.Error(complaint)
	}
}

func TestTheValidatorIsStrict(t *testing.T) {
	t.Parallel()
	needValidator(t)
	shop := coinslottest.OpenShop(t)
	page := string(got(t, shop.Page(shop.Sell(t)), "en", ""))
	dir := t.TempDir()
	spoilt := map[string]string{
		"no-dup-id":                 strings.Replace(page, `id="expiry"`, `id="number"`, 1),
		"close-order":               strings.Replace(page, "</fieldset>", "", 1),
		"element-permitted-content": strings.Replace(page, `<ul class="wallets">`, `<ul class="wallets"><p>no</p>`, 1),
	}
	for rule, page := range spoilt {
		write(t, filepath.Join(dir, rule+".html"), []byte(page))
	}
	said := strings.Join(validate(t, dir), "\n")
	for rule := range spoilt {
		if !strings.Contains(said, rule+".html: "+rule) {
			t.Errorf("%s is not seen: %s", rule, said)
		}
	}
}

func needValidator(t *testing.T) {
	t.Helper()
	testneed.Node(t, 20)
	if _, err := os.Stat(validator); err != nil {
		testneed.Lacks(t, "html-validate")
	}
}

const validator = "node_modules/.bin/html-validate"

// validate returns what the validator says of the files in a directory.
func validate(t *testing.T, dir string) (said []string) {
	t.Helper()
	// Into a file: it does not wait for a pipe to take all that it says.
	report := filepath.Join(t.TempDir(), "report.json")
	_, err := exec.CommandContext(t.Context(), validator, "--config=htmlvalidate.cjs", "--formatter=json="+report, "--max-warnings=0", filepath.Join(dir, "*.html")).Output()
	out, bad := os.ReadFile(report)
	if bad != nil {
		t.Fatalf("%v, %v", err, bad)
	}
	var files []struct {
		FilePath string
		Messages []struct {
			RuleID, Message string
			Line, Column    int
		}
	}
	if bad = json.Unmarshal(out, &files); bad != nil {
		t.Fatalf("%v, %v: %s", err, bad, out)
	}
	for _, f := range files {
		for _, m := range f.Messages {
			said = append(said, fmt.Sprintf("%s: %s: %s (%d:%d)", filepath.Base(f.FilePath), m.RuleID, m.Message, m.Line, m.Column))
		}
	}
	if (err != nil) != (len(said) > 0) {
		t.Fatalf("the validator ended with %v and says %s", err, out)
	}
	return said
}

// got is a page's body as the server sends it to one who takes that encoding.
func got(t *testing.T, address, lang, encoding string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", lang)
	r.Header.Set("Accept-Encoding", encoding) // set, so that nothing is unpacked on the way
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Header.Get("Content-Encoding") != encoding {
		t.Fatalf("%s: %v, in the encoding %q", address, err, response.Header.Get("Content-Encoding"))
	}
	return body
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(token|attempt|method)" value="([^"]*)">`)

// refusedForm is what the server answers to a card form with nothing filled in.
func refusedForm(t *testing.T, address, lang string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/pay", strings.NewReader(fieldsOf(t, address, lang).Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", lang)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("the form is answered %d, %v", response.StatusCode, err)
	}
	return body
}

// fieldsOf are the fields of the card form, with more filled in: name, value, name, value …
func fieldsOf(t *testing.T, address, lang string, filled ...string) url.Values {
	t.Helper()
	fields := url.Values{}
	for _, m := range hidden.FindAllSubmatch(got(t, address, lang, ""), -1) {
		fields.Set(string(m[1]), string(m[2]))
	}
	for i := 0; i < len(filled); i += 2 {
		fields.Set(filled[i], filled[i+1])
	}
	return fields
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
