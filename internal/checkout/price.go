package checkout

import (
	"fmt"

	"github.com/bojanz/currency"

	"github.com/coinslot/coinslot/internal/pay"
)

// price writes an amount as people of the locale do (CLDR). The number of minor
// digits is ours, so that the page and the API never disagree on what is charged.
func price(m pay.Money, locale string) string {
	// CLDR writes Arabic of no particular country with the digits of the machine.
	if locale == "ar" {
		locale = "ar-EG"
	}
	f := currency.NewFormatter(currency.NewLocale(locale))
	f.MinDigits = uint8(m.Currency.Exponent())
	f.MaxDigits = f.MinDigits
	amount, err := currency.NewAmount(decimal(m.Amount, m.Currency.Exponent()), string(m.Currency))
	if err != nil {
		return string(m.Currency) + "\u00a0" + decimal(m.Amount, m.Currency.Exponent())
	}
	return f.Format(amount)
}

// decimal writes minor units as a decimal number: 499 with two digits is 4.99.
func decimal(amount int64, digits int) string {
	s := fmt.Sprintf("%0*d", digits+1, amount)
	if digits == 0 {
		return s
	}
	return s[:len(s)-digits] + "." + s[len(s)-digits:]
}
