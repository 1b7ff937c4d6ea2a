package pay_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

func card(number string) pay.Card {
	return pay.Card{Number: number, ExpiryMonth: 12, ExpiryYear: 2030, CVC: "123"}
}

func TestCardNumbers(t *testing.T) {
	for _, good := range []string{
		"4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "4242\u00a04242\u00a04242\u00a04242", " 4242424242424242 ",
		"5555 5555 5555 4444", "4000 0025 0000 3155", "6011 1111 1111 1117", "3566 0020 2036 0505", "3056 9309 0259 04", "6200 0000 0000 0005",
		"000000000000", "4000000000000000006", // the shortest and the longest
	} {
		if err := card(good).Check(noon); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", " ", "4242", "4242 4242 4242 4241", "4242 4242 4242 420", "00000000000", "40000000000000000000",
		"4242x4242x4242x4242", "４２４２４２４２４２４２４２４２", "4242 4242 4242 424\u0662", "-4242424242424241", "+42424242424242",
		"4242\t4242\t4242\t4242", "4242424242424242\x00", "card number", strings.Repeat("0", 1000),
	} {
		if err := card(bad).Check(noon); err == nil {
			t.Errorf("%.30q passes for a card number", bad)
		} else {
			wantRefusal(t, err, pay.InvalidCard, "number")
		}
	}
}

// TestTheCheckDigitCatchesEverySlipOfOneDigit is what ISO/IEC 7812 promises of it.
func TestTheCheckDigitCatchesEverySlipOfOneDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := []byte(rapid.StringMatching(`4[0-9]{11,17}`).Draw(t, "number") + "0")
		for card(string(number)).Check(noon) != nil {
			if number[len(number)-1]++; number[len(number)-1] > '9' {
				t.Fatalf("no check digit is right for %s", number)
			}
		}
		at := rapid.IntRange(0, len(number)-1).Draw(t, "place")
		slip := rapid.ByteRange('0', '9').Draw(t, "digit")
		if slip == number[at] {
			t.Skip("no slip")
		}
		number[at] = slip
		if card(string(number)).Check(noon) == nil {
			t.Fatalf("%s passes with another digit at %d", number, at)
		}
	})
}

func TestCardExpiry(t *testing.T) {
	lastMoment := time.Date(2026, time.April, 1, 11, 59, 59, 999999999, time.UTC) // of March 31 on Baker Island
	for _, tt := range []struct {
		name        string
		month, year int
		now         time.Time
		good        bool
	}{
		{"this month", 3, 2026, noon, true},
		{"next month", 4, 2026, noon, true},
		{"last month", 2, 2026, noon.Add(-1), true}, // not over yet on Baker Island
		{"last month, over everywhere", 2, 2026, noon, false},
		{"the last moment of its month on Earth", 3, 2026, lastMoment, true},
		{"a moment later", 3, 2026, lastMoment.Add(1), false},
		{"this month of last year", 3, 2025, noon, false},
		{"December", 12, 2026, noon, true},
		{"December of last year", 12, 2025, noon, false},
		{"the end of December", 12, 2025, time.Date(2026, time.January, 1, 11, 59, 59, 0, time.UTC), true},
		{"the last that MM/YY can mean", 12, 2099, noon, true},
		{"two digits", 12, 30, noon, false},
		{"no month", 0, 2030, noon, false},
		{"a thirteenth month", 13, 2030, noon, false},
		{"a negative month", -1, 2030, noon, false},
		{"no year", 12, 0, noon, false},
		{"a year beyond counting", 12, 1<<62 - 1, noon, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := card("4242424242424242")
			c.ExpiryMonth, c.ExpiryYear = tt.month, tt.year
			if err := c.Check(tt.now); tt.good != (err == nil) {
				t.Errorf("good should be %v: %v", tt.good, err)
			} else if err != nil {
				wantRefusal(t, err, pay.InvalidCard, "expiry")
			}
		})
	}
}

func TestSecurityCodes(t *testing.T) {
	for _, tt := range []struct {
		number, cvc string
		good        bool
	}{
		{"4242424242424242", "123", true},
		{"4242424242424242", "000", true},
		{"4242424242424242", "1234", false},
		{"4242424242424242", "12", false},
		{"4242424242424242", "", false},
		{"4242424242424242", "12a", false},
		{"4242424242424242", " 12", false},
		{"4242424242424242", "١٢٣", false},
		{"378282246310005", "1234", true},
		{"378282246310005", "123", false},
		{"343434343434343", "1234", true},
	} {
		c := card(tt.number)
		c.CVC = tt.cvc
		if err := c.Check(noon); tt.good != (err == nil) {
			t.Errorf("%q of %s: good should be %v: %v", tt.cvc, c, tt.good, err)
		} else if err != nil {
			wantRefusal(t, err, pay.InvalidCard, "cvc")
		}
	}
}

// TestTheFirstWrongPartOfACardIsTheOneThatIsTold: number, then expiry, then code.
func TestTheFirstWrongPartOfACardIsTheOneThatIsTold(t *testing.T) {
	wrong := pay.Card{Number: "4242", ExpiryMonth: 13, ExpiryYear: 2030, CVC: "x"}
	wantRefusal(t, wrong.Check(noon), pay.InvalidCard, "number")
	wrong.Number = "4242424242424242"
	wantRefusal(t, wrong.Check(noon), pay.InvalidCard, "expiry")
	wrong.ExpiryMonth = 12
	wantRefusal(t, wrong.Check(noon), pay.InvalidCard, "cvc")
}

func TestBrands(t *testing.T) {
	for prefix, want := range map[string]string{
		"4": "visa", "51": "mastercard", "55": "mastercard", "2221": "mastercard", "2720": "mastercard", "50": "card", "56": "card", "2220": "card", "2721": "card",
		"34": "amex", "37": "amex", "35": "card", "6011": "discover", "65": "discover", "644": "discover", "649": "discover", "643": "card", "6012": "card",
		"3528": "jcb", "3589": "jcb", "3527": "card", "3590": "card", "36": "diners", "38": "diners", "300": "diners", "305": "diners", "306": "card",
		"62": "unionpay", "1": "card", "9": "card",
	} {
		number := prefix + strings.Repeat("0", 16-len(prefix))
		if got := card(number).Hint(); got.Brand != want || got.Last4 != "0000" {
			t.Errorf("%s is of %q ending in %s, want %s", number, got.Brand, got.Last4, want)
		}
	}
	for number, want := range map[string]pay.CardHint{
		"":                    {},
		"42":                  {Brand: "visa", Last4: "42"},
		"4000 0566 5566 5556": {Brand: "visa", Last4: "5556"},
	} {
		if got := card(number).Hint(); got != want {
			t.Errorf("%q: %+v, want %+v", number, got, want)
		}
	}
}

// TestACardIsNeverPrinted, by whatever verb, in whatever holds it.
func TestACardIsNeverPrinted(t *testing.T) {
	c := pay.Card{Number: "4000 0566 5566 5556", ExpiryMonth: 11, ExpiryYear: 2039, CVC: "987"}
	type tender struct {
		Method pay.Method
		Card   *pay.Card
	}
	type byValue struct{ Card pay.Card }
	holders := map[string]any{
		"a card": c, "a pointer to one": &c, "a tender": tender{pay.MethodCard, &c}, "a pointer to a tender": &tender{pay.MethodCard, &c},
		"a struct that has one": byValue{c}, "a list": []pay.Card{c}, "a list of pointers": []*pay.Card{&c},
		"a map": map[string]pay.Card{"card": c}, "an interface": []any{c, &c},
	}
	check := func(how, text string) {
		for _, secret := range []string{"4000", "0566", "5566", "987", "2039"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s: %s", how, secret, text)
			}
		}
	}
	for name, holder := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08d", "%T %[1]v"} {
			check(name+" by "+verb, fmt.Sprintf(verb, holder))
		}
		check(name+" by Println", fmt.Sprintln(holder))
		var text, lines strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("paid", "with", holder)
		_, logged, _ := strings.Cut(text.String(), "msg=")
		check(name+" in a log of text", logged)
		if name == "a card" || name == "a pointer to one" || name == "a tender" {
			slog.New(slog.NewJSONHandler(&lines, nil)).Info("paid", "with", holder)
			_, logged, _ := strings.Cut(lines.String(), "msg")
			checkNumber(t, name+" in a log of JSON", logged)
		}
		if b, err := json.Marshal(holder); err == nil {
			checkNumber(t, name+" in JSON", string(b))
		}
	}
	// fmt calls no methods of unexported fields: there a pointer hides what a value would show.
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		check("an unexported pointer by "+verb, fmt.Sprintf(verb, struct{ card *pay.Card }{&c}))
	}
	for _, show := range []string{c.String(), fmt.Sprint(c), fmt.Sprintf("%+v", tender{pay.MethodCard, &c})} {
		if !strings.Contains(show, "visa …5556") {
			t.Errorf("%q does not show what a receipt would", show)
		}
	}
	if got := fmt.Sprint((*pay.Card)(nil)); got != "<nil>" {
		t.Errorf("no card is shown as %q", got)
	}
}

// checkNumber looks for the card's number and code only: JSON keeps the expiry.
func checkNumber(t *testing.T, how, text string) {
	t.Helper()
	for _, secret := range []string{"4000", "0566", "5566", "987"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows %s: %s", how, secret, text)
		}
	}
}

func TestARefusalDoesNotRepeatTheCard(t *testing.T) {
	c := card("4000 0566 5566 5557")
	c.CVC = "98765"
	for range 2 {
		if err := c.Check(noon); err == nil || strings.Contains(err.Error(), "5566") || strings.Contains(err.Error(), "98765") {
			t.Errorf("refused with %v", err)
		}
		c.Number = "4000 0566 5566 5556"
	}
}
