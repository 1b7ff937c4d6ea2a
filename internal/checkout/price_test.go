package checkout

import (
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestPricesAreWrittenAsThePlayerDoes(t *testing.T) {
	for _, c := range []struct {
		amount         int64
		currency       pay.Currency
		session, asked string
		want           string
	}{
		{499, "USD", "en", "", "$4.99"},
		{499, "USD", "", "en-GB,en;q=0.8", "US$4.99"},
		{499, "EUR", "de", "", "4,99 €"},
		{499, "EUR", "", "de-AT, en;q=0.5", "€ 4,99"},
		{499, "EUR", "fr", "de", "4,99 €"},
		{499, "JPY", "ja", "", "￥499"},
		{499, "JPY", "en", "", "¥499"},
		{12500, "KWD", "ar", "", "١٢٫٥٠٠ د.ك."},
		{12500, "KWD", "en", "", "KWD 12.500"},
		{123456789, "USD", "en", "", "$1,234,567.89"},
		{123456789, "INR", "hi", "", "₹12,34,567.89"},
		{5, "USD", "en", "", "$0.05"},
		{2147483647, "CLF", "en", "", "CLF 214,748.3647"},
		{499, "BRL", "pt_BR", "", "R$ 4,99"},
		{499, "USD", "not a locale", "garbage;;q", "$4.99"},
		{499, "USD", "", "", "$4.99"},
		{499, "USD", "tlh", "", "$4.99"},
	} {
		l := localeFor(c.session, c.asked)
		got := plainSpaces(price(pay.Money{Amount: c.amount, Currency: c.currency}, l.notation))
		if got != c.want {
			t.Errorf("%d %s for %q, %q: %q, want %q", c.amount, c.currency, c.session, c.asked, got, c.want)
		}
	}
}

func TestEveryCurrencyHasItsOwnMinorDigits(t *testing.T) {
	for _, currency := range pay.Currencies() {
		got := price(pay.Money{Amount: 1234567, Currency: currency}, language.English)
		want := strings.TrimLeft(decimal(1234567, currency.Exponent()), "0")
		if digits := strings.ReplaceAll(got, ",", ""); !strings.HasSuffix(digits, want) {
			t.Errorf("%s: %q does not end with %s", currency, got, want)
		}
	}
}

// plainSpaces makes what separates and directs in a price comparable.
func plainSpaces(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u200f", "", "\u200e", "").Replace(s)
}
