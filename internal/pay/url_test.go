package pay_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

// goodReturnURLs lead somewhere, and nowhere that harms.
var goodReturnURLs = []string{
	// Schemes of games' own.
	"mygame://payment-complete", "mygame://", "mygame:///", "mygame:/done", "mygame:done", "mygame:?paid", "mygame://done?x=1#y",
	"com.example.game://done", "fb1234567890://authorize", "my-game+beta.2://done", "MyGame://Done", "MYGAME:DONE", "g://x",
	"mygame://shop/50%20coins", "mygame://my_game/done", "mygame://host:80/done", "mygame://user@host/done", "steam://run/480",
	"javascripts://done", "xjavascript:done", "data-game://done", "filesaver://done", "aboutme://done", "blobs://done", "telegram://done", "msgame://done",
	"mygame://javascript:alert(1)@x/", "mygame:javascript:alert(1)", "mygame://done?next=javascript:alert(1)", "mygame://done#data:text/html,x",
	"www.example.com:80/done", "localhost:3000/", // of the schemes www.example.com and localhost, though hardly meant so
	// The web.
	"https://example.com", "https://example.com/", "http://example.com/done", "https://example.com:8443/done?a=b&c=d#e",
	"HTTPS://EXAMPLE.COM/", "https://player:secret@example.com/", "http://localhost:3000/", "http://127.0.0.1/", "https://[::1]:8080/",
	"https://[2001:db8::1]/", "https://example.com/a/../b", "https://example.com//double", "https://xn--mnchen-3ya.example/", "https://example.com?x",
	"https://example.com#x", "https://example.com/?u=https://evil.example/", "https://example.com/'quoted'", "https://example.com/a|b^c`d",
	"https://example.com/%00", "https://example.com/%0d%0aSet-Cookie:x", "https://example.com/;a=b", "https://example.com./",
	// Characters beyond ASCII, as browsers take them.
	"https://münchen.example/straße", "https://例え.jp/コイン?数=50", "mygame://完了", "mygame://done/🎮", "https://example.com/\u200b",
	"mygame://\u00a0", "mygame://done\ufeff",
	// The session's id.
	"mygame://done?session={SESSION_ID}", "mygame://{SESSION_ID}", "mygame:{SESSION_ID}", "https://example.com/{SESSION_ID}/{SESSION_ID}#{SESSION_ID}",
	"https://{SESSION_ID}.example.com/", "https://example.com/?{SESSION_ID}", "https://{SESSION_ID}@example.com/",
	"mygame://done?{session_id}", "mygame://done?{SESSION_ID", "mygame://done?{{SESSION_ID}}", "mygame://done?%7BSESSION_ID%7D", "mygame://done?{CHECKOUT_SESSION_ID}",
	// Length.
	"mygame://" + strings.Repeat("x", 2048-len("mygame://")),
	"mygame://" + strings.Repeat("金", 2048-len("mygame://")),
	"mygame://" + strings.Repeat("{SESSION_ID}", 160),
}

// badReturnURLs run script, reach into the device or other apps, lead nowhere, or are no URIs.
var badReturnURLs = []string{
	// Script.
	"javascript:alert(1)", "JavaScript:alert(1)", "JAVASCRIPT:alert(1)", "jAvAsCrIpT:alert(1)", "javascript://%0aalert(1)", "javascript://example.com/%0aalert(1)",
	"javascript:", "javascript:/**/alert(1)", "javascript:void(0)", "javascript:{SESSION_ID}", "javascript:%61lert(1)",
	" javascript:alert(1)", "\tjavascript:alert(1)", "\njavascript:alert(1)", "\x00javascript:alert(1)", "\x01javascript:alert(1)", "\x1bjavascript:alert(1)",
	"java\tscript:alert(1)", "java\nscript:alert(1)", "java\rscript:alert(1)", "java\r\nscript:alert(1)", "java\x00script:alert(1)", "java script:alert(1)",
	"j\ta\tv\ta\ts\tc\tr\ti\tp\tt:alert(1)", "javascript\t:alert(1)", "javascript\n:alert(1)", "javascript :alert(1)",
	"java%0ascript:alert(1)", "java%09script:alert(1)", "%6aavascript:alert(1)", "javascript%3aalert(1)", "javascript%3A//x",
	"&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)", "java&Tab;script:alert(1)", "java&NewLine;script:alert(1)", "javascript&colon;alert(1)", "&#0000106avascript:x",
	`\u006aavascript:alert(1)`, `\x6aavascript:alert(1)`, `j\avascript:x`, "ｊavascript:alert(1)", "javaſcript:alert(1)", "javascript：alert(1)", "јavascript:alert(1)",
	"\ufeffjavascript:alert(1)", "\u00a0javascript:alert(1)", "\u2028javascript:alert(1)", "java\u00adscript:alert(1)", "java\u200bscript:alert(1)",
	`"javascript:alert(1)"`, "'javascript:alert(1)", "<javascript:alert(1)>", `"onmouseover="alert(1)`, "javascript:alert(1)//https://example.com",
	"vbscript:msgbox(1)", "VBScript:msgbox(1)", "vb\tscript:msgbox(1)", "vbscript://x",
	"data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4=", "DATA:text/html,x", "da\tta:text/html,x", "data:,x", "data://text/html,x",
	"java{SESSION_ID}script:alert(1)", "{SESSION_ID}:alert(1)", "{SESSION_ID}://done", "{SESSION_ID}", "{SESSION_ID}javascript:alert(1)", "my{SESSION_ID}game://done",
	// The browser, its pages and files.
	"file:///etc/passwd", "FILE:///etc/passwd", "file://host/share", "file:x", "filesystem:https://example.com/temporary/x", "blob:https://example.com/0f", "BLOB:null/0f", "about:blank", "about:config",
	"view-source:https://example.com", "View-Source:javascript:alert(1)", "chrome://settings", "edge://settings", "opera://settings", "resource://gre/", "res://ieframe.dll/",
	"jar:https://example.com!/x", "mhtml:https://example.com", "ws://example.com", "wss://example.com", "ftp://example.com/x",
	// The device and its other apps.
	"intent://scan/#Intent;scheme=zxing;end", "Intent:#Intent;end", "android-app://com.example/https/x", "content://contacts/people", "market://details?id=x",
	"itms://x", "itms-apps://x", "itms-appss://x", "itms-services://?action=download-manifest", "tel:+15551234", "TEL:1", "sms:+15551234", "smsto:1", "mms:1", "mailto:a@example.com",
	"facetime:a", "facetime-audio:a", "callto:a", "skype:a?call", "shell:startup", "ms-settings:privacy", "MS-msdt:/id", "ms-word:ofe|u|https://example.com", "x-apple.systempreferences:", "x-apple-helpbasic://x",
	// Not absolute.
	"", "/", "/done", "done", "./done", "../done", "?paid", "#paid", "//example.com", "//example.com/done", "///example.com", "example.com", "example.com/done",
	":done", "://done", "1game://done", "-game://done", "my_game://done", "my game://done", "my%67ame://done", "mygame", "mygame//done", "gämé://done",
	// Naming nothing.
	"mygame:", "mygame:#x", "http:", "http://", "https://", "https:///", "https:///done", "https:done", "https:example.com", "https:/example.com", "https://:443/", "https://@/", "https://user@/done", "https://?x", "https://#x", "http:?x",
	// What no URI holds, and what browsers and Go might read differently.
	`https:\\example.com`, `https://example.com\@evil.example`, `\\example.com`, `mygame:\done`, "https://exam ple.com/", "https://example.com/a b", "https://example.com/\n", "https://example.com/\r\nSet-Cookie:x",
	"https://example.com/\u202egnp", "mygame://\u0085", "mygame://\u2028", "mygame://\u2066x",
	"https://example.com/\x7f", "https://example.com/\x1f", "https://example.com/<b>", `https://example.com/"`, "mygame://done\x00", "mygame://done\xff", "mygame://\xc3\x28", "mygame://done ", " mygame://done", "\tmygame://done",
	"https://example.com:port/", "https://example.com:{SESSION_ID}/", "https://[::1/", "https://[{SESSION_ID}]/", "https://ex%61mple.com/", "https://example.com/%zz", "https://example.com/%{SESSION_ID}", "mygame://%zz", "https://exa%mple.com/",
	// Length.
	"mygame://" + strings.Repeat("x", 2049-len("mygame://")),
	"mygame://" + strings.Repeat("金", 2049-len("mygame://")),
	strings.Repeat("a", 1<<20) + "://x",
}

func TestReturnURLs(t *testing.T) {
	if len(goodReturnURLs)+len(badReturnURLs) < 150 {
		t.Errorf("only %d URLs", len(goodReturnURLs)+len(badReturnURLs))
	}
	for _, good := range goodReturnURLs {
		if got, err := pay.ParseReturnURL(pay.InvalidReturnURL, "return_url", good, spaceShooter); err != nil || string(got) != good {
			t.Errorf("%.80q: %.80q, %v", good, got, err)
		}
	}
	for _, bad := range badReturnURLs {
		got, err := pay.ParseReturnURL(pay.InvalidCancelURL, "cancel_url", bad, spaceShooter)
		if err == nil || got != "" {
			t.Errorf("%.80q is accepted", bad)
			continue
		}
		wantRefusal(t, err, pay.InvalidCancelURL, "cancel_url")
	}
}

func TestAGameRestrictsSchemesAndHosts(t *testing.T) {
	game := pay.Game{ID: "g", ReturnSchemes: []string{"mygame", "https"}, ReturnHosts: []string{"example.com", "shop.example.com"}}.WithDefaults()
	for text, want := range map[string]bool{
		"mygame://done":                             true,
		"MyGame://anything":                         true,
		"mygame://evil.example":                     true, // hosts are those of the web only
		"https://example.com/":                      true,
		"https://example.com:8443/":                 true,
		"https://EXAMPLE.com/":                      true,
		"https://shop.example.com/x":                true,
		"https://user@example.com/":                 true,
		"http://example.com/":                       false,
		"other://done":                              false,
		"mygames://done":                            false,
		"https://example.org/":                      false,
		"https://www.example.com/":                  false,
		"https://example.com.evil.example/":         false,
		"https://evilexample.com/":                  false,
		"https://example.com@evil.example/":         false,
		"https://example.com:x@evil.example/":       false,
		"https://evil.example/@example.com":         false,
		"https://evil.example#@example.com":         false,
		"https://evil.example?@example.com":         false,
		"https://evil.example/https://example.com/": false,
		"https://example.com%2f@evil.example/":      false,
		"https://example.com%00.evil.example/":      false,
		"https://example.com./":                     false,
		"https://.example.com/":                     false,
		"https://ｅxample.com/":                      false,
		"https://{SESSION_ID}/":                     false,
		"https://{SESSION_ID}.example.com/":         false,
		"https://example.com{SESSION_ID}/":          false,
		"https:example.com":                         false,
		"javascript:alert(1)":                       false,
	} {
		if _, err := pay.ParseReturnURL(pay.InvalidReturnURL, "return_url", text, game); (err == nil) != want {
			t.Errorf("%s: accepted should be %v: %v", text, want, err)
		}
	}
}

// TestARefusedSchemeCannotBeAllowed: a game's own list only narrows what is accepted.
func TestARefusedSchemeCannotBeAllowed(t *testing.T) {
	game := spaceShooter
	game.ReturnSchemes = []string{"javascript", "ms-settings"}
	for _, bad := range []string{"javascript:alert(1)", "ms-settings:privacy"} {
		if _, err := pay.ParseReturnURL(pay.InvalidReturnURL, "return_url", bad, game); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestForPutsInTheSession(t *testing.T) {
	for text, want := range map[pay.ReturnURL]string{
		"mygame://done":                              "mygame://done",
		"mygame://done?s={SESSION_ID}":               "mygame://done?s=sess_1",
		"mygame://{SESSION_ID}/{SESSION_ID}":         "mygame://sess_1/sess_1",
		"mygame://done?{session_id}{SESSION ID}%7B}": "mygame://done?{session_id}{SESSION ID}%7B}",
		"mygame://{{SESSION_ID}}":                    "mygame://{sess_1}",
	} {
		if got := text.For("sess_1"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func FuzzParseReturnURL(f *testing.F) {
	for _, seed := range slices.Concat(goodReturnURLs, badReturnURLs) {
		if len(seed) < 200 {
			f.Add(seed)
		}
	}
	session := pay.NewSessionID(noon, entropy(1))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := pay.ParseReturnURL(pay.InvalidReturnURL, "return_url", text, spaceShooter)
		if err != nil {
			return
		}
		if string(r) != text {
			t.Errorf("%q is read as %q", text, r)
		}
		for _, link := range []string{r.For(session), r.For("sess_abc123")} {
			u, err := url.Parse(link)
			if err != nil || !u.IsAbs() {
				t.Fatalf("%q leads to %q, which is no absolute URI: %v", text, link, err)
			}
			if scheme := schemeInBrowser(link); scheme != u.Scheme || harmful[scheme] {
				t.Errorf("%q leads to %q, of the scheme %q for a browser", text, link, scheme)
			}
			if web := u.Scheme == "http" || u.Scheme == "https"; web && u.Hostname() == "" {
				t.Errorf("%q leads to %q, which has no host", text, link)
			}
		}
	})
}

var harmful = map[string]bool{
	"javascript": true, "data": true, "vbscript": true, "file": true, "blob": true, "about": true, "view-source": true, "intent": true,
}

// schemeInBrowser reads the scheme of a link as browsers do (WHATWG URL, section 4.4):
// without control characters and spaces around it, without tabs and line breaks in it.
func schemeInBrowser(link string) string {
	link = strings.TrimFunc(link, func(r rune) bool { return r <= ' ' })
	link = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(link)
	scheme, _, ok := strings.Cut(link, ":")
	if !ok || strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return ""
	}
	return strings.ToLower(scheme)
}
