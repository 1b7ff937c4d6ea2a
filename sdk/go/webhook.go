package coinslot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
)

// The reasons for refusing a webhook. Compare with errors.Is, and answer with status
// 400: whoever sent it is not the server, or was late.
var (
	ErrMissingSignature        = errors.New("coinslot: the request has no webhook signature")
	ErrMalformedSignature      = errors.New("coinslot: the headers of the webhook signature cannot be read")
	ErrTimestampOutOfTolerance = errors.New("coinslot: the webhook was signed too long ago, or in the future")
	ErrWrongSignature          = errors.New("coinslot: no signature of the webhook is right")
	ErrMalformedBody           = errors.New("coinslot: the webhook is signed well, but is no event")
	errNoSecret                = errors.New("coinslot: no webhook secret to verify with")
	errNotASecret              = errors.New("coinslot: a webhook secret must be whsec_ and base64")
)

// VerifyWebhook checks that a request came from the server, within the last five
// minutes, and returns the event in its body. body must be the bytes as they arrived.
// The secrets are those of the endpoint: the new and the old one while they rotate.
//
// The same event can arrive more than once; its Id tells.
func VerifyWebhook(body []byte, header http.Header, secrets ...string) (*Event, error) {
	return (&Verifier{Secrets: secrets}).Verify(body, header)
}

// Verifier is VerifyWebhook with settings.
type Verifier struct {
	Secrets   []string
	Tolerance time.Duration    // between the clocks of server and receiver; 0: five minutes
	Now       func() time.Time // nil: time.Now
}

const (
	headerWebhookID        = "webhook-id"
	headerWebhookTimestamp = "webhook-timestamp"
	headerWebhookSignature = "webhook-signature"
	headerToffeePay        = "X-ToffeePay-Signature"

	secretPrefix = "whsec_"

	defaultTolerance = 5 * time.Minute

	// mostSignatures is how many signatures of a request are looked at. Two are usual
	// while secrets rotate.
	mostSignatures = 32
)

// Verify is VerifyWebhook.
func (v *Verifier) Verify(body []byte, header http.Header) (*Event, error) {
	keys, err := decodeSecrets(v.Secrets)
	if err != nil {
		return nil, err
	}
	claimed, err := readClaim(header)
	if err != nil {
		return nil, err
	}
	if !v.isTimely(claimed.at) {
		return nil, fmt.Errorf("%w: at %s", ErrTimestampOutOfTolerance, claimed.at.UTC().Format(time.RFC3339))
	}
	if !claimed.isTrue(body, v.Secrets, keys) {
		return nil, ErrWrongSignature
	}
	return readEvent(body)
}

func (v *Verifier) isTimely(at time.Time) bool {
	now, tolerance := time.Now, defaultTolerance
	if v.Now != nil {
		now = v.Now
	}
	if v.Tolerance != 0 {
		tolerance = v.Tolerance
	}
	return now().Sub(at).Abs() <= tolerance
}

// decodeSecrets makes keys of Standard Webhooks, and refuses what is none whichever
// signature is looked at: anybody can sign by an empty key. It never shows a secret.
func decodeSecrets(secrets []string) (keys [][]byte, err error) {
	for _, secret := range secrets {
		text := strings.TrimPrefix(secret, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) == 0 || base64.StdEncoding.EncodeToString(key) != text { // which skips newlines
			return nil, errNotASecret
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errNoSecret
	}
	return keys, nil
}

// A claim is what the headers say: when the body was signed, and how.
type claim struct {
	at         time.Time
	signed     string   // what stands before the body in what was signed
	signatures []string // any of them may be right
	toffee     bool     // else Standard Webhooks
}

// readClaim reads the one signature header that decides. Falling back from one that fails
// to the other would leave the choice to who forges.
func readClaim(h http.Header) (claim, error) {
	if list := h.Get(headerWebhookSignature); list != "" {
		return readStandard(list, h.Get(headerWebhookID), h.Get(headerWebhookTimestamp))
	}
	if list := h.Get(headerToffeePay); list != "" {
		return readToffee(list)
	}
	return claim{}, ErrMissingSignature
}

func readStandard(list, id, timestamp string) (claim, error) {
	if id == "" {
		return claim{}, fmt.Errorf("%w: there is no %s", ErrMalformedSignature, headerWebhookID)
	}
	c := claim{signed: id + "." + timestamp + "."}
	for signature := range strings.SplitSeq(list, " ") {
		c.add(signature, "v1,")
	}
	return c.dated(timestamp)
}

func readToffee(list string) (claim, error) {
	c := claim{toffee: true}
	var timestamps []string
	for part := range strings.SplitSeq(list, ",") {
		if t, ok := strings.CutPrefix(part, "t="); ok {
			timestamps = append(timestamps, t)
		}
		c.add(part, "v1=")
	}
	if len(timestamps) != 1 { // with two, one could be signed and the other be looked at
		return claim{}, fmt.Errorf("%w: it must have one t, got %d", ErrMalformedSignature, len(timestamps))
	}
	c.signed = timestamps[0] + "."
	return c.dated(timestamps[0])
}

// add keeps a signature if it is of the version that is known.
func (c *claim) add(signature, version string) {
	if value, ok := strings.CutPrefix(signature, version); ok && len(c.signatures) < mostSignatures {
		c.signatures = append(c.signatures, value)
	}
}

// unixSeconds has one spelling for each time, so that what is signed is what is read.
var unixSeconds = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)

// dated finishes a claim with its time.
func (c claim) dated(timestamp string) (claim, error) {
	if !unixSeconds.MatchString(timestamp) {
		return claim{}, fmt.Errorf("%w: the time must be in unix seconds", ErrMalformedSignature)
	}
	if len(c.signatures) == 0 {
		return claim{}, fmt.Errorf("%w: there is no v1", ErrMalformedSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	c.at = time.Unix(seconds, 0)
	return c, err
}

// isTrue says whether any of the signatures is that of any of the secrets. How long it
// takes tells nothing of a signature that is right.
func (c claim) isTrue(body []byte, secrets []string, keys [][]byte) bool {
	found := false
	for i, key := range keys {
		var want string
		if c.toffee {
			want = hex.EncodeToString(c.digest([]byte(secrets[i]), body))
		} else {
			want = base64.StdEncoding.EncodeToString(c.digest(key, body))
		}
		for _, signature := range c.signatures {
			found = hmac.Equal([]byte(signature), []byte(want)) || found
		}
	}
	return found
}

func (c claim) digest(key, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(c.signed))
	mac.Write(body)
	return mac.Sum(nil)
}

// readEvent reads the body of a webhook. A later server may say more than this knows.
func readEvent(body []byte) (*Event, error) {
	event := &Event{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, event); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedBody, err)
	}
	if event.GetId() == "" || event.GetType() == "" {
		return nil, fmt.Errorf("%w: it has no id or no type", ErrMalformedBody)
	}
	return event, nil
}
