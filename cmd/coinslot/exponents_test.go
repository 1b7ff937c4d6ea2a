package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

const amount = 1234567 // minor units: enough digits for every currency's decimals

// What a player is shown, what a game is told and what an operator reads are the same
// amount in every currency, whose decimals nobody keeps a second table of.
func TestEveryPlaceWritesACurrencysDecimalsAlike(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	key := shop.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"}.WithDefaults())
	for _, currency := range pay.Currencies() {
		order := fmt.Sprintf(`{"gameId":"space_shooter","userId":"player_42","returnUrl":"mygame://done","locale":"en-US",
			"item":{"title":"Coins","price":%d,"currency":%q}}`, amount, currency)
		_, made := coinslottest.Ask(t, key, http.MethodPost, shop.URL+"/pay.v1.PaymentService/CreateSession", order)
		var s struct{ Session session }
		read(t, made, &s)
		_, events := coinslottest.Ask(t, key, http.MethodGet, shop.URL+"/v1/events?session_id="+s.Session.ID, "")
		var told []struct{ Data struct{ Session session } }
		read(t, events, &told)
		if len(told) != 1 {
			t.Fatalf("%s: events are %s", currency, events)
		}
		want := decimals(amount, currency.Exponent())
		for place, got := range map[string]string{
			"the API":     decimals(s.Session.Item.Price, s.Session.Item.Exponent),
			"the webhook": decimals(told[0].Data.Session.Item.Price, told[0].Data.Session.Item.Exponent),
			"the page":    digitsOf(t, get(t, shop.URL+"/pay/"+s.Session.ID), `<p class="price">.*?</p>`),
			"the CLI":     digitsOf(t, printed(t, shop, "sessions", "show", s.Session.ID), `(?m)^price .*$`),
		} {
			if got != want {
				t.Errorf("%s: %s writes %s, want %s", currency, place, got, want)
			}
		}
	}
}

type session struct {
	ID   string
	Item struct{ Price, Exponent int }
}

func decimals(amount, digits int) string {
	text := fmt.Sprint(amount)
	if digits == 0 {
		return text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

var number = regexp.MustCompile(`[0-9][0-9,]*(\.[0-9]+)?`)

// digitsOf is the number in the part of a text that a pattern finds.
func digitsOf(t *testing.T, text, pattern string) string {
	t.Helper()
	found := number.FindString(regexp.MustCompile(pattern).FindString(text))
	if found == "" {
		t.Fatalf("no number in what %s finds in:\n%s", pattern, text)
	}
	return strings.ReplaceAll(found, ",", "")
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// printed is what a command prints.
func printed(t *testing.T, shop *coinslottest.Shop, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	c := &console{out: &out, err: &errs, env: func(name string) (string, bool) {
		value, found := map[string]string{"COINSLOT_URL": shop.URL, "COINSLOT_ADMIN_TOKEN": coinslottest.AdminToken}[name]
		return value, found
	}}
	if status := dispatch(t.Context(), c, commands, args); status != 0 {
		t.Fatalf("%v ended with %d: %s", args, status, errs.String())
	}
	return out.String()
}
