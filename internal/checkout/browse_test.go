package checkout_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// leaf is a page as a browser without script has it.
type leaf struct {
	t      *testing.T
	url    string
	status int
	header http.Header
	body   string
	root   *html.Node
}

// browser follows no redirect by itself, and says of its forms what a browser does.
var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func send(t *testing.T, method, address, body string, header map[string]string) *leaf {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	return &leaf{t, address, response.StatusCode, response.Header, string(content), root}
}

// alone serves a shop's page with nothing around it, as one that is asked for every
// path, and returns its URL.
func alone(t *testing.T, shop *coinslottest.Shop) string {
	t.Helper()
	server := httptest.NewServer(checkout.New(checkout.Options{
		Service: shop.Gateway, Address: shop.Address, Mount: shop.Address.Path(), Logger: shop.Log.Logger(), Now: shop.Now,
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T, address string) *leaf {
	t.Helper()
	return send(t, http.MethodGet, address, "", nil)
}

// follow goes where a form's answer sends the browser.
func (l *leaf) follow() *leaf {
	l.t.Helper()
	if l.status != http.StatusSeeOther {
		l.t.Fatalf("%s answered %d, not a redirect: %s", l.url, l.status, l.text("main"))
	}
	return open(l.t, l.join(l.header.Get("Location")))
}

func (l *leaf) join(ref string) string {
	l.t.Helper()
	base, err := url.Parse(l.url)
	if err != nil {
		l.t.Fatal(err)
	}
	to, err := base.Parse(ref)
	if err != nil {
		l.t.Fatal(err)
	}
	return to.String()
}

// form is the nth form whose action ends so, with its hidden fields filled in.
func (l *leaf) form(action string, n int) (to string, fields url.Values) {
	l.t.Helper()
	for _, f := range l.all("form") {
		if !strings.HasSuffix(attr(f, "action"), action) {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		fields = url.Values{}
		for _, in := range each(f, "input") {
			fields.Set(attr(in, "name"), attr(in, "value"))
		}
		return l.join(attr(f, "action")), fields
	}
	l.t.Fatalf("there is no form to %s on %s: %s", action, l.url, l.text("main"))
	return "", nil
}

// submit posts a form with more filled in: name, value, name, value …
func (l *leaf) submit(action string, n int, filled ...string) *leaf {
	l.t.Helper()
	to, fields := l.form(action, n)
	for i := 0; i < len(filled); i += 2 {
		fields.Set(filled[i], filled[i+1])
	}
	return send(l.t, http.MethodPost, to, fields.Encode(), nil)
}

func (l *leaf) payByCard(number string) *leaf {
	l.t.Helper()
	return l.submit("/pay", 0, "number", number, "expiry", "12/40", "cvc", "123")
}

func (l *leaf) all(tag string) []*html.Node { return each(l.root, tag) }

func each(n *html.Node, tag string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			found = append(found, d)
		}
	}
	return found
}

// byID finds one element.
func (l *leaf) byID(id string) *html.Node {
	l.t.Helper()
	for d := range l.root.Descendants() {
		if d.Type == html.ElementNode && attr(d, "id") == id {
			return d
		}
	}
	l.t.Fatalf("there is no #%s on %s", id, l.url)
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a tag's elements say, white space made single.
func (l *leaf) text(tag string) string {
	var b strings.Builder
	for _, n := range l.all(tag) {
		b.WriteString(words(n) + " ")
	}
	return strings.TrimSpace(b.String())
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says fails the test unless the page holds all the texts.
func (l *leaf) says(texts ...string) {
	l.t.Helper()
	shown := strings.Join(strings.Fields(l.text("main")), " ")
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			l.t.Errorf("%s does not say %q:\n%s", l.url, text, shown)
		}
	}
}
