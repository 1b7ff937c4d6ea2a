package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

func TestAPrintedChargeShowsNeitherCardNorToken(t *testing.T) {
	const number, cvc, token = "4000123412341238", "7391", "tok_worth_money"
	charge := provider.Charge{
		Payment: "pay_canary", Session: "sess_canary", Amount: pay.Money{Amount: 499, Currency: "USD"}, Method: pay.MethodCard,
		Card: &pay.Card{Number: number, ExpiryMonth: 12, ExpiryYear: 2040, CVC: cvc}, Token: token,
	}
	for how, text := range printed(t, charge) {
		for _, secret := range []string{number, cvc, token} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s: %s", how, secret, text)
			}
		}
		if !strings.Contains(text, "pay_canary") {
			t.Errorf("%s does not show which payment: %s", how, text)
		}
	}
}

// printed is the charge in every way in which it could come into a log, as a
// value, behind a pointer and inside of something else.
func printed(t *testing.T, c provider.Charge) map[string]string {
	texts := map[string]string{}
	inside := struct{ Charge provider.Charge }{c}
	for name, v := range map[string]any{"value": c, "pointer": &c, "inside": inside} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts[name+" "+verb] = fmt.Sprintf(verb, v)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts[name+" as JSON"] = string(raw)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("charge", "charge", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("charge", "charge", v)
		texts[name+" in a log"] = log.String()
	}
	return texts
}
