// Command receiver is an example of a game server's webhook endpoint. It verifies
// each request in both documented ways and prints it. Standard Webhooks is verified
// by that project's own library; the other signature by the few lines below.
//
//	COINSLOT_WEBHOOK_SECRET=whsec_… go run ./docs/receiver [-addr localhost:3000]
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "where to listen")
	flag.Parse()
	secret := os.Getenv("COINSLOT_WEBHOOK_SECRET")
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		log.Fatal("COINSLOT_WEBHOOK_SECRET must be the secret that `coinslot webhooks create` printed: ", err)
	}
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = errors.Join(verifier.Verify(body, r.Header), verifyToffeePay(secret, r.Header.Get("X-ToffeePay-Signature"), body, time.Now()))
		}
		if err != nil {
			fmt.Println("refused:", err)
			http.Error(w, "the signature is not valid", http.StatusBadRequest)
			return
		}
		fmt.Println("verified:", describe(body))
		// Here a game server grants the item, once for each session, when the event is
		// session.paid. A webhook-id that it has seen before it answers in the same way,
		// and does nothing.
	})
	fmt.Println("waiting for webhooks on http://" + *addr)
	log.Fatal(http.ListenAndServe(*addr, nil))
}

// verifyToffeePay checks a header of the form t=<unix seconds>,v1=<hex>[,v1=<hex>].
func verifyToffeePay(secret, header string, body []byte, now time.Time) error {
	parts := strings.Split(header, ",")
	seconds, err := strconv.ParseInt(strings.TrimPrefix(parts[0], "t="), 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return fmt.Errorf("X-ToffeePay-Signature: missing, or older than five minutes: %q", header)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", seconds, body)
	want := []byte("v1=" + hex.EncodeToString(mac.Sum(nil)))
	for _, got := range parts[1:] {
		if hmac.Equal([]byte(got), want) {
			return nil
		}
	}
	return errors.New("X-ToffeePay-Signature: no signature matches")
}

func describe(body []byte) string {
	var event struct {
		Event string
		Data  struct {
			SessionID string `json:"session_id"`
			PaymentID string `json:"payment_id"`
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return string(body)
	}
	return strings.TrimSpace(event.Event + " " + event.Data.SessionID + " " + event.Data.PaymentID)
}
