package coinslot_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

// The examples are those of the README, word for word, and run against a server that
// runs: COINSLOT_BASE_URL and COINSLOT_ACCESS_TOKEN say where.

func Example() {
	if err := sell(context.Background()); err != nil {
		log.Print(err)
	}
}

func sell(ctx context.Context) error {
	client, err := coinslot.New("") // or the access token itself
	if err != nil {
		return err
	}
	session, err := client.Checkout(ctx, &coinslot.CreateSessionRequest{
		GameId:    "space_shooter",
		UserId:    "player_42",
		Item:      &coinslot.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
		ReturnUrl: "mygame://payment-complete",
	})
	if err != nil {
		return err
	}
	redirect(session.Url) // the player pays there

	status, err := client.Sessions.Status(ctx, &coinslot.GetSessionStatusRequest{Id: session.Id})
	if err != nil {
		return err
	}
	if status.Status == "paid" {
		grant("player_42", "50 Gold Coins")
	}
	return nil
}

func takeWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
		return
	}
	event, err := coinslot.VerifyWebhook(body, r.Header, os.Getenv("COINSLOT_WEBHOOK_SECRET"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if session := event.GetData().GetSession(); event.Type == "session.paid" {
		grantOnce(session.Id, session.UserId, session.Item.Title)
	}
}

func ExampleVerifyWebhook() {
	http.HandleFunc("POST /webhooks", takeWebhook)
}

func readEvents(ctx context.Context, client *coinslot.Client, load func() *string, save func(string)) error {
	request := &coinslot.ListEventsRequest{Types: []string{"session.paid"}, Cursor: load()}
	page, err := client.Events.List(ctx, request)
	if err != nil {
		return err
	}
	for _, event := range page.Events {
		session := event.Data.Session
		grantOnce(session.Id, session.UserId, session.Item.Title)
	}
	save(page.NextCursor) // what happens from now on comes after it
	return nil
}

func giveBack(ctx context.Context, client *coinslot.Client, session *coinslot.Session) (*coinslot.Refund, error) {
	refund, err := client.Refund(ctx, &coinslot.CreateRefundRequest{
		PaymentId: session.GetPaymentId(),
		Amount:    new(int32(199)), // without it, all that is left
		Reason:    new("the coins were lost"),
	}, coinslot.WithIdempotencyKey("ticket 1001"))
	return refund, err
}

func watchOne(ctx context.Context, client *coinslot.Client, id string) error {
	for session, err := range client.Sessions.Watch(ctx, &coinslot.WatchSessionRequest{Id: id}) {
		if err != nil {
			return err
		}
		if session.Status == "paid" {
			grant(session.UserId, session.Item.Title)
		}
	}
	return nil
}

func watchAll(ctx context.Context, client *coinslot.Client, last string) error {
	request := &coinslot.WatchEventsRequest{Types: []string{"session.paid"}, Consumer: new("granter")}
	for told, err := range client.Events.Watch(ctx, request) {
		if err != nil {
			return err
		}
		session := told.Event.Data.Session
		grantOnce(session.Id, session.UserId, session.Item.Title)
		_, err = client.Events.Acknowledge(ctx, &coinslot.AcknowledgeEventsRequest{Consumer: "granter", Cursor: told.NextCursor})
		if err != nil || session.Id == last {
			return err
		}
	}
	return nil
}

var total int32 // earned

func earn(ctx context.Context, client *coinslot.Client) error {
	for payment, err := range client.Payments.All(ctx, &coinslot.ListPaymentsRequest{GameId: "space_shooter"}) {
		if err != nil {
			return err
		}
		total += payment.Amount - payment.RefundedAmount
	}
	return nil
}

func read(err error, log *log.Logger) {
	var refused *coinslot.Error
	switch {
	case errors.As(err, &refused) && refused.Code == coinslot.CodeInvalidPrice:
		// the message says what would be right; it is for developers, not for players
		log.Print(refused.Message)
	case errors.As(err, &refused) && refused.Retryable:
		// the server cannot be reached, or is busy: try later, with the same idempotency key
	}
}

// granted notes who is granted what, in the place of the game.
var granted = make(chan string, 10)

func grant(player, title string) { granted <- player + " gets " + title }

func grantOnce(_, player, title string) { grant(player, title) }

// redirect pays as the player would.
func redirect(url string) {
	if _, err := server.Run("sandbox", "pay", url[strings.LastIndex(url, "/")+1:]); err != nil {
		granted <- err.Error()
	}
}

func wantGranted(t *testing.T) {
	t.Helper()
	if got := <-granted; got != "player_42 gets 50 Gold Coins" {
		t.Error(got)
	}
}

// TestTheExamplesWork runs them one after the other, as one game would.
func TestTheExamplesWork(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(takeWebhook))
	defer receiver.Close()
	t.Setenv("COINSLOT_WEBHOOK_SECRET", run(t, "webhooks", "create", "--game", "space_shooter", "--environment", "sandbox", "--events", "session.paid", "--url", receiver.URL))
	if err := sell(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantGranted(t) // by the status
	wantGranted(t) // by the webhook

	forged, err := http.Post(receiver.URL, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer forged.Body.Close()
	if forged.StatusCode != http.StatusBadRequest {
		t.Errorf("a forged webhook: %s", forged.Status)
	}

	client := newClient(t, "")
	kept := ""
	if err := readEvents(t.Context(), client, func() *string { return nil }, func(cursor string) { kept = cursor }); err != nil || kept == "" {
		t.Fatalf("%v, %q", err, kept)
	}
	wantGranted(t)

	var session *coinslot.Session
	for s, err := range client.Sessions.All(t.Context(), &coinslot.ListSessionsRequest{GameId: "space_shooter"}) {
		if err != nil {
			t.Fatal(err)
		}
		session = s
	}
	if err := watchOne(t.Context(), client, session.Id); err != nil {
		t.Error(err)
	}
	wantGranted(t)
	if err := watchAll(t.Context(), client, session.Id); err != nil {
		t.Error(err)
	}
	wantGranted(t)
	if refund, err := giveBack(t.Context(), client, session); err != nil || refund.Amount != 199 {
		t.Errorf("%v, %v", refund, err)
	}
	if err := earn(t.Context(), client); err != nil || total != 300 {
		t.Errorf("%d earned, want 300 (%v)", total, err)
	}
	var said strings.Builder
	free := coins("space_shooter")
	free.Item.Price = 0
	_, err = client.Checkout(t.Context(), free)
	if read(err, log.New(&said, "", 0)); !strings.Contains(said.String(), "item.price") {
		t.Errorf("it said %q of %v", said.String(), err)
	}
}

// TestTheReadmeShowsTheExamples: what it shows is word for word in this file, but for the
// indentation.
func TestTheReadmeShowsTheExamples(t *testing.T) {
	here, there := unindented(t, "example_test.go"), unindented(t, "README.md")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(there, -1)
	if len(blocks) < 7 {
		t.Fatalf("the README shows %d examples", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(here, block[1]) {
			t.Errorf("no example that runs is this one of the README:\n%s", block[1])
		}
	}
}

func unindented(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(string(text), "")
}
