package rest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// desk is an installation that is called by its REST paths.
type desk struct{ url, key string }

func openDesk(t *testing.T) desk {
	t.Helper()
	i := coinslottest.Start(t)
	return desk{i.Listen(t), i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})}
}

func (d desk) send(t *testing.T, verb, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	return coinslottest.Ask(t, d.key, verb, d.url+path, body, headers...)
}

const order = `{"game_id":"arcade","user_id":"p","item":{"title":"Coin","price":100,"currency":"USD"},"return_url":"arcade://done"}`

// create makes a session, whose fields are the answer itself.
func (d desk) create(t *testing.T, headers ...string) (id string, res *http.Response) {
	t.Helper()
	res, body := d.send(t, http.MethodPost, "/v1/sessions", order, headers...)
	var made struct{ ID, Status string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || res.StatusCode != http.StatusOK || made.Status != "pending" {
		t.Fatalf("%s: %s", res.Status, body)
	}
	return made.ID, res
}

func TestAnErrorIsACodeAndAMessageAndNothingElse(t *testing.T) {
	d := openDesk(t)
	for _, tt := range []struct {
		name, verb, path, body string
		status                 int
		code, message          string
	}{
		{"of ours", "GET", "/v1/sessions/sess_1", "", 404, "session_not_found", `there is no session "sess_1"`},
		{"of a field", "POST", "/v1/sessions", strings.Replace(order, "100", "-5", 1), 400, "invalid_price", "item.price must be a positive integer in minor units, got -5"},
		{"of the method", "DELETE", "/v1/sessions", "", 405, "invalid_request", "DELETE /v1/sessions: Method Not Allowed"},
		{"of the path", "GET", "/v1/nothing", "", 404, "not_found", "GET /v1/nothing: Not Found"},
		{"of the query", "GET", "/v1/sessions?game_id=arcade&user_id=%FF", "", 400, "invalid_request", "string field contains invalid UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := d.send(t, tt.verb, tt.path, tt.body)
			var got map[string]map[string]string
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if diff := cmp.Diff(map[string]map[string]string{"error": {"code": tt.code, "message": tt.message}}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if res.StatusCode != tt.status || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s of %q", res.Status, res.Header.Get("Content-Type"))
			}
		})
	}
}

func TestAListIsBareAndItsPagesAreLinked(t *testing.T) {
	d := openDesk(t)
	var want []string
	for range 5 {
		id, _ := d.create(t)
		want = append(want, id)
	}
	slices.Sort(want) // which is by creation, as far as a millisecond tells
	slices.Reverse(want)
	var got []string
	path := "/v1/sessions?game_id=arcade&limit=2&user_id=p"
	for pages := 1; path != ""; pages++ {
		res, body := d.send(t, http.MethodGet, path, "")
		var page []struct{ ID string }
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatalf("%s: %s", res.Status, body)
		}
		for _, s := range page {
			got = append(got, s.ID)
		}
		if n := res.Header.Get("X-Total-Count"); n != "5" {
			t.Errorf("the total is %q", n)
		}
		if res.Header.Get("X-Next-Cursor") != "" {
			t.Error("the cursor is told twice")
		}
		path = next(t, res.Header.Get("Link"))
		if pages > 3 {
			t.Fatal("the pages do not end")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// next is the target of a Link header; empty where there is none.
func next(t *testing.T, link string) string {
	t.Helper()
	if link == "" {
		return ""
	}
	target, ok := strings.CutSuffix(link, `>; rel="next"`)
	if !ok || !strings.HasPrefix(target, "</v1/sessions?") {
		t.Errorf("the link is %s", link)
	}
	return strings.TrimPrefix(target, "<")
}

func TestAnIdempotencyKeyCountsHereToo(t *testing.T) {
	d := openDesk(t)
	first, res := d.create(t, "Idempotency-Key", "once")
	if res.Header.Get("Idempotent-Replayed") != "" {
		t.Error("the first answer says that it is a repeated one")
	}
	again, res := d.create(t, "Idempotency-Key", "once")
	if again != first || res.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the repeat made %s after %s", again, first)
	}
}
