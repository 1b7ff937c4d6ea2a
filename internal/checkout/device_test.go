package checkout

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

const (
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	iPad    = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	mac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	blink   = "AppleWebKit/537.36 (KHTML, like Gecko) "
	android = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36"
)

func TestWalletsAreOfferedWhereTheyWork(t *testing.T) {
	for name, c := range map[string]struct {
		agent, hints, platform string
		apple, google, app     bool
	}{
		"Safari on an iPhone":       {agent: iPhone + "Version/18.5 Mobile/15E148 Safari/604.1", apple: true, google: true},
		"Chrome on an iPhone":       {agent: iPhone + "CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1", apple: true, google: true},
		"Firefox on an iPhone":      {agent: iPhone + "FxiOS/127.0 Mobile/15E148 Safari/605.1.15", apple: true, google: true},
		"Safari on an iPad":         {agent: iPad + "Version/17.4 Mobile/15E148 Safari/604.1", apple: true, google: true},
		"an iPad as a Mac":          {agent: mac + "Version/18.5 Safari/605.1.15", apple: true, google: true},
		"Safari on a Mac":           {agent: mac + "Version/17.5 Safari/605.1.15", apple: true, google: true},
		"Chrome on a Mac":           {agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + blink + "Chrome/126.0.0.0 Safari/537.36", platform: `"macOS"`, google: true},
		"Firefox on a Mac":          {agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0", google: true},
		"Chrome on Windows":         {agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + blink + "Chrome/126.0.0.0 Safari/537.36", google: true},
		"Firefox on Linux":          {agent: "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", google: true},
		"Chrome on Android":         {agent: "Mozilla/5.0 (Linux; Android 10; K) " + blink + "Chrome/126.0.0.0 Mobile Safari/537.36", google: true},
		"Samsung's browser":         {agent: "Mozilla/5.0 (Linux; Android 14; SM-S918B) " + blink + "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", google: true},
		"Firefox on Android":        {agent: "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", google: true},
		"Android's web view":        {agent: android, app: true},
		"an old Android's web view": {agent: "Mozilla/5.0 (Linux; Android 4.4.4; Nexus 5) " + blink + "Version/4.0 Chrome/33.0.0.0 Mobile Safari/537.36", app: true},
		"a web view that only hints": {agent: "Mozilla/5.0 (Linux; Android 10; K) " + blink + "Chrome/126.0.0.0 Mobile Safari/537.36",
			hints: `"Not/A)Brand";v="8", "Chromium";v="126", "Android WebView";v="126"`, platform: `"Android"`, app: true},
		"a game's web view on an iPhone": {agent: iPhone + "Mobile/15E148", app: true},
		"a game's web view on an iPad":   {agent: mac, app: true},
		"Instagram on an iPhone":         {agent: iPhone + "Mobile/21F90 Instagram 335.0.4.26.93 (iPhone15,2; iOS 17_5_1; en_US; scale=3.00; 1179x2556; 610955271)", app: true},
		"Instagram on Android":           {agent: android + " Instagram 334.0.0.42.95 Android", app: true},
		"Facebook on an iPhone":          {agent: iPhone + "Mobile/21F90 [FBAN/FBIOS;FBAV/467.0.0.41.104;FBBV/608420433;FBDV/iPhone15,2;FBMD/iPhone]", app: true},
		"Facebook on Android":            {agent: android + " [FB_IAB/FB4A;FBAV/468.0.0.43.79;]", app: true},
		"TikTok on an iPhone":            {agent: iPhone + "Mobile/21F90 musical_ly_34.8.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en", app: true},
		"TikTok on Android":              {agent: android + " trill_340803 BytedanceWebview/d8a21c6", app: true},
		"Line on an iPhone":              {agent: iPhone + "Mobile/15E148 Safari Line/14.9.1", app: true},
		"WeChat on an iPhone":            {agent: iPhone + "Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN", app: true},
		"WeChat on Windows":              {agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + blink + "Chrome/116.0.0.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat", app: true},
		"Snapchat on an iPhone":          {agent: iPhone + "Version/17.5 Mobile/15E148 Safari/604.1 Snapchat/12.91.0.39 (like Safari/8618.2.12.10.9, panda)", app: true},
		"Twitter on an iPhone":           {agent: iPhone + "Mobile/15E148 Twitter for iPhone/10.46", app: true},
		"Twitter on Android":             {agent: android + " TwitterAndroid", app: true},
		"nothing said":                   {google: true},
	} {
		d := deviceOf(http.Header{"User-Agent": {c.agent}, "Sec-Ch-Ua": {c.hints}, "Sec-Ch-Ua-Platform": {c.platform}})
		if got := d.shows(pay.MethodApplePay, "USD"); got != c.apple {
			t.Errorf("%s: Apple Pay is shown: %v", name, got)
		}
		if got := d.shows(pay.MethodGooglePay, "USD"); got != c.google {
			t.Errorf("%s: Google Pay is shown: %v", name, got)
		}
		if d.webView != c.app || (d.missesOut() != "") != c.app {
			t.Errorf("%s: it is within an app: %v, which withholds %q", name, d.webView, d.missesOut())
		}
		if !d.shows(pay.MethodPayPal, "EUR") || !d.shows(pay.MethodPayLater, "EUR") || !d.shows(pay.MethodVenmo, "USD") || d.shows(pay.MethodVenmo, "EUR") {
			t.Errorf("%s: PayPal, pay later, or Venmo for dollars alone are not as everywhere", name)
		}
	}
}

func TestTheWayOutOfAnAppLeadsToOurOwnPage(t *testing.T) {
	const page = "https://play.example:8443/pay/sess_1"
	for system, want := range map[string]string{
		"android": "intent://play.example:8443/pay/sess_1#Intent;scheme=https;action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end",
		"ios":     "x-safari-https://play.example:8443/pay/sess_1", "mac": "", "": "",
	} {
		if got := string(device{system: system, webView: true}.elsewhere(page)); got != want {
			t.Errorf("%s: %q, want %q", system, got, want)
		}
	}
	for _, bad := range []string{"javascript:alert(1)", "ftp://play.example", "://", ""} {
		if got := (device{system: "android"}).elsewhere(bad); strings.Contains(string(got), "intent") {
			t.Errorf("%q leads to %q", bad, got)
		}
	}
}
