package inbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// opened is an answer, and what it holds if it is a page.
type opened struct {
	status int
	header http.Header
	text   string
	root   *html.Node
}

func open(t *testing.T, address string, headers ...string) opened {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return opened{res.StatusCode, res.Header, string(text), root}
}

// all are the elements that a condition is true of.
func (o opened) all(is func(*html.Node) bool) (found []*html.Node) {
	for n := range o.root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			found = append(found, n)
		}
	}
	return found
}

// id is the text of an element.
func (o opened) id(id string) string {
	for _, n := range o.all(func(n *html.Node) bool { return attr(n, "id") == id }) {
		return text(n)
	}
	return ""
}

// class is the texts of all elements of a class.
func (o opened) class(class string) (texts []string) {
	for _, n := range o.all(func(n *html.Node) bool { return attr(n, "class") == class }) {
		texts = append(texts, text(n))
	}
	return texts
}

// link is where a link of that text leads.
func (o opened) link(says string) string {
	for _, n := range o.all(func(n *html.Node) bool { return n.Data == "a" && strings.TrimSpace(text(n)) == says }) {
		return attr(n, "href")
	}
	return ""
}

// events are the links of the list, newest first.
func (o opened) events() (links []string) {
	for _, n := range o.all(func(n *html.Node) bool { return n.Data == "a" && n.Parent.Data == "li" }) {
		links = append(links, attr(n, "href"))
	}
	return links
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(text(c))
	}
	return b.String()
}

func cancel(t *testing.T, shop *coinslottest.Shop, id pay.SessionID) {
	t.Helper()
	if _, err := shop.Gateway.CancelSession(t.Context(), gateway.Caller{Environment: pay.Sandbox}, id, gateway.Idempotency{}); err != nil {
		t.Fatal(err)
	}
}

func TestTheNewestWebhookIsFirstAndPagesGoBack(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	const sessions = 60 // with the first one's end more than two pages' worth of half
	var want []string
	first := shop.Sell(t)
	want = append(want, string(first))
	for range sessions {
		want = append(want, string(shop.Sell(t)))
	}
	cancel(t, shop, first)
	want = append(want, string(first))
	slices.Reverse(want)

	page := open(t, shop.URL+inbox.Path)
	if page.link("Newest") != "" {
		t.Error("the first page leads to newer ones")
	}
	got := page.class("id")
	if len(got) != 50 || page.class("type")[0] != "session.cancelled" || page.class("type")[1] != "session.created" {
		t.Fatalf("the first page has %d, the first being %v", len(got), page.class("type")[:2])
	}
	page = open(t, shop.URL+page.link("Older"))
	got = append(got, page.class("id")...)
	if page.link("Older") != "" || open(t, shop.URL+page.link("Newest")).class("id")[0] != string(first) {
		t.Error("the last page does not lead back only")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the sessions listed, -want +got:\n%s", diff)
	}
}

func TestTheListIsFiltered(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	a, b := shop.Sell(t), shop.Sell(t)
	cancel(t, shop, a)
	for query, want := range map[string][]string{
		"":                                   {"session.cancelled", "session.created", "session.created"},
		"?game=game_1":                       {"session.cancelled", "session.created"},
		"?game=game_2&type=":                 {"session.created"},
		"?type=session.created":              {"session.created", "session.created"},
		"?session=+" + string(a) + "+":       {"session.cancelled", "session.created"},
		"?game=game_1&session=" + string(b):  nil,
		"?game=game_1&type=refund.succeeded": nil,
		"?session=sess_0":                    nil,
	} {
		page := open(t, shop.URL+inbox.Path+query)
		if diff := cmp.Diff(want, page.class("type")); page.status != 200 || diff != "" {
			t.Errorf("%q: %d, -want +got:\n%s", query, page.status, diff)
		}
		if (len(want) == 0) != strings.Contains(page.text, "No webhook that the filter lets through") {
			t.Errorf("%q: the page says: %s", query, page.id("list"))
		}
	}
}

func TestWhatIsAskedWronglyIsRefusedByName(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	for query, want := range map[string]string{
		"?type=session.bought": "type must be a type of event such as session.paid", "?session=42": "session", "?game=chess": `there is no game "chess"`,
		"?before=x": "before must be a whole number", "?before=-1": "before", "/live?after=x": "after must be", "/live?type=x": "type must be",
	} {
		page := open(t, shop.URL+inbox.Path+query)
		if got := strings.Join(page.class("alert"), ""); page.status != 400 || !strings.Contains(got, want) {
			t.Errorf("%q is answered with %d %q, want %q", query, page.status, got, want)
		}
	}
	for _, path := range []string{"/01978c2e-0000-7000-8000-000000000001", "/nothing", "/nothing/body", "/a/b/c", "/%3Cb%3E"} {
		if page := open(t, shop.URL+inbox.Path+path); page.status != 404 || !strings.Contains(strings.Join(page.class("alert"), ""), "there is no") {
			t.Errorf("%s is answered with %d %s", path, page.status, page.class("alert"))
		}
	}
}

func TestAnEmptyInboxSaysWhatToDo(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.URL+inbox.Path)
	if got := page.id("create"); !strings.HasPrefix(got, "curl '"+shop.URL+"/v1/sessions' ") || !strings.Contains(got, `"game_id":"space_shooter"`) {
		t.Errorf("it advises %s", got)
	}
	shop.Key(t, pay.Sandbox, pay.Game{ID: "chess"})
	page = open(t, shop.URL+inbox.Path)
	if !strings.Contains(page.id("create"), `"game_id":"chess"`) || page.id("trigger") != "coinslot trigger session.paid --game chess" {
		t.Errorf("with a game it advises %s and %s", page.id("create"), page.id("trigger"))
	}
}

func TestProductionIsNeverShown(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Environment = pay.Production })
	feed, err := shop.Gateway.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	event := string(feed.Events[0].ID)
	for path, status := range map[string]int{
		"": 200, "?session=" + string(id): 200, "?game=game_1": 200, "?type=session.created": 200, "/" + event: 404, "/" + event + "/body": 404,
	} {
		page := open(t, shop.URL+inbox.Path+path)
		if page.status != status || len(page.events()) != 0 || strings.Contains(page.text, "player_42\\") {
			t.Errorf("%q is answered with %d, events %v", path, page.status, page.events())
		}
	}
}

// What differs between any two answers: a code of the path, and a nonce.
var (
	coded = regexp.MustCompile(`"value":"[^"]*"`)
	nonce = regexp.MustCompile(`nonce="[^"]*"`)
)

// Whoever may not see the inbox cannot tell that there is one.
func TestToOthersNothingIsThere(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	shop.Sell(t)
	ours, err := url.Parse(shop.URL)
	if err != nil {
		t.Fatal(err)
	}
	public := coinslottest.Start(t, func(o *installation.Options) { o.PublicURL = "https://pay.example" })
	players := coinslottest.Start(t, func(o *installation.Options) {
		o.PublicURL, o.CheckoutURL = shop.URL, "https://pay.example/pay"
	})
	atRoot := coinslottest.Start(t, func(o *installation.Options) {
		o.PublicURL, o.CheckoutURL, o.CORSOrigins = shop.URL, shop.URL, []string{"*"}
	})
	for name, tt := range map[string]struct {
		server http.Handler
		edit   func(*http.Request)
	}{
		"a production server":             {public, nil},
		"a server with players elsewhere": {players, nil},
		"a stranger":                      {shop, func(r *http.Request) { r.RemoteAddr = "203.0.113.9:5" }},
		"a host that is led here":         {shop, func(r *http.Request) { r.Host = "evil.example" }},
		"a proxy":                         {shop, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") }},
		"another site":                    {shop, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		"another site where pages may ask": {atRoot, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
		}},
	} {
		ask := func(verb, path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(verb, path, nil)
			r.RemoteAddr, r.Host = "127.0.0.1:50000", ours.Host
			if tt.edit != nil {
				tt.edit(r)
			}
			w := httptest.NewRecorder()
			tt.server.ServeHTTP(w, r)
			w.Header().Del("X-Request-Id")
			return w
		}
		for _, verb := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
			for _, below := range []string{"", "/", "/live", "/01978c2e-0000-7000-8000-000000000001", "/x/body", "/x/y/z"} {
				got, want := ask(verb, inbox.Path+below), ask(verb, "/dev/inbex"+below)
				says := coded.ReplaceAllString(got.Body.String(), "")
				same := strings.ReplaceAll(coded.ReplaceAllString(want.Body.String(), ""), "inbex", "inbox")
				policy := "Content-Security-Policy" // has a nonce, where the payment page answers
				if got.Header().Get(policy) != "" && want.Header().Get(policy) != "" {
					got.Header().Del(policy)
					want.Header().Del(policy)
					_, says, _ = strings.Cut(nonce.ReplaceAllString(says, ""), "</style>")
					_, same, _ = strings.Cut(nonce.ReplaceAllString(same, ""), "</style>")
				}
				if got.Code != want.Code || says != same || cmp.Diff(withoutLength(want.Header()), withoutLength(got.Header())) != "" {
					t.Errorf("%s, %s %s: answered with %d %s %v, want %d %s %v", name, verb, below, got.Code, says, got.Header(), want.Code, same, want.Header())
				}
			}
		}
	}
}

func withoutLength(h http.Header) http.Header {
	h.Del("Content-Length")
	return h
}

func TestEveryAnswerIsLockedDown(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	shop.Sell(t)
	event := open(t, shop.URL+inbox.Path).events()[0]
	nonces := map[string]bool{}
	for _, address := range []string{inbox.Path, inbox.Path + "/", inbox.Path + "/list", event, event + "/body", inbox.Path + "/none", inbox.Path + "?type=x"} {
		page := open(t, shop.URL+address, "Origin", "https://evil.example")
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Access-Control-Allow-Origin": "",
		} {
			if got := page.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", address, name, got)
			}
		}
		policy := page.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %s", address, policy)
		}
		for _, n := range page.all(func(n *html.Node) bool { return n.Data == "style" || n.Data == "script" }) {
			nonce := attr(n, "nonce")
			if nonce == "" || !strings.Contains(policy, "'nonce-"+nonce+"'") {
				t.Errorf("%s: <%s> carries the nonce %q", address, n.Data, nonce)
			}
			nonces[nonce] = true
		}
	}
	if len(nonces) != 5 { // the body alone has none
		t.Errorf("five pages have the nonces %v", nonces)
	}
}
