package checkout_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// Every language, and what it says of a card that was declined.
var declined = map[string]string{
	"en": "Your card was declined.", "de": "Ihre Karte wurde abgelehnt.", "fr": "Votre carte a été refusée.", "es": "Tu tarjeta ha sido rechazada.",
	"it": "La tua carta è stata rifiutata.", "pt-BR": "Seu cartão foi recusado.", "pl": "Karta została odrzucona.", "tr": "Kartınız reddedildi.",
	"ru": "Карта отклонена.", "uk": "Картку відхилено.", "ja": "カードが承認されませんでした。", "ko": "카드가 거절되었습니다.",
	"zh-Hans": "您的银行卡被拒绝。", "zh-Hant": "您的卡片遭到拒絕。", "ar": "رُفضت بطاقتك.",
}

func TestEveryStateIsShownInEveryLanguage(t *testing.T) {
	t.Parallel()
	states := everyState(t)
	for lang, says := range declined {
		for name, ask := range states {
			page := send(t, ask.method, ask.address, ask.body, map[string]string{"Accept-Language": lang, "Sec-Fetch-Site": ask.site})
			root := page.all("html")[0]
			if dir := map[bool]string{true: "rtl", false: "ltr"}[lang == "ar"]; attr(root, "lang") != lang || attr(root, "dir") != dir || page.header.Get("Content-Language") != lang {
				t.Errorf("%s, %s: lang %q, dir %q, Content-Language %q", lang, name, attr(root, "lang"), attr(root, "dir"), page.header.Get("Content-Language"))
			}
			if title, main := page.text("title"), page.text("main"); title == "" || strings.ContainsAny(title+main, "{}") {
				t.Errorf("%s, %s: a text lacks, or a gap is left: %s: %s", lang, name, title, main)
			}
			if body := page.all("body")[0]; attr(body, "class") != ask.state {
				t.Errorf("%s, %s: the page is %q, want %q", lang, name, attr(body, "class"), ask.state)
			}
			checkWellFormed(t, lang+", "+name, page.body)
			if name == "retry" || name == "failed" {
				page.says(says)
			}
		}
	}
}

// asked is a request, which can be sent again and again, and the state that it shows.
type asked struct{ method, address, body, site, state string }

// everyState brings sessions into each state that a player may see, and says how to see it.
func everyState(t *testing.T) map[string]asked {
	shop, states := coinslottest.OpenShop(t), map[string]asked{}
	sell := func(edit ...func(*coinslottest.Sale)) string { return shop.Page(shop.Sell(t, edit...)) }
	get := func(name, state, address string) { states[name] = asked{http.MethodGet, address, "", "", state} }
	post := func(name, state, verb string, filled ...string) {
		to, fields := open(t, sell()).form(verb, 0)
		for i := 0; i < len(filled); i += 2 {
			fields.Set(filled[i], filled[i+1])
		}
		states[name] = asked{http.MethodPost, to, fields.Encode(), "same-origin", state}
	}
	paid := func(card string, edit ...func(*coinslottest.Sale)) string {
		return open(t, sell(edit...)).payByCard(card).follow().url
	}
	get("expired", "expired", sell())
	shop.Wait(25 * time.Hour)
	get("pending", "pending", sell())
	get("wallet", "wallet", sell()+"/wallet/paylater")
	get("production", "pending", sell(func(s *coinslottest.Sale) { s.Environment = pay.Production }))
	get("retry", "pending", paid("4000000000000002"))
	get("last", "pending", paid("4000000000000002", func(s *coinslottest.Sale) { s.Game.Attempts = 2 }))
	get("failed", "failed", paid("4000000000000002", func(s *coinslottest.Sale) { s.Game.Attempts = 1 }))
	get("paid", "paid", paid("4242424242424242"))
	get("authorized", "authorized", paid("4242424242424242", func(s *coinslottest.Sale) { s.Game.Capture = pay.CaptureManual }))
	get("cancelled", "cancelled", open(t, sell()).submit("/cancel", 0).follow().url)
	get("not found", "problem", shop.Page("sess_none"))
	post("wrong", "pending", "/pay", "number", "1", "expiry", "01/20", "cvc", "1")
	post("amex", "pending", "/pay", "number", "378282246310005", "expiry", "x", "cvc", "1")
	post("stale", "pending", "/pay", "token", "x")
	post("unknown method", "pending", "/pay", "method", "cash")
	states["elsewhere"] = asked{http.MethodPost, sell() + "/pay", "", "cross-site", "problem"}
	states["bad form"] = asked{http.MethodPost, sell() + "/pay", "%zz", "same-origin", "problem"}
	states["wrong method"] = asked{http.MethodPut, sell(), "", "", "problem"}
	shop.Bank.Keep() // a game's refusal stays in the state that it passes through
	shop.Receiver.Say(`{"decision":"reject"}`)
	get("releasing", "authorized", paid("4242424242424242", func(s *coinslottest.Sale) { s.Game.ConfirmURL = "https://game.test/confirm" }))
	shop.Bank.Mute()
	get("processing", "processing", paid("4242424242424242"))

	shop = coinslottest.OpenShop(t)
	get("broken", "problem", sell())
	post("unsure", "problem", "/pay", "number", "4242424242424242", "expiry", "12/40", "cvc", "123")
	post("not left", "problem", "/cancel")
	shop.Faults.Fail(errors.New("disk I/O error"))
	return states
}

// A session's own language goes before the browser's on the pages that refuse a form, too.
func TestAFormIsRefusedInTheSessionsLanguage(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = new("de") }))
	send(t, http.MethodPost, page+"/pay", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Accept-Language": "fr"}).says("Diese Anfrage wurde abgelehnt")
	send(t, http.MethodPost, page+"/pay", "%zz", map[string]string{"Accept-Language": "fr"}).says("Das Formular konnte nicht gelesen werden")
	send(t, http.MethodGet, shop.Page("sess_none"), "", map[string]string{"Accept-Language": "fr"}).says("Page introuvable")
}

// checkWellFormed holds a page to more than a browser does: each element is closed
// where it should be, no attribute is given twice, and no id is.
func checkWellFormed(t *testing.T, name, page string) {
	t.Helper()
	void := map[string]bool{"meta": true, "link": true, "img": true, "input": true, "br": true}
	var opened []string
	ids := map[string]bool{}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(opened) > 0 {
				t.Errorf("%s: %v are open at the end: %v", name, opened, z.Err())
			}
			return
		case html.StartTagToken:
			token := z.Token()
			if !void[token.Data] {
				opened = append(opened, token.Data)
			}
			given := map[string]bool{}
			for _, a := range token.Attr {
				if given[a.Key] || a.Key == "id" && ids[a.Val] || strings.ContainsAny(a.Key, `"'<`) {
					t.Errorf("%s: <%s> has %s=%q twice, or none", name, token.Data, a.Key, a.Val)
				}
				given[a.Key] = true
				if a.Key == "id" {
					ids[a.Val] = true
				}
			}
		case html.EndTagToken:
			tag := z.Token().Data
			if len(opened) == 0 || opened[len(opened)-1] != tag {
				t.Errorf("%s: </%s> closes none of %v", name, tag, opened)
				return
			}
			opened = opened[:len(opened)-1]
		}
	}
}

// What a template says by itself would be said in every language.
func TestTemplatesHoldNoWords(t *testing.T) {
	action := regexp.MustCompile(`(?s)\{\{.*?\}\}|</?noscript>`)
	files, err := filepath.Glob("page/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for z := html.NewTokenizer(strings.NewReader(action.ReplaceAllString(string(source), ""))); ; {
			kind := z.Next()
			if kind == html.ErrorToken {
				break
			}
			token := z.Token()
			said := []string{}
			if kind == html.TextToken {
				said = append(said, token.Data)
			}
			for _, a := range token.Attr {
				switch a.Key {
				case "aria-label", "placeholder", "alt", "title", "data-wrong", "data-past", "data-amex", "data-busy":
					said = append(said, a.Val)
				}
			}
			for _, s := range said {
				if strings.ContainsFunc(s, unicode.IsLetter) {
					t.Errorf("%s says %q", file, s)
				}
			}
		}
	}
}

// The first load is small in every language, since it holds one language alone.
func TestAPageHoldsItsOwnLanguageAlone(t *testing.T) {
	t.Parallel()
	const most = 30 << 10
	shop := coinslottest.OpenShop(t)
	for lang := range declined {
		address := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = &lang }))
		if size := len(send(t, http.MethodGet, address, "", map[string]string{"Accept-Encoding": "gzip"}).body); size > most {
			t.Errorf("%s: %d bytes compressed, at most %d are allowed", lang, size, most)
		}
		page := open(t, address)
		for other, cancel := range map[string]string{"en": "Cancel and go back", "de": "Abbrechen und zurück", "ar": "الإلغاء والعودة"} {
			if strings.Contains(page.body, cancel) != (lang == other) {
				t.Errorf("%s: %q, which is %s", lang, cancel, other)
			}
		}
	}
}

// Names and titles are others' words: each is set apart, so that it neither turns the
// text around it nor is turned.
func TestNamesAndPricesAreIsolatedInArabic(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = new("ar") })))
	page.says("دفع \u2068\u200f٤٫٩٩ US$\u200e\u2069")
	isolated := map[string]bool{}
	for _, n := range page.all("bdi") {
		isolated[words(n)] = true
	}
	if !isolated["Space Shooter"] || !isolated["\u200f٤٫٩٩ US$\u200e"] || !isolated["50 Gold Coins"] {
		t.Errorf("isolated are %v", isolated)
	}
	for _, id := range []string{"number", "expiry", "cvc"} {
		if attr(page.byID(id), "dir") != "ltr" {
			t.Errorf("#%s does not run from left to right", id)
		}
	}
	for _, n := range page.all("code") {
		if attr(n, "dir") != "ltr" {
			t.Errorf("the card number %s does not run from left to right", words(n))
		}
	}
	page.payByCard("4242424242424242").follow().says("العودة إلى \u2068Space Shooter\u2069", "\u2068Visa\u2069 تنتهي بالأرقام \u20684242\u2069")
}

// A card may be typed with the digits that the player's keyboard has.
func TestACardIsReadInTheKeyboardsDigits(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string][3]string{
		"Arabic":  {"٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢", "١٢/٤٠", "١٢٣"},
		"Persian": {"۴۲۴۲۴۲۴۲۴۲۴۲۴۲۴۲", "۱۲/۴۰", "۱۲۳"},
		"wide":    {"４２４２　４２４２　４２４２　４２４２", "１２／４０", "１２３"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := coinslottest.OpenShop(t)
			page := open(t, shop.Page(shop.Sell(t))).submit("/pay", 0, "number", typed[0], "expiry", typed[1], "cvc", typed[2])
			page.follow().says("Payment successful", "Visa ending in 4242")
		})
	}
}
