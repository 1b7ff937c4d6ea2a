package pay_test

import (
	"slices"
	"testing"

	"github.com/bojanz/currency"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestKnownExponents(t *testing.T) {
	for code, want := range map[pay.Currency]int{"USD": 2, "EUR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "CLF": 4} {
		if got := code.Exponent(); got != want || !code.Known() {
			t.Errorf("%s has %d minor digits, want %d", code, got, want)
		}
	}
	for _, none := range []pay.Currency{"", "usd", "US", "USDT", "XXX", "XTS", "XAU", "BTC", " USD", "USD ", "ＵＳＤ"} {
		if none.Known() {
			t.Errorf("%q passes for a currency", none)
		}
	}
}

// TestOurTableOfCurrenciesIsTheOneOfCLDR compares with the table that prices are
// written with. Where the two differ it is said why.
func TestOurTableOfCurrenciesIsTheOneOfCLDR(t *testing.T) {
	for _, code := range currency.GetCurrencyCodes() {
		digits, _ := currency.GetDigits(code)
		ours := pay.Currency(code)
		switch {
		case !ours.Known():
			t.Errorf("%s is not known here", code)
		case ours.Exponent() != int(digits):
			t.Errorf("%s has %d minor digits here, %d there", code, ours.Exponent(), digits)
		}
	}
	for _, c := range pay.Currencies() {
		if !currency.IsValid(string(c)) {
			t.Errorf("%s is known only here", c)
		}
	}
}

func TestCurrenciesListsEachOnce(t *testing.T) {
	all := pay.Currencies()
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != len(all) || n < 150 {
		t.Errorf("%d currencies, %d different", len(all), n)
	}
	for _, c := range all {
		if len(c) != 3 || !c.Known() {
			t.Errorf("%q is listed", c)
		}
	}
}
