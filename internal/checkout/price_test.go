package checkout

import (
	"strings"
	"testing"

	"github.com/bojanz/currency"
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
		// A country's dollar is not another's.
		{499, "USD", "es-MX", "", "USD 4.99"},
		{499, "MXN", "es-MX", "", "$4.99"},
		{499, "USD", "es-US", "", "$4.99"},
		{499, "USD", "es-AR", "", "US$ 4,99"},
		{499, "CLP", "es-CL", "", "$499"},
		{499, "USD", "", "fr-CA", "4,99 $ US"},
		{499, "CAD", "", "fr-CA", "4,99 $"},
		{499, "USD", "", "en-AU", "US$4.99"},
		{499, "GBP", "", "en-GB", "£4.99"},
		// Chinese goes by its script, which the country tells.
		{499, "EUR", "", "de-CH", "EUR 4.99"},
		{499, "TWD", "", "zh-TW", "$4.99"},
		{499, "HKD", "", "zh-HK", "HK$4.99"},
		{499, "CNY", "", "zh-CN", "¥4.99"},
		{499, "CNY", "", "zh-TW", "CN¥4.99"},
		// What follows a country is none.
		{499, "EUR", "de-u-co-phonebk", "", "4,99 €"},
		{12500, "KWD", "", "ar-KW", "١٢٫٥٠٠ د.ك."},
		{12500, "KWD", "", "ar-AE", "12.500 د.ك."},
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

// What CLDR has for a currency of two, of no and of three minor digits, in each language.
func TestMinorDigitsAreRightInEveryLanguage(t *testing.T) {
	for lang, want := range map[string][4]string{
		"en":      {"€1,234.56", "¥1,500", "KWD 12.500", "$4.99"},
		"de":      {"1.234,56 €", "1.500 ¥", "12,500 KWD", "4,99 $"},
		"fr":      {"1 234,56 €", "1 500 JPY", "12,500 KWD", "4,99 $US"},
		"es":      {"1234,56 €", "1500 JPY", "12,500 KWD", "4,99 US$"},
		"it":      {"1234,56 €", "1500 JPY", "12,500 KWD", "4,99 USD"},
		"pt-BR":   {"€ 1.234,56", "JP¥ 1.500", "KWD 12,500", "US$ 4,99"},
		"pl":      {"1234,56 €", "1500 JPY", "12,500 KWD", "4,99 USD"},
		"tr":      {"€1.234,56", "¥1.500", "KWD 12,500", "$4,99"},
		"ru":      {"1 234,56 €", "1 500 ¥", "12,500 KWD", "4,99 $"},
		"uk":      {"1 234,56 EUR", "1 500 ¥", "12,500 KWD", "4,99 USD"},
		"ja":      {"€1,234.56", "￥1,500", "KWD 12.500", "$4.99"},
		"ko":      {"€1,234.56", "JP¥1,500", "KWD 12.500", "US$4.99"},
		"zh-Hans": {"€1,234.56", "JP¥1,500", "KWD 12.500", "US$4.99"},
		"zh-Hant": {"€1,234.56", "¥1,500", "KWD 12.500", "US$4.99"},
		"ar":      {"١٬٢٣٤٫٥٦ €", "١٬٥٠٠ JP¥", "١٢٫٥٠٠ د.ك.", "٤٫٩٩ US$"},
	} {
		notation := speaking(t, lang).notation
		for i, m := range []pay.Money{{Amount: 123456, Currency: "EUR"}, {Amount: 1500, Currency: "JPY"}, {Amount: 12500, Currency: "KWD"}, {Amount: 499, Currency: "USD"}} {
			if got := plainSpaces(price(m, notation)); got != want[i] {
				t.Errorf("%s: %q, want %q", lang, got, want[i])
			}
		}
	}
}

// The library's table and ours were made apart. They agree, and every currency that can
// be charged can be written.
func TestTheLibraryKnowsTheSameMinorDigits(t *testing.T) {
	for _, c := range pay.Currencies() {
		if digits, ok := currency.GetDigits(string(c)); !ok || int(digits) != c.Exponent() {
			t.Errorf("%s has %d minor digits, and to the library %d (%v)", c, c.Exponent(), digits, ok)
		}
	}
}

func TestEveryCurrencyHasItsOwnMinorDigits(t *testing.T) {
	for _, c := range pay.Currencies() {
		got := price(pay.Money{Amount: 1234567, Currency: c}, language.English)
		want := strings.TrimLeft(decimal(1234567, c.Exponent()), "0")
		if digits := strings.ReplaceAll(got, ",", ""); !strings.HasSuffix(digits, want) {
			t.Errorf("%s: %q does not end with %s", c, got, want)
		}
	}
}

// plainSpaces makes what separates and directs in a price comparable.
func plainSpaces(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u200f", "", "\u200e", "").Replace(s)
}
