package webhook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/webhook"
)

// The vectors are what every SDK's verifier is tested with. They are made here, by the
// signer that signs deliveries, so that neither can change without the other:
//
//	go test ./internal/webhook -run Vectors -update
var update = flag.Bool("update", false, "write sdk/webhook-vectors.json anew")

const vectorsFile = "../../sdk/webhook-vectors.json"

const aboutVectors = `Requests as a receiver of webhooks gets them, and what its verifier must say. ` +
	`Names of headers are case-insensitive, and an empty header is as good as none. If webhook-signature is there it decides alone ` +
	`and needs webhook-id and webhook-timestamp; else X-ToffeePay-Signature decides; else missing_signature. ` +
	`webhook-signature is a list of "version,signature" separated by one space; v1 is the base64 of HMAC-SHA256(key, id.timestamp.body), ` +
	`the key being the secret's base64, after whsec_ if it begins so, decoded. X-ToffeePay-Signature is a list of name=value separated by commas ` +
	`in any order, exactly one of them t; v1 is the lower-case hex of HMAC-SHA256(key, t.body), the key being the secret as it is written. ` +
	`Times are unix seconds, [1-9][0-9]{0,11}. Checks run in this order. malformed_signature: an id or time is missing, a time is not as above, ` +
	`or there is no v1. timestamp_out_of_tolerance: |now - time| > tolerance, in seconds. wrong_signature: none of the first 32 v1 in the header is ` +
	`that of one of the secrets; other versions are skipped and not counted, and signatures are compared as text, so that only one spelling is right. ` +
	`malformed_body: not one JSON object that protobuf JSON reads as a pay.v1.Event, unknown fields ignored, with an id and a type that are not empty. ` +
	`Before all of it comes secret: there is none, or one of them, after whsec_, is empty or not base64 of the standard alphabet in its one spelling, ` +
	`padded and without newlines. That is a mistake of the receiver's own: an error, but none that tells of the request.`

// A vector is one request, its receiver, and what is right.
type vector struct {
	Name      string            `json:"name"`
	Secrets   []string          `json:"secrets"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Now       int64             `json:"now"`
	Tolerance int64             `json:"tolerance"`
	Accepted  bool              `json:"accepted"`
	Reason    string            `json:"reason,omitempty"`
	Event     *vectorEvent      `json:"event,omitempty"`
}

// vectorEvent is what a verifier must have read from the body.
type vectorEvent struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Sequence    int32  `json:"sequence"`
	Environment string `json:"environment"`
	SessionID   string `json:"session_id,omitempty"`
	PaymentID   string `json:"payment_id,omitempty"`
	RefundID    string `json:"refund_id,omitempty"`
}

const (
	headerID       = standardwebhooks.HeaderWebhookID
	headerTime     = standardwebhooks.HeaderWebhookTimestamp
	headerStandard = standardwebhooks.HeaderWebhookSignature
	headerToffee   = "X-ToffeePay-Signature"
)

// make signs what the case sends, spoils it, and notes what is right.
func (c vectorCase) make(t *testing.T) vector {
	t.Helper()
	at := time.Unix(vectorTime, 0)
	signed := sign(t, webhook.Message{ID: pay.EventID(vectorID), Body: []byte(c.sends()), At: at, Attempt: 1}, c.signs()...)
	v := vector{
		Name: c.name, Secrets: c.holds, Headers: map[string]string{}, Body: c.sends(),
		Now: vectorTime + c.late, Tolerance: 300, Accepted: c.refused == "", Reason: c.refused,
	}
	if c.tolerance != 0 {
		v.Tolerance = c.tolerance
	}
	if v.Secrets == nil {
		v.Secrets = []string{newSecret}
	}
	for _, name := range []string{headerID, headerTime, headerStandard, headerToffee} {
		if c.has(name) {
			v.Headers[name] = signed.Get(name)
		}
	}
	if c.spoil != nil {
		c.spoil(&v)
	}
	if v.Accepted {
		v.Event = readVectorEvent(t, v.Body)
	}
	return v
}

func (c vectorCase) sends() string {
	if c.body == nil {
		return paymentSucceeded
	}
	return *c.body
}

func (c vectorCase) signs() []string {
	if c.by == nil {
		return []string{newSecret}
	}
	return c.by
}

// has says whether the request carries a header, given the scheme of its case.
func (c vectorCase) has(header string) bool {
	switch c.scheme {
	case standard:
		return header != headerToffee
	case toffee:
		return header == headerToffee
	}
	return true
}

func readVectorEvent(t *testing.T, body string) *vectorEvent {
	t.Helper()
	var e struct {
		vectorEvent
		Data vectorEvent
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatal(err)
	}
	read := e.vectorEvent
	read.SessionID, read.PaymentID, read.RefundID = e.Data.SessionID, e.Data.PaymentID, e.Data.RefundID
	return &read
}

func madeVectors(t *testing.T) []vector {
	t.Helper()
	var all []vector
	for _, c := range slices.Concat(schemeCases(standard), schemeCases(toffee), standardCases, toffeeCases, bothCases, bodyCases, secretCases()) {
		all = append(all, c.make(t))
	}
	return all
}

// TestVectorsAreWhatTheSignerMakes holds the file to the signer, byte by byte.
func TestVectorsAreWhatTheSignerMakes(t *testing.T) {
	made := madeVectors(t)
	names := map[string]bool{}
	for _, v := range made {
		if names[v.Name] {
			t.Errorf("two vectors are called %q", v.Name)
		}
		names[v.Name] = true
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(map[string]any{"about": aboutVectors, "vectors": made}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorsFile, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, text.Bytes()) {
		t.Error("sdk/webhook-vectors.json is not what the signer makes; if it should be: go test ./internal/webhook -run Vectors -update")
	}
}

// TestTheStandardLibraryAgreesWithTheVectors asks the published library about each
// vector that webhook-signature decides. It knows one secret and five minutes, looks at
// no body, and answers some of the malformed as wrong.
func TestTheStandardLibraryAgreesWithTheVectors(t *testing.T) {
	asked := 0
	for _, v := range readVectors(t) {
		if !hasHeader(v, headerStandard) || v.Tolerance != 300 || v.Reason == badBody || v.Reason == notSecret || onlyWeRefuse[v.Name] {
			continue
		}
		asked++
		t.Run(v.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(v.Now, 0)))
				if got := libraryAccepts(t, v); got != v.Accepted {
					t.Errorf("the library accepts it: %v; the vector says %v", got, v.Accepted)
				}
			})
		})
	}
	if asked < 30 {
		t.Errorf("only %d vectors were asked about", asked)
	}
}

func libraryAccepts(t *testing.T, v vector) bool {
	t.Helper()
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return slices.ContainsFunc(v.Secrets, func(secret string) bool {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		return w.Verify([]byte(v.Body), h) == nil
	})
}

func hasHeader(v vector, name string) bool {
	h := http.Header{}
	for n, value := range v.Headers {
		h.Set(n, value)
	}
	return h.Get(name) != ""
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// unix is a time as headers hold it.
func unix(seconds int64) string { return strconv.FormatInt(seconds, 10) }
