package pay

import "strings"

// Currency is an ISO 4217 code in upper case.
type Currency string

// MostMinorUnits is the largest amount that the wire's int32 holds.
const MostMinorUnits = 1<<31 - 1

// Money is an amount in a currency's minor unit: 499 USD is $4.99, 499 JPY is ¥499.
type Money struct {
	Amount   int64
	Currency Currency
}

// exponents lists the currencies of ISO 4217 (list one) by their number of minor
// digits. It is the only such table in Coinslot: everything that writes or shows
// an amount asks Exponent.
var exponents = index(map[int]string{
	0: `BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF`,
	2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD
	    BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP
	    ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
	    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
	    MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
	    RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
	    TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG`,
	3: `BHD IQD JOD KWD LYD OMR TND`,
	4: `CLF UYW`,
})

func index(byExponent map[int]string) map[Currency]int {
	all := map[Currency]int{}
	for exponent, codes := range byExponent {
		for code := range strings.FieldsSeq(codes) {
			all[Currency(code)] = exponent
		}
	}
	return all
}

// Known says whether c is a currency of ISO 4217.
func (c Currency) Known() bool {
	_, ok := exponents[c]
	return ok
}

// Exponent is the number of c's minor digits: USD 2, JPY 0, KWD 3.
func (c Currency) Exponent() int { return exponents[c] }

// Currencies lists every currency that Known accepts, in no order.
func Currencies() []Currency {
	all := make([]Currency, 0, len(exponents))
	for c := range exponents {
		all = append(all, c)
	}
	return all
}
