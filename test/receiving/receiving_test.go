// Package receiving runs the receivers of docs/receiving.md as they are written there.
package receiving

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/webhook"
)

const repository = "../.."

var shown = regexp.MustCompile("(?s)<!-- example: ([a-z-]+) -->\n```[a-z]+\n(.*?)```\n")

// examples are the guide's programs, by name.
func examples(t *testing.T) map[string]string {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join(repository, "docs/receiving.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range shown.FindAllStringSubmatch(string(guide), -1) {
		found[m[1]] = m[2]
	}
	if fences := strings.Count(string(guide), "\n```") / 2; len(found) != len(languages) || fences != len(found)+1 {
		t.Fatalf("the guide has %d programs in %d blocks, want %d and the shell's block", len(found), fences, len(languages))
	}
	return found
}

// TestTheReceiversAreRight: each of them grants once, whatever comes how often in what order,
// and forgets nothing when it dies.
func TestTheReceiversAreRight(t *testing.T) {
	for _, name := range []string{"go", "typescript", "python"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, name)
			shop := openShop(t)
			p.start(t, shop)
			shop.forwardTo(t, p.url)

			shop.trigger(t, "session.paid")
			p.await(t, "trigger gets Triggered item")
			shop.trigger(t, "refund.succeeded")
			p.await(t, "trigger gets Triggered item")
			p.await(t, "trigger gives back Triggered item")

			refusesWhatIsNotSigned(t, p, shop)
			for _, e := range slices.Backward(shop.events()) { // all of it again, the last first
				p.wantAnswer(t, 204, e.signed(t, shop.secret, time.Now()))
			}
			p.wantAnswer(t, 204, shop.testEvent(t).signed(t, shop.secret, time.Now()))

			p.kill()
			shop.triggerUnheard(t, "session.paid")
			p.leaveUndone(t, shop.events()[len(shop.events())-1])
			seen := len(shop.events())
			refunded := shop.triggerUnheard(t, "refund.succeeded")
			p.start(t, shop)
			p.await(t, "trigger gets Triggered item")                 // nobody told of it after the start
			for _, e := range slices.Backward(shop.events()[seen:]) { // the refund before all that led to it
				p.wantAnswer(t, 204, e.signed(t, shop.secret, time.Now()))
			}
			p.await(t, "trigger gets Triggered item")
			p.await(t, "trigger gives back Triggered item")
			shop.trigger(t, "session.paid") // nothing that was left undone comes after this
			p.await(t, "trigger gets Triggered item")

			want := map[string]int{"trigger gets Triggered item": 5, "trigger gives back Triggered item": 2}
			if diff := cmp.Diff(want, p.counts()); diff != "" {
				t.Errorf("granted (-want +got):\n%s", diff)
			}
			p.kill()
			p.wantNewest(t, refunded, 6)
		})
	}
}

func TestThePublishedLibrariesVerify(t *testing.T) {
	for _, name := range []string{"go-standard", "typescript-standard", "python-standard"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, name)
			shop := openShop(t)
			p.start(t, shop)
			shop.forwardTo(t, p.url)
			shop.trigger(t, "payment.succeeded")
			for _, event := range []string{"session.created", "payment.created", "payment.succeeded", "session.paid"} {
				p.await(t, "^verified "+event+" [-0-9a-f]+$")
			}
			refusesWhatIsNotSigned(t, p, shop)
		})
	}
}

// refusesWhatIsNotSigned: by the endpoint, as it is, and now.
func refusesWhatIsNotSigned(t *testing.T, p *program, shop *shop) {
	t.Helper()
	e := shop.events()[0]
	p.wantAnswer(t, 204, e.signed(t, shop.secret, time.Now()))
	p.wantAnswer(t, 400, e.signed(t, webhook.NewSecret([32]byte{1}), time.Now()))
	p.wantAnswer(t, 400, e.signed(t, shop.secret, time.Now().Add(-time.Hour)))
	changed := e.signed(t, shop.secret, time.Now())
	changed.body = bytes.Replace(changed.body, []byte("499"), []byte("498"), 1)
	p.wantAnswer(t, 400, changed)
	p.wantAnswer(t, 400, request{http.Header{}, e.body})
}

// TestTheReceiversAgree: they ask their databases the same.
func TestTheReceiversAgree(t *testing.T) {
	all := examples(t)
	for _, statement := range []string{
		"INSERT INTO inbox (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		"SELECT id, body FROM inbox WHERE done = 0 ORDER BY id LIMIT 1",
		"INSERT INTO purchases (session_id, sequence, status) VALUES ($1, $2, $3) ON CONFLICT (session_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status WHERE excluded.sequence > purchases.sequence",
		"UPDATE purchases SET granted = 1 WHERE session_id = $1 AND granted = 0",
		"UPDATE inbox SET done = 1 WHERE id = $1",
	} {
		for _, name := range []string{"go", "typescript", "python"} {
			code := strings.Join(strings.Fields(all[name]), " ")
			if name == "python" {
				statement = regexp.MustCompile(`\$\d`).ReplaceAllString(statement, "?")
			}
			if !strings.Contains(code, statement) {
				t.Errorf("%s does not ask: %s", name, statement)
			}
		}
	}
}

// request is a webhook as it comes.
type request struct {
	header http.Header
	body   []byte
}

// signed is the same event, sent at another time or by somebody else.
func (r request) signed(t *testing.T, secret string, at time.Time) request {
	t.Helper()
	header, err := webhook.Sign(webhook.Message{ID: pay.EventID(r.header.Get("webhook-id")), Body: r.body, At: at, Attempt: 2}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return request{header, r.body}
}

// send posts a webhook and returns the status of the answer.
func (r request) send(url string) (int, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(r.body))
	if err != nil {
		return 0, err
	}
	req.Header = r.header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
