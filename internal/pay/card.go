package pay

import (
	"fmt"
	"strings"
	"time"
)

// Card is a card as the player typed it in. It passes from the page to the provider
// and is never stored, logged or printed: String hides it.
type Card struct {
	Number      string `json:"-"` // digits, spaces and hyphens
	ExpiryMonth int
	ExpiryYear  int    // four digits
	CVC         string `json:"-"`
}

// String shows what a receipt would.
func (c Card) String() string { h := c.Hint(); return h.Brand + " …" + h.Last4 }

// Format hides the card from every verb, %#v and %d among them.
func (c Card) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, c.String()) }

// Digits is the card's number without what players type between the groups.
func (c Card) Digits() string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(c.Number)
}

// Check refuses a card that could not reach an issuer: a slip of the finger costs no attempt.
func (c Card) Check(now time.Time) error {
	digits := c.Digits()
	switch {
	case digits == "":
		return RefuseField(InvalidCard, "number", "is required")
	case len(digits) < 12 || len(digits) > 19 || !luhn(digits):
		return RefuseField(InvalidCard, "number", "must be a card number, its check digit right")
	case c.ExpiryMonth < 1 || c.ExpiryMonth > 12:
		return RefuseField(InvalidCard, "expiry", "must be a month and a year, such as 12/30")
	case c.expired(now):
		return RefuseField(InvalidCard, "expiry", "must not lie in the past")
	case !onlyDigits(c.CVC) || len(c.CVC) != c.cvcLength():
		return RefuseField(InvalidCard, "cvc", "must be the %d digits of the card's security code", c.cvcLength())
	}
	return nil
}

// expired says whether the card's last month is over everywhere on Earth: the last
// time zone is twelve hours behind UTC.
func (c Card) expired(now time.Time) bool {
	end := time.Date(c.ExpiryYear, time.Month(c.ExpiryMonth)+1, 1, 12, 0, 0, 0, time.UTC)
	return !now.Before(end)
}

func (c Card) cvcLength() int {
	if c.Hint().Brand == "amex" {
		return 4
	}
	return 3
}

// Hint is what may be kept of the card.
func (c Card) Hint() CardHint {
	digits := c.Digits()
	return CardHint{Brand: brand(digits), Last4: digits[max(0, len(digits)-4):]}
}

// brand tells a card's scheme by its leading digits (ISO/IEC 7812 issuer ranges).
func brand(digits string) string {
	prefix := func(n int) int {
		v := 0
		for _, d := range []byte(digits[:min(n, len(digits))]) {
			v = v*10 + int(d-'0')
		}
		return v
	}
	switch {
	case !onlyDigits(digits):
		return ""
	case prefix(1) == 4:
		return "visa"
	case prefix(2) >= 51 && prefix(2) <= 55, prefix(4) >= 2221 && prefix(4) <= 2720:
		return "mastercard"
	case prefix(2) == 34, prefix(2) == 37:
		return "amex"
	case prefix(4) == 6011, prefix(2) == 65, prefix(3) >= 644 && prefix(3) <= 649:
		return "discover"
	case prefix(4) >= 3528 && prefix(4) <= 3589:
		return "jcb"
	case prefix(2) == 36, prefix(2) == 38, prefix(3) >= 300 && prefix(3) <= 305:
		return "diners"
	case prefix(2) == 62:
		return "unionpay"
	}
	return "card"
}

func onlyDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// luhn checks the last digit of a card number (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	if !onlyDigits(digits) {
		return false
	}
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
