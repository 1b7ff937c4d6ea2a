package checkout

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"

	"github.com/coinslot/coinslot/internal/pay"
)

// price writes an amount as people of the locale do (CLDR). The number of minor
// digits is ours, so that the page and the API never disagree on what is charged.
func price(m pay.Money, locale language.Tag) string {
	l, code := cldrLocale(locale), string(m.Currency)
	f := currency.NewFormatter(l)
	f.MinDigits = uint8(m.Currency.Exponent())
	f.MaxDigits = f.MinDigits
	if byCode(l, code) {
		f.CurrencyDisplay = currency.DisplayCode
	}
	if symbol, _ := currency.GetSymbol(code, l); l.Language == "ar" && symbol[0] < utf8.RuneSelf {
		// Without a mark at its end the $ of US$ would run with the Arabic, to the other side.
		f.SymbolMap[code] = symbol + "\u200e"
	}
	amount, err := currency.NewAmount(decimal(m.Amount, m.Currency.Exponent()), code)
	if err != nil {
		return code + "\u00a0" + decimal(m.Amount, m.Currency.Exponent())
	}
	return f.Format(amount)
}

// number writes a whole number in the same digits as the prices.
func number(n int, locale language.Tag) string {
	f := currency.NewFormatter(cldrLocale(locale))
	f.CurrencyDisplay, f.MinDigits, f.MaxDigits = currency.DisplayNone, 0, 0
	amount, err := currency.NewAmount(strconv.Itoa(n), "USD")
	if err != nil {
		return strconv.Itoa(n)
	}
	return strings.Trim(f.Format(amount), "\u200f\u00a0")
}

// cldrLocale names a language as CLDR's data do: Chinese by its script, whatever the
// country, and nothing of what comes after a country.
func cldrLocale(tag language.Tag) currency.Locale {
	base, script, region := tag.Raw()
	l := currency.Locale{Language: base.String()}
	if base.String() == "zh" {
		script, _ = tag.Script()
	}
	if script.String() != "Zzzz" {
		l.Script = script.String()
	}
	if region.String() != "ZZ" {
		l.Territory = region.String()
	} else if l.Language == "ar" {
		// CLDR writes Arabic of no particular country with Western digits; most do not.
		l.Territory = "EG"
	}
	return l
}

// codes lists the currencies that CLDR writes by their code for each language. The
// library writes English's symbols there, which in Mexico would make pesos of dollars.
var codes = map[string]string{
	"de-CH":  "EUR",
	"de-LI":  "EUR",
	"es":     spanishCodes,
	"es-419": spanishCodes + " EUR USD VND",
	// These pay in dollars.
	"es-EC": spanishCodes + " EUR VND",
	"es-PR": spanishCodes + " EUR VND",
	"es-SV": spanishCodes + " EUR VND",
	"es-US": spanishCodes + " EUR VND",
	"fr":    "CNY HKD JPY TWD XCD",
	"fr-CA": "ILS INR KRW MXN TWD VND XAF XCD XOF XPF",
	"it":    "BRL HKD INR JPY KRW MXN TWD USD VND",
	"pl":    "AUD CAD CNY GBP HKD ILS INR JPY KRW MXN NZD TWD USD VND",
	"uk":    "AUD BRL CAD CNY EUR GBP HKD ILS INR KRW MXN NZD TWD USD VND XCD",
}

const spanishCodes = "AUD BRL CAD CNY GBP HKD ILS INR JPY KRW MXN NZD TWD XAF XCD XOF"

// byCode says whether CLDR writes a currency by its code. A country's own symbol for
// it, which differs from English's, goes before.
func byCode(l currency.Locale, code string) bool {
	own, _ := currency.GetSymbol(code, l)
	if english, _ := currency.GetSymbol(code, currency.NewLocale("en")); own != english {
		return false
	}
	for at := l; !at.IsEmpty(); at = at.GetParent() {
		if list, ok := codes[at.String()]; ok {
			return strings.Contains(list, code)
		}
	}
	return false
}

// decimal writes minor units as a decimal number: 499 with two digits is 4.99.
func decimal(amount int64, digits int) string {
	s := fmt.Sprintf("%0*d", digits+1, amount)
	if digits == 0 {
		return s
	}
	return s[:len(s)-digits] + "." + s[len(s)-digits:]
}
