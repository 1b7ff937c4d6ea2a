package browser

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// elements is the shape of a page: its elements and their attributes' names, but for those
// by which the script moves the focus and says that it tries the way back.
const elements = `[...document.querySelectorAll("*")].map(e => e.tagName + " " + e.getAttributeNames().filter(a => a !== "hidden" && a !== "tabindex")).join("\n")`

// TestAPayloadIsText puts every payload into every text that a game or a player controls,
// and opens the pages that show it.
func TestAPayloadIsText(t *testing.T) {
	t.Parallel()
	if len(payloads) < 60 {
		t.Errorf("only %d payloads", len(payloads))
	}
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: definePwn})
	// The way back, which ends whatever is being opened at that moment, counts as tried.
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `Storage.prototype.getItem = () => "1"`})
	b.visit(shop.Page("sess_none"))
	calm := b.harmless(t, shop, "50 Gold Coins")
	for i, payload := range payloads {
		for j, got := range b.harmless(t, shop, payload) {
			if got != calm[j] {
				t.Errorf("%q changes the elements of page %d:\n%s", payload, j, got)
			}
		}
		if found := b.problems(); len(found) > 0 {
			t.Fatalf("payload %d, %q: %q", i, payload, found)
		}
	}
	// One that does run is seen.
	b.do(chromedp.Evaluate[chromedp.Void]("pwn()"))
	b.untilNoted("pwned")
	b.excuse("pwned")
}

// harmless sells with a text in every field, sends the form back with the text in its
// fields, pays, and returns the shapes of the pages. Each must show the text.
func (b *tab) harmless(t *testing.T, shop *coinslottest.Shop, text string) (shapes []string) {
	t.Helper()
	order := text
	id := shop.Sell(t, func(s *coinslottest.Sale) {
		s.Game.Name, s.Order.Item.Title, s.Order.User, s.Order.OrderID = text, text, pay.UserID(text), &order
		s.Order.Metadata = &pay.Metadata{OfferID: text, Values: map[string]string{cut(text): text}}
	})
	shows := func(what, condition string) {
		t.Helper()
		b.until(`document.readyState === "complete" && document.querySelector("main") !== null`)
		shape := run(b, chromedp.Evaluate[string](`document.querySelector("main").textContent.includes(`+quoted(text)+`) && pwned === 0 && `+condition+` ? `+elements+` : ""`))
		if shape == "" {
			t.Errorf("%s does not show %q, or has run it: %s", what, text, b.text())
		}
		shapes = append(shapes, shape)
	}
	// The form as one made by hand sends it: the page's own script would not let it through.
	fields, err := json.Marshal(fieldsOf(t, shop.Page(id), "en", "number", text, "expiry", text, "cvc", text, "wallet_token", text, "note", text))
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const form = Object.assign(document.createElement("form"), {method: "post", action: ` + quoted(shop.Page(id)+"/pay") + `});
		for (const [name, [value]] of Object.entries(` + string(fields) + `)) form.append(Object.assign(document.createElement("textarea"), {name, value}));
		document.body.append(form);
		form.submit();
	})()`))
	b.until(`document.querySelector("` + string(number) + `[aria-invalid]") !== null && location.pathname.startsWith("/pay/` + string(id) + `")`)
	shows("the form that comes back", `["", `+quoted(text)+`].includes(document.querySelector("`+string(expiry)+`").value)`)
	b.visit(b.paidByForm(shop, id))
	shows("the receipt", "true")
	return shapes
}

// paidByForm pays without a browser, whose page would only be another of the same.
func (b *tab) paidByForm(shop *coinslottest.Shop, id pay.SessionID) string {
	b.t.Helper()
	response, err := http.PostForm(shop.Page(id)+"/pay", fieldsOf(b.t, shop.Page(id), "en", "number", "4242424242424242", "expiry", "12/40", "cvc", "123"))
	if err != nil {
		b.t.Fatal(err)
	}
	response.Body.Close()
	return shop.Page(id)
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// cut makes a key of metadata.
func cut(text string) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), pay.MostMetadataKey)])
}

// A payload in an address finds nothing and is not said again; as a locale it is refused.
func TestAPayloadInAnAddressIsNotFound(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: definePwn})
	key := shop.Key(t, pay.Sandbox, pay.Game{ID: "demo"}.WithDefaults())
	real := shop.Page(shop.Sell(t))
	for i, payload := range payloads {
		response, body := coinslottest.Ask(t, key, http.MethodPost, shop.URL+"/v1/sessions", order(map[string]string{"locale": quoted(payload)}))
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "locale must be") {
			t.Errorf("the locale %q is answered %d %s", payload, response.StatusCode, body)
		}
		address := []string{shop.URL + "/pay/" + url.PathEscape(payload), real + "/wallet/" + url.PathEscape(payload), real + "?" + payload + "#" + payload}[i%3]
		b.visit(address)
		if i%3 == 2 {
			b.is("nothing has run", "pwned === 0")
			continue
		}
		b.is("nothing has run or is said of "+payload, `pwned === 0 && document.body.className === "problem" && !document.querySelector("main").textContent.includes(`+quoted(payload)+`)`)
	}
}

// order is a request for a session as it stands on the wire: fields replaces JSON values.
func order(fields map[string]string) string {
	all := map[string]string{"game_id": `"demo"`, "user_id": `"player_42"`, "return_url": `"mygame://done"`, "title": `"50 Gold Coins"`}
	for name, value := range fields {
		all[name] = value
	}
	title := all["title"]
	delete(all, "title")
	var b bytes.Buffer
	b.WriteString(`{"item":{"title":` + title + `,"price":499,"currency":"USD"}`)
	for name, value := range all {
		b.WriteString(`,"` + name + `":` + value)
	}
	return b.String() + "}"
}

// Texts that are no UTF-8, or turn what is around them, are refused over the wire in every
// field that is shown to players or compared by people.
func TestTextThatDeceivesIsRefused(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	key := shop.Key(t, pay.Sandbox, pay.Game{ID: "demo"}.WithDefaults())
	for _, text := range refused {
		for _, field := range []string{"title", "user_id", "order_id"} {
			raw := `"` + text + `"`
			if json.Valid([]byte(quoted(text))) && strings.ToValidUTF8(text, "") == text {
				raw = quoted(text)
			}
			response, body := coinslottest.Ask(t, key, http.MethodPost, shop.URL+"/v1/sessions", order(map[string]string{field: raw}))
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s %q is answered %d %s", field, text, response.StatusCode, body)
			}
		}
		if _, err := shop.Gateway.CreateGame(t.Context(), pay.Game{ID: "deceiver", Name: text}.WithDefaults()); pay.CodeOf(err) != pay.InvalidSetting {
			t.Errorf("a game may be called %q: %v", text, err)
		}
	}
}
