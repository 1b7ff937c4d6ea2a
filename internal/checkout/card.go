package checkout

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// expiryText accepts what people type for a month and a year: 08/29, 8 / 29, 0829, 08-2029.
// A browser that fills it in may write 2029-08.
var expiryText = regexp.MustCompile(`^([0-9]{1,2})\s*[/.\-\s]\s*([0-9]{2}|20[0-9]{2})$|^([0-9]{2})([0-9]{2}|20[0-9]{2})$`)

var yearFirst = regexp.MustCompile(`^(20[0-9]{2})-([0-9]{2})$`)

// readCard reads the three inputs of the card form. What makes no sense becomes a
// card that pay.Card.Check refuses.
func readCard(number, expiry, cvc string) pay.Card {
	c := pay.Card{Number: western(number), CVC: western(cvc)}
	expiry = yearFirst.ReplaceAllString(western(expiry), "$2/$1")
	if m := expiryText.FindStringSubmatch(expiry); m != nil {
		c.ExpiryMonth, _ = strconv.Atoi(m[1] + m[3])
		c.ExpiryYear, _ = strconv.Atoi(m[2] + m[4])
		if c.ExpiryYear < 100 {
			c.ExpiryYear += 2000
		}
	}
	return c
}

// western is what was typed with the digits of an Arabic or Persian keyboard, or with
// a Japanese or Chinese one's wide signs, as the card has it.
func western(typed string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '\u3000':
			return ' '
		}
		return r
	}, typed))
}

// wrongParts says what is wrong with each part of the card. The domain's check stops
// at the first; here that part is mended and the rest checked, so that a player
// without script sees all at once.
func wrongParts(c pay.Card, now time.Time) map[string]string {
	wrong := map[string]string{}
	for range 3 {
		err := c.Check(now)
		if err == nil {
			break
		}
		for part, text := range blameCard(err, c, now) {
			wrong[part] = text
			mend(&c, part, now)
		}
	}
	return wrong
}

func mend(c *pay.Card, part string, now time.Time) {
	amex := c.Hint().Brand == "amex"
	switch part {
	case "number":
		if c.Number = "4242424242424242"; amex {
			c.Number = "378282246310005"
		}
	case "expiry":
		c.ExpiryMonth, c.ExpiryYear = 12, now.Year()+1
	case "cvc":
		if c.CVC = "000"; amex {
			c.CVC = "0000"
		}
	}
}

// blameCard turns the domain's refusal, which is for developers, into a text for players.
func blameCard(err error, c pay.Card, now time.Time) map[string]string {
	var e *pay.Error
	if !errors.As(err, &e) {
		return nil
	}
	text := "bad_" + e.Field
	switch {
	case e.Field == "expiry" && c.ExpiryYear > 2000 && c.ExpiryMonth >= 1 && c.ExpiryMonth <= 12 && c.ExpiryYear <= now.Year():
		text = "past_expiry"
	case e.Field == "cvc" && c.Hint().Brand == "amex":
		text = "bad_cvc_amex"
	}
	return map[string]string{e.Field: text}
}

// blamed does the same for a refusal that came from the use case.
func blamed(err error, now time.Time) map[string]string { return blameCard(err, pay.Card{}, now) }
