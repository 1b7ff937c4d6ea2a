package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/idna"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// harmful are schemes that no link of the page may have: they run script, read the device,
// or drive its other apps.
var harmful = []string{
	"javascript", "data", "vbscript", "file", "blob", "filesystem", "about", "view-source", "intent", "android-app", "content",
	"tel", "sms", "smsto", "mailto", "market", "itms", "itms-apps", "itms-services", "facetime", "chrome", "chrome-extension",
	"moz-extension", "ms-settings", "ms-msdt", "search-ms", "ws", "ftp", "jar", "resource", "x-apple-helpbasic", "shell", "livescript", "mhtml",
}

// dressed is a harmful scheme in the dresses in which filters have let one through.
func dressed(scheme string) []string {
	mixed := ""
	for i, r := range scheme {
		if i%2 == 0 {
			mixed += strings.ToUpper(string(r))
		} else {
			mixed += string(r)
		}
	}
	middle := len(scheme) / 2
	split := func(with string) string { return scheme[:middle] + with + scheme[middle:] + ":x" }
	return []string{
		scheme + ":alert(1)", mixed + ":alert(1)", scheme + "://example.com/%0aalert(1)", " " + scheme + ":x", "\x01" + scheme + ":x",
		split("\t"), split("\n"), split("\x00"), split("\u200b"), split("%0a"), scheme + "\t:x", scheme + "%3ax", "&#" + fmt.Sprint(scheme[0]) + ";" + scheme[1:] + ":x",
	}
}

// webAddresses are http(s) URLs of which a browser and a server might believe different
// things, above all whose they are.
func webAddresses() (all []string) {
	for _, web := range []string{"http", "https", "HTTPS"} {
		for _, rest := range []string{
			"://good.test@evil.test/", "://good.test:80@evil.test/", "://good.test%40evil.test/", "://evil.test#@good.test/", "://evil.test?@good.test/", "://evil.test/@good.test/",
			`://good.test\@evil.test/`, `://evil.test\.good.test/`, `:\\evil.test/`, `:/\evil.test/`, ":/evil.test/", ":evil.test/", ":///evil.test/", "://evil.test:80:81/",
			"://good.test.evil.test/", "://evilgood.test/", "://good.test。evil.test/", "://evil.test．good.test/", "://good.test｡evil.test/", "://good.test／.evil.test/", "://good.test？.evil.test/",
			"://gооd.test/", "://good.tеst/", "://g\u00adood.test/", "://good\u200b.test/", "://ｇｏｏｄ.test/", "://good.test\u2024evil.test/", "://℀.test/", "://xn--good-test/", "://GOOD.TEST/", "://good.test./",
			"://%67ood.test/", "://good.test%00.evil.test/", "://good.test%2eevil.test/", "://0x7f.1/", "://2130706433/", "://[::1]/", "://[::ffff:127.0.0.1]/", "://good.test\t.evil.test/", "://good.test\n/", "://good.test /",
			"://good.test/\u202e/", "://good.test/<script>", `://good.test/"onclick="x`, "://{SESSION_ID}.evil.test/", "://good.test/{SESSION_ID}?x=javascript:alert(1)",
		} {
			all = append(all, web+rest)
		}
	}
	return all
}

// relative are references that a page would resolve against its own address, and what
// else is no absolute URI.
var relative = []string{
	"//evil.test/", "///evil.test/", `\\evil.test\`, `/\evil.test/`, `\/evil.test/`, "/pay/", "../", "?x", "#x", "", " ", "evil.test", "@evil.test", ":javascript:x", "://x",
	"/%09/evil.test", "/\t/evil.test", "{SESSION_ID}:x", "java{SESSION_ID}script:x", "%6aavascript:x", `\u006aavascript:x`, "ｊavascript:x", "jаvascript:x", "javaſcript:x", "javascript：x",
}

func hostileAddresses() (all []string) {
	for _, s := range harmful {
		all = append(all, dressed(s)...)
	}
	return append(append(all, webAddresses()...), relative...)
}

// TestAHostileReturnURLOpensNothing asks for sessions with each. What the API refuses, it
// must refuse by name; where it takes one, the link on the page must be to the browser
// what it is to the server: a web address of the host that the server has checked.
func TestAHostileReturnURLOpensNothing(t *testing.T) {
	t.Parallel()
	hostile := hostileAddresses()
	if len(hostile) < 300 {
		t.Errorf("only %d addresses", len(hostile))
	}
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	strict := pay.Game{ID: "strict", ReturnSchemes: []string{"http", "https"}, ReturnHosts: []string{"good.test"}}.WithDefaults()
	keys := map[string]string{"any": shop.Key(t, pay.Sandbox, pay.Game{ID: "any"}.WithDefaults()), "strict": shop.Key(t, pay.Sandbox, strict)}
	taken := map[string][]string{}
	for game, key := range keys {
		var pages, texts []string
		for _, text := range hostile {
			for _, field := range []string{"return_url", "cancel_url"} {
				if page := ask(t, shop, key, game, field, text); page != "" {
					pages, texts = append(pages, page), append(texts, text)
				}
			}
		}
		taken[game] = texts
		b.visit(shop.Page("sess_none"))
		for i, link := range b.linksBack(pages) {
			leadsWhereItSays(t, game, texts[i], link)
		}
	}
	t.Logf("of %d hostile addresses %d are taken, by a game of good.test %d", len(hostile), len(slices.Compact(taken["any"])), len(slices.Compact(taken["strict"])))
	if len(taken["any"]) < 20 || len(taken["strict"]) < 4 {
		t.Error("too few are taken for this to have been a test of links")
	}
}

// ask asks for a session with the address in a field. Where it is taken, the session is
// cancelled, so that its page is one link back, and the page's address is returned.
func ask(t *testing.T, shop *coinslottest.Shop, key, game, field, text string) string {
	t.Helper()
	body := order(map[string]string{"game_id": quoted(game), "return_url": `"https://good.test/"`, field: quoted(text)})
	if strings.Count(body, `"return_url"`) != 1 {
		t.Fatal(body)
	}
	response, said := coinslottest.Ask(t, key, http.MethodPost, shop.URL+"/v1/sessions", body)
	if response.StatusCode == http.StatusBadRequest {
		if !strings.Contains(said, `"invalid_`+field+`"`) || !strings.Contains(said, `"message":"`+field+` `) {
			t.Errorf("%s %q is refused by %s", field, text, said)
		}
		return ""
	}
	var session struct{ ID, URL string }
	if err := json.Unmarshal([]byte(said), &session); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %q is answered %d %s", field, text, response.StatusCode, said)
	}
	if field == "cancel_url" && text == "" {
		return "" // the same as none
	}
	coinslottest.Ask(t, key, http.MethodPost, shop.URL+"/v1/sessions/"+session.ID+"/cancel", "{}")
	return session.URL
}

// link is a link as the browser's own parser reads it.
type link struct{ Raw, Href, Protocol, Host string }

// linksBack reads pages in the browser, and returns where their ways back lead.
func (b *tab) linksBack(pages []string) []link {
	b.t.Helper()
	list, err := json.Marshal(pages)
	if err != nil {
		b.t.Fatal(err)
	}
	return run(b, chromedp.Evaluate[[]link](`Promise.all(`+string(list)+`.map(async page => {
		const text = (await (await fetch(page)).text()).replace(/<style[^]*?<\/style>/, ""); // its nonce is not this page's
		const there = new DOMParser().parseFromString(text, "text/html");
		const raw = there.querySelector("`+string(back)+`").getAttribute("href"), a = document.createElement("a");
		a.href = raw;
		return {Raw: raw, Href: a.href, Protocol: a.protocol, Host: a.hostname};
	}))`, chromedp.EvalAwaitPromise))
}

func leadsWhereItSays(t *testing.T, game, text string, l link) {
	t.Helper()
	scheme := strings.TrimSuffix(l.Protocol, ":")
	u, err := url.Parse(l.Raw)
	switch {
	case err != nil:
		t.Errorf("%q makes the link %q: %v", text, l.Raw, err)
	case scheme == "": // no URL to the browser, which opens nothing
	case scheme != u.Scheme:
		t.Errorf("%q is of %q to the server and of %q to the browser", text, u.Scheme, scheme)
	case slices.Contains(harmful, scheme):
		t.Errorf("%q opens %s", text, l.Href)
	case scheme == "http" || scheme == "https":
		host, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil {
			host = strings.ToLower(u.Hostname())
		}
		if l.Host != host && l.Host != "["+host+"]" && !sameNumber(host, l.Host) && l.Host != "" {
			t.Errorf("%q is of %q to the server and of %q to the browser", text, host, l.Host)
		}
	}
	if game == "strict" && l.Host != "good.test" {
		t.Errorf("%q leads a player of a game of good.test to %q", text, l.Host)
	}
}

// sameNumber says whether a host is one of the ways to write 127.0.0.1 that browsers know.
func sameNumber(host, shown string) bool {
	return shown == "127.0.0.1" && (host == "0x7f.1" || host == "2130706433") || shown == "[::ffff:7f00:1]" && host == "::ffff:127.0.0.1"
}
