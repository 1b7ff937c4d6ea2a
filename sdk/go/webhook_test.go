package coinslot_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

// vectorFile is what the verifiers of all clients are tested with.
type vectorFile struct {
	Vectors []struct {
		Name      string
		Secrets   []string
		Headers   map[string]string
		Body      string
		Now       int64
		Tolerance int64
		Accepted  bool
		Reason    string
		Event     vectorEvent
	}
}

type vectorEvent struct {
	ID, Type, Environment string
	Sequence              int32
	SessionID             string `json:"session_id"`
	PaymentID             string `json:"payment_id"`
	RefundID              string `json:"refund_id"`
}

var reasons = map[string]error{
	"missing_signature":          coinslot.ErrMissingSignature,
	"malformed_signature":        coinslot.ErrMalformedSignature,
	"timestamp_out_of_tolerance": coinslot.ErrTimestampOutOfTolerance,
	"wrong_signature":            coinslot.ErrWrongSignature,
	"malformed_body":             coinslot.ErrMalformedBody,
}

func TestVerifyVectors(t *testing.T) {
	text, err := os.ReadFile("../webhook-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 100 {
		t.Fatalf("there are only %d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range v.Headers {
				h.Set(name, value)
			}
			verifier := coinslot.Verifier{
				Secrets:   v.Secrets,
				Tolerance: time.Duration(v.Tolerance) * time.Second,
				Now:       func() time.Time { return time.Unix(v.Now, 0) },
			}
			event, err := verifier.Verify([]byte(v.Body), h)
			if v.Reason == "secret" {
				wantNoVerdict(t, v.Secrets, event, err)
				return
			}
			if !errors.Is(err, reasons[v.Reason]) {
				t.Fatalf("Verify: %v, want %s", err, v.Reason)
			}
			if !v.Accepted {
				if event != nil {
					t.Errorf("an event came with the refusal: %v", event)
				}
				return
			}
			d := event.GetData()
			got := vectorEvent{event.GetId(), event.GetType(), event.GetEnvironment(), event.GetSequence(), d.GetSessionId(), d.GetPaymentId(), d.GetRefundId()}
			if diff := cmp.Diff(v.Event, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerifyBodiesThatNoVectorCanHold: JSON text has no place for bytes that are no text.
func TestVerifyBodiesThatNoVectorCanHold(t *testing.T) {
	const secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "1685620800"
	v := coinslot.Verifier{Secrets: []string{secret}, Now: func() time.Time { return time.Unix(1685620800, 0) }}
	for _, body := range []string{"\xff\xfe", "\x00", "{\"id\":\"\xff\",\"type\":\"session.paid\"}"} {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprint(mac, at, ".", body)
		h := http.Header{}
		h.Set("X-ToffeePay-Signature", fmt.Sprintf("t=%s,v1=%x", at, mac.Sum(nil)))
		if _, err := v.Verify([]byte(body), h); !errors.Is(err, coinslot.ErrMalformedBody) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// wantNoVerdict: a mistake of the receiver is no refusal. Nobody can be let in, nor turned away.
func wantNoVerdict(t *testing.T, secrets []string, event *coinslot.Event, err error) {
	t.Helper()
	if err == nil || event != nil {
		t.Fatalf("it is verified with %q: %v, %v", secrets, event, err)
	}
	for name, refusal := range reasons {
		if errors.Is(err, refusal) {
			t.Errorf("it is told as %s", name)
		}
	}
	for _, secret := range secrets {
		if secret != "" && secret != "secret" && secret != "whsec_" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

// TestVerifyWhatTheServerSends takes the requests of a server that runs, and its clock.
func TestVerifyWhatTheServerSends(t *testing.T) {
	c := newGame(t, "told")
	type delivery struct {
		body   []byte
		header http.Header
	}
	deliveries := make(chan delivery, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		deliveries <- delivery{body, r.Header.Clone()}
	}))
	defer receiver.Close()
	secret := run(t, "webhooks", "create", "--game", "told", "--environment", "sandbox", "--url", receiver.URL)

	s := checkout(t, c, coins("told"))
	run(t, "sandbox", "pay", s.Id)
	var got []string
	for range 4 {
		d := <-deliveries
		event, err := coinslot.VerifyWebhook(d.body, d.header, secret)
		if err != nil {
			t.Fatal(err)
		}
		if event.GetData().GetSession().GetId() != s.Id {
			t.Errorf("the event is %v", event)
		}
		got = append(got, event.GetType())
		d.header.Del("webhook-signature")
		if _, err := coinslot.VerifyWebhook(d.body, d.header, secret); err != nil {
			t.Errorf("by X-ToffeePay-Signature alone: %v", err)
		}
		if _, err := coinslot.VerifyWebhook(append(d.body, ' '), d.header, secret); !errors.Is(err, coinslot.ErrWrongSignature) {
			t.Errorf("a changed body: %v", err)
		}
	}
	if diff := cmp.Diff([]string{"session.created", "payment.created", "payment.succeeded", "session.paid"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// FuzzVerify: whatever comes, it is refused and nothing breaks.
func FuzzVerify(f *testing.F) {
	f.Add("v1,AAAA", "evt", "1685620800", "t=1685620800,v1=00", []byte("{}"))
	f.Add("", "", "", "t=1,t=2,v1=,v1", []byte(nil))
	v := coinslot.Verifier{Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, Now: func() time.Time { return time.Unix(1685620800, 0) }}
	f.Fuzz(func(t *testing.T, standard, id, timestamp, toffee string, body []byte) {
		h := http.Header{}
		h.Set("webhook-signature", standard)
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", timestamp)
		h.Set("X-ToffeePay-Signature", toffee)
		if event, err := v.Verify(body, h); err == nil || event != nil {
			t.Errorf("a forgery is accepted: %v, %v", event, err)
		}
	})
}
