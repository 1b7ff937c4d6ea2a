package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

var (
	oldSecret = webhook.NewSecret([32]byte{1})
	newSecret = webhook.NewSecret([32]byte{2, 0xff, 0xfe})
)

func message() webhook.Message {
	return webhook.Message{
		ID:      "01978c2e-0000-7000-8000-000000000000",
		Body:    []byte(`{"id":"01978c2e-0000-7000-8000-000000000000","event":"payment.succeeded"}`),
		At:      time.Now(),
		Attempt: 3,
	}
}

func sign(t *testing.T, m webhook.Message, secrets ...string) http.Header {
	t.Helper()
	h, err := webhook.Sign(m, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// toffeeV1 computes a v1 with nothing but the words of the specification.
func toffeeV1(secret string, unix int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", unix, body)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestSignVector(t *testing.T) {
	m := webhook.Message{ID: "evt-1", Body: []byte(`{"a":1}`), At: time.Unix(1685620800, 999), Attempt: 1}
	h := sign(t, m, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	want := map[string]string{
		"Content-Type":          "application/json",
		"Webhook-Attempt":       "1",
		"Webhook-Id":            "evt-1",
		"Webhook-Timestamp":     "1685620800",
		"Webhook-Signature":     "v1,01XT6lAsNLpdqfAFVQ52x9UNNBsR5UikgK2T5OuFIPU=",
		"X-Toffeepay-Signature": "t=1685620800,v1=832377b46252fd5b91bd514a71d8d619506b5be49a012ee5413c5fa99e46ddad",
	}
	for name, value := range want {
		if got := h.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	if got := h.Get("User-Agent"); !strings.HasPrefix(got, "Coinslot/") {
		t.Errorf("User-Agent = %q", got)
	}
	if len(h) != len(want)+1 {
		t.Errorf("headers = %v", h)
	}
}

func TestEitherSecretVerifiesDuringARotation(t *testing.T) {
	m := message()
	h := sign(t, m, newSecret, oldSecret)
	for _, secret := range []string{newSecret, oldSecret} {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Verify(m.Body, h); err != nil {
			t.Errorf("Standard Webhooks: %v", err)
		}
	}
	unix := m.At.Unix()
	want := fmt.Sprintf("t=%d,v1=%s,v1=%s", unix, toffeeV1(newSecret, unix, m.Body), toffeeV1(oldSecret, unix, m.Body))
	if got := h.Get("X-ToffeePay-Signature"); got != want {
		t.Errorf("X-ToffeePay-Signature = %q, want %q", got, want)
	}
}

func TestASignatureCoversWhatMatters(t *testing.T) {
	m := message()
	w, _ := standardwebhooks.NewWebhook(newSecret)
	changed := map[string]func(*webhook.Message){
		"body": func(m *webhook.Message) { m.Body = []byte("{}") },
		"id":   func(m *webhook.Message) { m.ID = "other" },
		"time": func(m *webhook.Message) { m.At = m.At.Add(time.Second) },
	}
	for what, change := range changed {
		other := m
		change(&other)
		h := sign(t, other, newSecret)
		h.Set("webhook-signature", sign(t, m, newSecret).Get("webhook-signature"))
		if w.Verify(other.Body, h) == nil {
			t.Errorf("another %s passes with the old signature", what)
		}
	}
	if w.Verify(m.Body, sign(t, m, oldSecret)) == nil {
		t.Error("another secret's signature passes")
	}
}

func TestSignNeverShowsASecret(t *testing.T) {
	const bad = "whsec_not base64!"
	_, err := webhook.Sign(message(), bad)
	if err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("error = %v", err)
	}
}

func TestNewSecret(t *testing.T) {
	entropy := [32]byte{0: 1, 31: 0xff}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhook.NewSecret(entropy), "whsec_"))
	if err != nil || [32]byte(raw) != entropy {
		t.Errorf("NewSecret = %q", webhook.NewSecret(entropy))
	}
}

func TestSealedSecretsAreNotInClear(t *testing.T) {
	sealed := webhook.NewSecrets(vault.New([32]byte{})).Seal("we_1", newSecret)
	if strings.Contains(string(sealed), newSecret[10:20]) {
		t.Errorf("sealed = %q", sealed)
	}
}
