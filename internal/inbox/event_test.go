package inbox_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
	coinslot "github.com/coinslot/coinslot/sdk/go"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// nasty is a title that means something to HTML, to JSON and to a shell.
const nasty = `</code></pre><script>alert(1)</script>"it's" $(touch ran) ` + "`touch ran`" + ` \ 金貨 é`

func sellNasty(t *testing.T, shop *coinslottest.Shop) {
	t.Helper()
	shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Title = nasty })
}

// headersOf reads the headers as they are shown.
func headersOf(t *testing.T, page opened) http.Header {
	t.Helper()
	h := http.Header{}
	for line := range strings.Lines(page.id("headers")) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !found {
			t.Errorf("%q is no header", line)
		}
		h.Add(name, value)
	}
	return h
}

func TestWhatIsShownIsSignedAsTheClientVerifies(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	sellNasty(t, shop)
	list := open(t, shop.URL+inbox.Path)
	page := open(t, shop.URL+list.events()[0])
	body, secret := page.id("body"), page.id("secret")
	if bytes := open(t, shop.URL+page.link("The bytes alone")); bytes.text != body || bytes.header.Get("Content-Type") != "application/json" {
		t.Errorf("the bytes alone are %s, shown are %s", bytes.text, body)
	}
	listeners := webhook.NewSecrets(vault.New([vault.KeySize]byte{1})).Listener(pay.Sandbox) // of a test installation
	if secret != list.id("secret") || secret == listeners {
		t.Errorf("the secret is %q, on the list %q", secret, list.id("secret"))
	}
	headers := headersOf(t, page)
	for _, without := range []string{"", "webhook-signature"} { // the client looks at that one first
		h := headers.Clone()
		h.Del(without)
		event, err := coinslot.VerifyWebhook([]byte(body), h, secret)
		if err != nil {
			t.Fatalf("without %q: %v", without, err)
		}
		if got := event.GetData().GetSession().GetItem().GetTitle(); got != nasty {
			t.Errorf("the title is %q", got)
		}
		if _, err := coinslot.VerifyWebhook([]byte(body+" "), h, secret); err == nil {
			t.Errorf("without %q: another body passes", without)
		}
	}
}

func TestEachViewIsSignedAfresh(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	shop.Sell(t)
	server := httptest.NewServer(inbox.New(inbox.Options{
		Service: shop.Gateway, Secret: "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)), PublicURL: shop.URL, Program: "coinslot",
		Logger: shop.Log.Logger(), Now: shop.Now,
	}).Or(http.NotFoundHandler()))
	defer server.Close()
	address := server.URL + open(t, server.URL+inbox.Path).events()[0]
	was := open(t, address).id("headers")
	shop.Wait(time.Hour)
	if now := open(t, address).id("headers"); now == was {
		t.Errorf("an hour later the headers are the same: %s", now)
	}
}

// What is shown has the headers that a receiver gets, by name, and the same values but for signatures and times.
func TestTheHeadersAreThoseOfARealDelivery(t *testing.T) {
	got := make(chan coinslottest.Received, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h := r.Header.Clone()
		h.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		select {
		case got <- coinslottest.Received{Header: h, Body: body}:
		default: // another attempt
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(receiver.Close)
	whole := coinslottest.Start(t, func(o *installation.Options) { o.PublicURL, o.WebhookTransport = "http://localhost", nil })
	whole.Key(t, pay.Sandbox, pay.Game{ID: "chess"})
	endpoint, secret, err := whole.Gateway.CreateEndpoint(t.Context(), pay.Endpoint{Game: "chess", Environment: pay.Sandbox, URL: receiver.URL + "/hooks?token=hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	order := pay.Order{Game: "chess", User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}}
	if _, _, err := whole.Gateway.CreateSession(t.Context(), gateway.Caller{Environment: pay.Sandbox}, order, gateway.Idempotency{}); err != nil {
		t.Fatal(err)
	}
	url := whole.Listen(t)
	received := <-got
	link := url + open(t, url+inbox.Path).events()[0]
	page := open(t, link)
	shown := headersOf(t, page)
	for name := range received.Header {
		if _, ok := shown[name]; !ok {
			t.Errorf("a receiver gets %s, which is not shown", name)
		}
	}
	for name := range shown {
		if _, ok := received.Header[name]; !ok {
			t.Errorf("%s is shown, which no receiver gets", name)
		}
	}
	for _, name := range []string{"Content-Type", "User-Agent", "Webhook-Id", "Webhook-Attempt", "Content-Length"} {
		if shown.Get(name) != received.Header.Get(name) {
			t.Errorf("%s is shown as %q, a receiver gets %q", name, shown.Get(name), received.Header.Get(name))
		}
	}
	if page.id("body") != string(received.Body) {
		t.Errorf("shown is the body %s, a receiver gets %s", page.id("body"), received.Body)
	}
	// How it stands with the endpoint is recorded a moment after it answered.
	for deadline := time.Now().Add(20 * time.Second); strings.Contains(page.text, "not tried yet") && time.Now().Before(deadline); {
		page = open(t, link)
	}
	for _, says := range []string{string(endpoint.ID), receiver.URL + "/hooks?…", "pending", "attempt 1: answered 418"} {
		if !strings.Contains(page.text, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	if strings.Contains(page.text, "hunter2") || strings.Contains(page.text, secret) || strings.Contains(page.text, coinslottest.AdminToken) {
		t.Error("the page shows what is secret")
	}
}

func TestTheCopiedCommandVerifies(t *testing.T) {
	testneed.Program(t, "openssl")
	shop := coinslottest.OpenShop(t)
	sellNasty(t, shop)
	command := open(t, shop.URL+open(t, shop.URL+inbox.Path).events()[0]).id("openssl")
	run := func(command string) (string, error) {
		c := exec.Command("sh")
		c.Dir, c.Stdin = t.TempDir(), strings.NewReader(command+"\n")
		said, err := c.CombinedOutput()
		return string(said), err
	}
	if said, err := run(command); err != nil || said != "The signature is right.\n" {
		t.Errorf("%v: %s\n%s", err, said, command)
	}
	if said, err := run(strings.Replace(command, "499", "498", 1)); err == nil || said != "The signature is wrong.\n" {
		t.Errorf("with a byte changed: %v %s", err, said)
	}
}

func TestATitleRunsNothing(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	sellNasty(t, shop)
	for _, path := range []string{inbox.Path, open(t, shop.URL+inbox.Path).events()[0]} {
		page := open(t, shop.URL+path)
		if n := len(page.all(func(n *html.Node) bool { return n.Data == "script" })); n != 1 {
			t.Errorf("%s has %d scripts", path, n)
		}
		if strings.Contains(page.text, "<script>alert") {
			t.Errorf("%s has the title's script", path)
		}
	}
}
