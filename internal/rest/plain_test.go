package rest_test

import (
	"net/http"
	"strings"
	"testing"
)

// What a request says twice could be read either way: by us and by whoever stands before us.
func TestARequestThatSaysAThingTwiceIsRefused(t *testing.T) {
	d := openDesk(t)
	for _, tt := range []struct{ verb, target, body, says string }{
		{"POST", "/v1/sessions?item.price=1", order, "the query must be empty"},
		{"POST", "/v1/sessions?user_id=evil", order, "the query must be empty"},
		{"POST", "/v1/sessions/sess_1/cancel?id=sess_2", "{}", "the query must be empty"},
		{"POST", "/v1/payments/pay_1/complete?id=pay_2", "{}", "the query must be empty"},
		{"POST", "/v1/refunds?amount=7", `{"payment_id":"pay_1","amount":5}`, "the query must be empty"},
		{"GET", "/v1/sessions/sess_1?id=sess_2", "", "id stands in the path"},
		{"GET", "/v1/sessions?game_id=arcade&gameId=chess", "", "game_id must be given once"},
		{"GET", "/v1/sessions?game_id=arcade&game_id=chess", "", "game_id must be given once"},
		{"GET", "/v1/sessions/sess_1%2Fstatus", "", "encoded slash"},
		{"POST", "/v1/payments/pay_1%2fcancel", "{}", "encoded slash"},
	} {
		t.Run(tt.verb+" "+tt.target, func(t *testing.T) {
			res, body := d.send(t, tt.verb, tt.target, tt.body)
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `"invalid_request"`) || !strings.Contains(body, tt.says) {
				t.Errorf("got %s %s, want it to say %q", res.Status, body, tt.says)
			}
		})
	}
	if res, body := d.send(t, "GET", "/v1/events?types=session.paid&types=session.created", ""); res.StatusCode != http.StatusOK {
		t.Errorf("a list may be given many times: %s %s", res.Status, body)
	}
}

func TestJSONIsKnownHoweverItIsWritten(t *testing.T) {
	d := openDesk(t)
	for _, header := range []string{"application/json", "application/json;charset=utf-8", "application/json; charset=UTF-8", `application/json; charset="utf-8"`, "APPLICATION/JSON"} {
		if res, body := d.send(t, "POST", "/v1/sessions", order, "Content-Type", header); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", header, res.Status, body)
		}
	}
	for _, header := range []string{"text/plain", "application/json; charset=latin1"} {
		if res, body := d.send(t, "POST", "/v1/sessions", order, "Content-Type", header); res.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %s %s", header, res.Status, body)
		}
	}
}
