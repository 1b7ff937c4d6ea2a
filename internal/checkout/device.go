package checkout

import (
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
)

// device is what a request says of the browser that the page is shown in. It decides only
// which wallets are worth a button: the card form is there for all.
type device struct {
	system  string // ios, mac, android; empty: another
	safari  bool
	webView bool // the page is shown within another app
}

// apps are the names by which apps' own browsers are known. Most are web views that say
// so themselves; these do not all, or not on every system.
var apps = regexp.MustCompile(`\bFBA[NV]/|\bFB_IAB/|\bInstagram\b|\bmusical_ly\b|\bBytedanceWebview\b|\bTikTok\b|\bLine/|\bMicroMessenger/|` +
	`\bSnapchat\b|\bTwitter for i|\bTwitterAndroid\b|\bPinterest/|\bLinkedInApp\b|\bKAKAOTALK\b|\bNAVER\(inapp\b|\bQQ/|\bWeibo\b`)

// androidView matches Android's web view: "; wv)" since Android 5, and before that a
// version of the view's own, which Chrome has never had.
var androidView = regexp.MustCompile(`; wv\)|\bVersion/[0-9.]+ Chrome/`)

// deviceOf reads the User-Agent, and the hints in its place where a browser sends them.
//
//	what it says                                     | system  | shown within an app
//	-------------------------------------------------|---------|--------------------
//	iPhone, iPad, iPod; Safari/                      | ios     | no
//	iPhone, iPad, iPod; no Safari/                   | ios     | yes: a bare WKWebView
//	Macintosh; Safari/                               | mac     | no; an iPad that asks for desktop pages too
//	Macintosh; AppleWebKit/, but no Safari/          | mac     | yes: the same of an iPad's app
//	Android; Chrome/, Firefox/ …                     | android | no
//	Android; "; wv)", or Version/ before Chrome/     | android | yes: a WebView
//	Sec-CH-UA with "Android WebView"                 | android | yes
//	the name of an app that has a browser of its own | as it is| yes
func deviceOf(head http.Header) device {
	agent, hints := head.Get("User-Agent"), head.Get("Sec-CH-UA")
	has := func(part string) bool { return strings.Contains(agent, part) }
	var d device
	switch platform := strings.Trim(head.Get("Sec-CH-UA-Platform"), `"`); {
	case has("iPhone"), has("iPad"), has("iPod"), platform == "iOS":
		d.system = "ios"
	case has("Android"), platform == "Android":
		d.system = "android"
	case has("Macintosh"), platform == "macOS":
		d.system = "mac"
	}
	apple := d.system == "ios" || d.system == "mac"
	d.safari = apple && has("Version/") && has("Safari/") && !has("Chrome/")
	switch {
	case apps.MatchString(agent), strings.Contains(hints, "Android WebView"):
		d.webView = true
	case d.system == "android":
		d.webView = androidView.MatchString(agent)
	case apple:
		d.webView = has("AppleWebKit/") && !has("Safari/")
	}
	return d
}

// shows says whether a wallet's button makes sense there.
//
//	Apple Pay          | any browser of an iPhone or iPad, Safari on a Mac; not within an app
//	Google Pay         | any browser; not within an app
//	Venmo              | anywhere, for dollars
//	PayPal, pay later  | anywhere: they open a page
func (d device) shows(m pay.Method, currency pay.Currency) bool {
	switch m {
	case pay.MethodApplePay:
		return !d.webView && (d.system == "ios" || d.safari)
	case pay.MethodGooglePay:
		return !d.webView
	case pay.MethodVenmo:
		return currency == "USD"
	}
	return true
}

// missesOut is the wallet that an app withholds from the player, whose system's it is;
// empty where the page is shown in a browser, or the wallet is not to be had anyway.
func (d device) missesOut() pay.Method {
	switch {
	case !d.webView:
		return ""
	case d.system == "ios" || d.system == "mac":
		return pay.MethodApplePay
	}
	return pay.MethodGooglePay
}

// elsewhere is a link that leaves an app for the system's own browser, made of nothing but
// our own page's address. Empty: there is none, and the address must do.
func (d device) elsewhere(page string) template.URL {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	switch scheme := u.Scheme; d.system {
	case "android":
		u.Scheme, u.Fragment = "intent", "Intent;scheme="+scheme+";action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end"
	case "ios":
		u.Scheme = "x-safari-" + scheme
	default:
		return ""
	}
	return template.URL(u.String())
}
