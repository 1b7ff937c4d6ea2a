package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/pay"
)

// The headers that are Coinslot's own. The others are named by the library.
const (
	headerSignature = "X-ToffeePay-Signature"
	headerAttempt   = "webhook-attempt"
)

// Message is what one attempt says. ID and Body are the same on every attempt.
type Message struct {
	ID      pay.EventID
	Body    []byte
	At      time.Time // of the attempt, not of the event: receivers refuse old ones
	Attempt int       // from 1
}

// Sign makes all headers of one attempt. Each of the secrets, newest first, signs
// in both documented ways: X-ToffeePay-Signature and Standard Webhooks. It fails for
// a secret that is not base64 after its whsec_, and never shows one.
func Sign(m Message, secrets ...string) (http.Header, error) {
	toffee := []string{"t=" + strconv.FormatInt(m.At.Unix(), 10)}
	var standard []string
	for _, secret := range secrets {
		signature, err := signStandard(m, secret)
		if err != nil {
			return nil, err
		}
		standard = append(standard, signature)
		toffee = append(toffee, "v1="+signToffee(m, secret))
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", userAgent())
	h.Set(headerAttempt, strconv.Itoa(m.Attempt))
	h.Set(headerSignature, strings.Join(toffee, ","))
	h.Set(standardwebhooks.HeaderWebhookID, string(m.ID))
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(m.At.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(standard, " "))
	return h, nil
}

// signStandard uses the decoded bytes of the secret as the key.
func signStandard(m Message, secret string) (string, error) {
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return "", errors.New("the signing secret must be " + secretPrefix + " and base64")
	}
	return w.Sign(string(m.ID), m.At, m.Body)
}

// signToffee uses the secret as it is written, prefix and all, as the key.
func signToffee(m Message, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(strconv.AppendInt(nil, m.At.Unix(), 10))
	mac.Write([]byte{'.'})
	mac.Write(m.Body)
	return hex.EncodeToString(mac.Sum(nil))
}

// userAgent names Coinslot and the version that this program was built from.
var userAgent = sync.OnceValue(func() string {
	version := "dev"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		version = info.Main.Version[1:]
	}
	return "Coinslot/" + version
})
