package pay_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/coinslot/coinslot/internal/pay"
)

// picky is a game that restricts all that a game can restrict.
var picky = pay.Game{
	ID: "space_shooter", Currencies: []pay.Currency{"USD"},
	ReturnSchemes: []string{"mygame", "https"}, ReturnHosts: []string{"example.com"},
}.WithDefaults()

// A slip breaks one rule of CreateSession, and must not mend any other.
type slip struct {
	rule  string
	spoil func(*pay.Order)
	code  pay.Code
	field string
}

// slips breaks every rule of an order, in the order in which they are documented to be
// checked: that of the request's fields.
var slips = []slip{
	{"user_id is missing", func(o *pay.Order) { o.User = "" }, pay.InvalidUserID, "user_id"},
	{"user_id is too long", func(o *pay.Order) { o.User = pay.UserID(strings.Repeat("ü", 256)) }, pay.InvalidUserID, "user_id"},
	{"user_id is not UTF-8", func(o *pay.Order) { o.User = "\xff" }, pay.InvalidUserID, "user_id"},
	{"user_id has a NUL", func(o *pay.Order) { o.User = "a\x00" }, pay.InvalidUserID, "user_id"},
	{"item is missing", func(o *pay.Order) { o.Item = nil }, pay.InvalidItem, "item"},
	{"title is missing", item(func(i *pay.ItemOrder) { i.Title = "" }), pay.InvalidTitle, "item.title"},
	{"title is too long", item(func(i *pay.ItemOrder) { i.Title = strings.Repeat("金", 201) }), pay.InvalidTitle, "item.title"},
	{"title is not UTF-8", item(func(i *pay.ItemOrder) { i.Title = "coins\xc3" }), pay.InvalidTitle, "item.title"},
	{"title has a NUL", item(func(i *pay.ItemOrder) { i.Title = "coins\x00" }), pay.InvalidTitle, "item.title"},
	{"title is blank", item(func(i *pay.ItemOrder) { i.Title = " \t\u3000" }), pay.InvalidTitle, "item.title"},
	{"price is zero", item(func(i *pay.ItemOrder) { i.Price = 0 }), pay.InvalidPrice, "item.price"},
	{"price is negative", item(func(i *pay.ItemOrder) { i.Price = -5 }), pay.InvalidPrice, "item.price"},
	{"price is more than the wire holds", item(func(i *pay.ItemOrder) { i.Price = 1 << 31 }), pay.InvalidPrice, "item.price"},
	{"currency is missing", item(func(i *pay.ItemOrder) { i.Currency = "" }), pay.InvalidCurrency, "item.currency"},
	{"currency is in lower case", item(func(i *pay.ItemOrder) { i.Currency = "usd" }), pay.InvalidCurrency, "item.currency"},
	{"currency is none", item(func(i *pay.ItemOrder) { i.Currency = "DOGE" }), pay.InvalidCurrency, "item.currency"},
	{"currency is not the game's", item(func(i *pay.ItemOrder) { i.Currency = "EUR" }), pay.InvalidCurrency, "item.currency"},
	{"image is no image", item(func(i *pay.ItemOrder) { i.Image = new("ftp://example.com/coin.png") }), pay.InvalidImage, "item.image"},
	{"country is in lower case", item(func(i *pay.ItemOrder) { i.Country = new("de") }), pay.InvalidItem, "item.country"},
	{"country is none", item(func(i *pay.ItemOrder) { i.Country = new("XX") }), pay.InvalidItem, "item.country"},
	{"country is two", item(func(i *pay.ItemOrder) { i.Country = new("DE DK") }), pay.InvalidItem, "item.country"},
	{"return_url is missing", func(o *pay.Order) { o.ReturnURL = "" }, pay.InvalidReturnURL, "return_url"},
	{"return_url runs script", func(o *pay.Order) { o.ReturnURL = "javascript:alert(1)" }, pay.InvalidReturnURL, "return_url"},
	{"return_url is of a scheme that is not the game's", func(o *pay.Order) { o.ReturnURL = "other://done" }, pay.InvalidReturnURL, "return_url"},
	{"return_url leads to a host that is not the game's", func(o *pay.Order) { o.ReturnURL = "https://example.org/" }, pay.InvalidReturnURL, "return_url"},
	{"offer_id is too long", metadata(func(m *pay.Metadata) { m.OfferID = strings.Repeat("ö", 501) }), pay.InvalidMetadata, "metadata.offer_id"},
	{"offer_id has a NUL", metadata(func(m *pay.Metadata) { m.OfferID = "\x00" }), pay.InvalidMetadata, "metadata.offer_id"},
	{"metadata has too many pairs", metadata(func(m *pay.Metadata) {
		for i := range 51 {
			m.Values[fmt.Sprint("key", i)] = "value"
		}
	}), pay.InvalidMetadata, "metadata.values"},
	{"metadata has a key that is not UTF-8", metadata(func(m *pay.Metadata) { m.Values["\xff"] = "" }), pay.InvalidMetadata, "metadata.values"},
	{"metadata has a value with a NUL", metadata(func(m *pay.Metadata) { m.Values["key"] = "\x00" }), pay.InvalidMetadata, "metadata.values"},
	{"metadata has an empty key", metadata(func(m *pay.Metadata) { m.Values[""] = "value" }), pay.InvalidMetadata, "metadata.values"},
	{"metadata has a long key", metadata(func(m *pay.Metadata) { m.Values[strings.Repeat("é", 41)] = "" }), pay.InvalidMetadata, "metadata.values"},
	{"metadata has a long value", metadata(func(m *pay.Metadata) { m.Values["key"] = strings.Repeat("é", 501) }), pay.InvalidMetadata, "metadata.values"},
	{"cancel_url runs script", func(o *pay.Order) { o.CancelURL = new("javascript:alert(1)") }, pay.InvalidCancelURL, "cancel_url"},
	{"cancel_url is not the game's", func(o *pay.Order) { o.CancelURL = new("https://example.org/") }, pay.InvalidCancelURL, "cancel_url"},
	{"expires_in is too short", func(o *pay.Order) { o.ExpiresIn = new(time.Minute - 1) }, pay.InvalidExpiresIn, "expires_in"},
	{"expires_in is too long", func(o *pay.Order) { o.ExpiresIn = new(30*24*time.Hour + 1) }, pay.InvalidExpiresIn, "expires_in"},
	{"expires_in is negative", func(o *pay.Order) { o.ExpiresIn = new(-time.Hour) }, pay.InvalidExpiresIn, "expires_in"},
	{"order_id is too long", func(o *pay.Order) { o.OrderID = new(strings.Repeat("№", 201)) }, pay.InvalidRequest, "order_id"},
	{"order_id has a NUL", func(o *pay.Order) { o.OrderID = new("\x00") }, pay.InvalidRequest, "order_id"},
	{"locale is no language", func(o *pay.Order) { o.Locale = new("pt BR") }, pay.InvalidRequest, "locale"},
	{"locale is too long", func(o *pay.Order) { o.Locale = new("de" + strings.Repeat("-a", 17)) }, pay.InvalidRequest, "locale"},
}

func item(spoil func(*pay.ItemOrder)) func(*pay.Order) {
	return func(o *pay.Order) {
		if o.Item != nil {
			spoil(o.Item)
		}
	}
}

func metadata(spoil func(*pay.Metadata)) func(*pay.Order) {
	return func(o *pay.Order) { spoil(o.Metadata) }
}

// pickyOrder is an order that breaks no rule of the picky game.
func pickyOrder() pay.Order {
	o := coins()
	o.Metadata = &pay.Metadata{Values: map[string]string{}}
	return o
}

func TestTheFirstBrokenRuleIsTheOneThatIsTold(t *testing.T) {
	for i, first := range slips {
		t.Run(first.rule, func(t *testing.T) {
			o := pickyOrder()
			first.spoil(&o)
			wantRefused(t, o, first)

			// All the rules for later fields are broken too, each in its first way.
			// Item's own rules need an item, so it is broken last of all.
			o = pickyOrder()
			field := first.field
			for _, later := range slips[i+1:] {
				if later.field != field {
					field = later.field
					later.spoil(&o)
				}
			}
			first.spoil(&o)
			wantRefused(t, o, first)
		})
	}
}

func wantRefused(t *testing.T, o pay.Order, want slip) {
	t.Helper()
	c, err := pay.NewSession("sess_1", pay.Sandbox, picky, o, noon)
	wantRefusal(t, err, want.code, want.field)
	if !cmp.Equal(c, pay.Change{}) {
		t.Errorf("a refused order comes with a change: %+v", c)
	}
	if err != nil && !strings.Contains(err.Error(), want.field+" ") {
		t.Errorf("the message does not name the field: %v", err)
	}
}

func TestTheFirstBrokenRuleOfOneFieldIsTheOneThatIsTold(t *testing.T) {
	o := coins()
	o.Metadata = &pay.Metadata{Values: map[string]string{"\x00": "", "a\x00": "", strings.Repeat("b", 41): "", "c": strings.Repeat("c", 501)}}
	_, first := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
	for range 50 {
		if _, again := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon); again.Error() != first.Error() {
			t.Fatalf("told %q, then %q", first, again)
		}
	}
}

// TestAnOrderAtEveryBound is an order that is just within all the bounds, in characters
// of several bytes: bounds count characters.
func TestAnOrderAtEveryBound(t *testing.T) {
	values := map[string]string{}
	for i := range 50 {
		values[fmt.Sprintf("%02d", i)+strings.Repeat("é", 38)] = strings.Repeat("金", 500)
	}
	url := "mygame://" + strings.Repeat("金", 2048-len("mygame://"))
	o := pay.Order{
		Game: "space_shooter", User: pay.UserID(strings.Repeat("ü", 255)),
		Item:      &pay.ItemOrder{Title: strings.Repeat("金", 200), Price: 1<<31 - 1, Currency: "KWD", Country: new("KW"), Image: new("https://example.com/coin.png")},
		ReturnURL: url, CancelURL: &url, ExpiresIn: new(30 * 24 * time.Hour),
		OrderID: new(strings.Repeat("№", 200)), Locale: new("deu" + strings.Repeat("-a", 16)),
		Metadata: &pay.Metadata{OfferID: strings.Repeat("ö", 500), Values: values},
	}
	now := noon.Add(123456789 * time.Nanosecond)
	c, err := pay.NewSession("sess_1", pay.Production, pay.Game{ID: "space_shooter", Attempts: 3, Capture: pay.CaptureManual}.WithDefaults(), o, now)
	if err != nil {
		t.Fatal(err)
	}
	made := noon.Add(123456 * time.Microsecond)
	want := &pay.Session{
		ID: "sess_1", Environment: pay.Production, Game: "space_shooter", User: o.User, Status: pay.SessionPending,
		Item:      pay.Item{Title: o.Item.Title, Price: pay.Money{Amount: 1<<31 - 1, Currency: "KWD"}, Image: "https://example.com/coin.png", Country: "KW"},
		ReturnURL: pay.ReturnURL(url), CancelURL: pay.ReturnURL(url), OrderID: *o.OrderID, Locale: *o.Locale, Metadata: o.Metadata,
		Attempts: 3, Capture: pay.CaptureManual, CreatedAt: made, ExpiresAt: made.Add(30 * 24 * time.Hour), Sequence: 1,
	}
	if diff := cmp.Diff(want, c.Session); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	wantEvent := []pay.Event{{
		ID: c.Events[0].ID, Type: pay.SessionCreatedEvent, At: made, Sequence: 1,
		Environment: pay.Production, Game: "space_shooter", Session: "sess_1",
	}}
	if diff := cmp.Diff(wantEvent, c.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestWhatAnOrderMayLeaveOut(t *testing.T) {
	o := coins()
	o.Item.Image, o.Item.Country, o.OrderID, o.Locale = new(""), new(""), new(""), new("")
	c, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, coins(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, c); diff != "" {
		t.Errorf("empty is not the same as absent (-absent +empty):\n%s", diff)
	}
	if want := noon.Add(24 * time.Hour); c.Session.ExpiresAt != want {
		t.Errorf("expires at %s, want the game's own %s", c.Session.ExpiresAt, want)
	}
}

func TestLocales(t *testing.T) {
	for _, good := range []string{"de", "pt-BR", "zh-Hant", "zh_Hant_TW", "sr-Latn-RS", "ar", "de-CH-1996", "es-419", "mas"} {
		o := coins()
		o.Locale = &good
		if _, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"d", "-", "de-", "-de", "de--AT", "de.UTF-8", "de\n", "../de", "d€", "1de", "<b>", "verylonglanguage"} {
		o := coins()
		o.Locale = &bad
		_, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
		wantRefusal(t, err, pay.InvalidRequest, "locale")
	}
}

// TestCountries holds the table of countries to another's: those of CLDR that ISO 3166 assigned.
func TestCountries(t *testing.T) {
	accepted := map[string]bool{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			o := coins()
			o.Item.Country = &code
			if _, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon); err != nil {
				continue
			}
			accepted[code] = true
			if region, err := language.ParseRegion(code); err != nil || !region.IsCountry() || region.String() != code {
				t.Errorf("%s is accepted, but CLDR knows of no such country", code)
			}
		}
	}
	if len(accepted) != 249 {
		t.Errorf("%d countries, but ISO 3166-1 has 249: %v", len(accepted), slices.Sorted(maps.Keys(accepted)))
	}
}

func TestIdempotencyKeys(t *testing.T) {
	for _, good := range []string{
		"a", "0", "!", "~", "order-1001", "a b", "550e8400-e29b-41d4-a716-446655440000",
		`{"key":"value"}`, strings.Repeat("k", 255),
	} {
		if err := pay.CheckIdempotencyKey(good); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", " ", " a", "a ", "a\n", "a\tb", "a\x00", "a\x7f", "ä", "键", "a\u00a0b", "\xff", strings.Repeat("k", 256),
	} {
		wantRefusal(t, pay.CheckIdempotencyKey(bad), pay.InvalidIdempotencyKey, "Idempotency-Key")
	}
}

func TestAMessageQuotesLittleOfWhatItRefuses(t *testing.T) {
	for _, flood := range []string{strings.Repeat("x", 1<<20), strings.Repeat("金", 1<<20), strings.Repeat("\xff", 1<<20)} {
		o := coins()
		o.Item.Currency = flood
		_, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
		if err == nil || len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
			t.Errorf("the refusal of %.9q… is %d bytes long", flood, len(fmt.Sprint(err)))
		}
	}
}
