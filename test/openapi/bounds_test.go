package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// A bound is a field or parameter of a request with values that it can just about
// have, and values that it cannot have any more.
type bound struct {
	field     string // in a body: where it is, "item.title"
	good, bad []any
}

var text = strings.Repeat

var inOrders = []bound{
	{"game_id", []any{"space_shooter"}, []any{nil, 5}},
	{"user_id", []any{"p", text("é", 255)}, []any{nil, "", text("é", 256)}},
	{"item", nil, []any{nil, "coins"}},
	{"item.title", []any{"C", text("é", 200)}, []any{nil, "", text("é", 201)}},
	{"item.price", []any{1, 1<<31 - 1}, []any{nil, 0, -1, 4.99, 1 << 31, "much"}},
	{"item.currency", []any{"USD"}, []any{nil, "", "usd", "US", "USDT"}},
	{"item.country", []any{"DE"}, []any{"de", "D", "DEU"}},
	{"item.image", []any{"https://example.com/coin.png"}, []any{5}},
	{"return_url", []any{"m://p", "m://" + text("p", 2044)}, []any{nil, "", "m://" + text("p", 2045)}},
	{"cancel_url", []any{"m://" + text("p", 2044)}, []any{"m://" + text("p", 2045)}},
	{"wallet_enabled", []any{true, false}, []any{"yes", 1}},
	{"metadata", []any{map[string]any{}}, []any{"level 12"}},
	{"metadata.offer_id", []any{"", text("é", 500)}, []any{text("é", 501)}},
	{"metadata.values", []any{pairs(50, 1, 1), pairs(1, 40, 500)}, []any{pairs(51, 1, 1), pairs(1, 41, 1), pairs(1, 1, 501), pairs(1, 0, 1), map[string]any{"level": 12}}},
	{"expires_in", []any{"60s", "90.25s", "2592000s"}, []any{"60", "1m", "-60s", "soon"}},
	{"order_id", []any{"", text("é", 200)}, []any{text("é", 201)}},
	{"locale", []any{"de", "en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaa"}, []any{"en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaa"}},
	{"colour", []any{"red"}, nil}, // which nobody knows
}

var inRefunds = []bound{
	{"payment_id", nil, []any{nil, 5}},
	{"amount", []any{1}, []any{0, -1, 0.5}},
	{"reason", []any{"", text("é", 500)}, []any{text("é", 501), 5}},
}

var inQueries = map[string][]bound{
	"/v1/sessions": {
		{"game_id", []any{"space_shooter"}, []any{nil}},
		{"user_id", []any{"player_42"}, nil},
		{"status", []any{"pending", "paid", "failed", "cancelled", "expired"}, []any{"done"}},
		{"limit", []any{1, 250}, []any{0, 251, "many"}},
		{"offset", []any{0, 1 << 30}, []any{-1, "some"}},
		{"cursor", nil, nil},
		{"order_id", []any{"1001"}, nil},
	},
	"/v1/payments": {
		{"game_id", []any{"space_shooter"}, []any{nil}},
		{"user_id", []any{"player_42"}, nil},
		{"limit", []any{1, 250}, []any{0, 251}},
		{"offset", []any{0}, []any{-1}},
		{"cursor", nil, nil},
		{"with_extra_data", []any{true, false}, []any{"maybe"}},
	},
	"/v1/refunds": {
		{"game_id", []any{"space_shooter"}, nil},
		{"payment_id", nil, nil},
		{"status", []any{"pending", "succeeded", "failed", "cancelled"}, []any{"done"}},
		{"limit", []any{1, 250}, []any{0, 251}},
		{"offset", []any{0}, []any{-1}},
		{"cursor", nil, nil},
	},
	"/v1/events": {
		{"game_id", []any{"space_shooter"}, nil},
		{"session_id", nil, nil},
		{"types", []any{"session.created", "payment.failed", "refund.cancelled"}, []any{"session.done"}},
		{"limit", []any{1, 250}, []any{0, 251}},
		{"cursor", nil, nil},
		{"consumer", []any{"c", text("c", 100), "A.b_c:d-9"}, []any{text("c", 101), "two words", "é"}},
	},
}

var inAcknowledgements = []bound{
	{"consumer", []any{"a", text("a", 100)}, []any{nil, "", text("a", 101), "two words", 5}},
	{"cursor", nil, []any{nil, 5}},
}

var inHeaders = bound{"Idempotency-Key", []any{"k", text("k", 255), "two words"}, []any{text("k", 256), "schlüssel"}}

// pairs makes metadata: so many, with keys and values so long.
func pairs(n, key, value int) map[string]any {
	all := map[string]any{}
	for i := range n {
		name := text("k", key)
		if n > 1 {
			name = fmt.Sprint(i)
		}
		all[name] = text("é", value)
	}
	return all
}

const order = `{"game_id":"space_shooter","user_id":"player_42","item":{"title":"50 Gold Coins","price":499,"currency":"USD"},"return_url":"mygame://payment-complete"}`

// The document and the server must draw the line at the same place.
func TestTheServerKeepsTheDocumentedBounds(t *testing.T) {
	i := coinslottest.Start(t)
	c := call(t, i, i.Listen(t))
	tryAll(t, "an order's", inOrders, func(t *testing.T, b bound, value any, good bool) {
		c.try(t, c.post("/v1/sessions", with(t, order, b.field, value)), good)
	})
	refund := fmt.Sprintf(`{"payment_id":%q,"amount":1}`, c.paid(t))
	tryAll(t, "a refund's", inRefunds, func(t *testing.T, b bound, value any, good bool) {
		c.try(t, c.post("/v1/refunds", with(t, refund, b.field, value)), good)
	})
	acknowledgement := fmt.Sprintf(`{"consumer":"grants","cursor":%q}`, c.cursor(t))
	tryAll(t, "an acknowledgement's", inAcknowledgements, func(t *testing.T, b bound, value any, good bool) {
		c.try(t, c.post("/v1/events/acknowledge", with(t, acknowledgement, b.field, value)), good)
	})
	for path, bounds := range inQueries {
		tryAll(t, path, bounds, func(t *testing.T, b bound, value any, good bool) {
			query := url.Values{"game_id": {"space_shooter"}}
			if query.Del(b.field); value != nil {
				query.Set(b.field, fmt.Sprint(value))
			}
			c.try(t, sent{http.MethodGet, path + "?" + query.Encode(), c.header(), nil}, good)
		})
	}
	tryAll(t, "the header", []bound{inHeaders}, func(t *testing.T, b bound, value any, good bool) {
		s := c.post("/v1/sessions", []byte(order))
		s.header.Set(b.field, value.(string))
		c.try(t, s, good)
	})
}

func TestABodyCanBeLeftOutWhereThePathSaysAll(t *testing.T) {
	i := coinslottest.Start(t)
	c := call(t, i, i.Listen(t))
	payment := c.paid(t)
	c.try(t, sent{http.MethodPost, "/v1/payments/" + payment + "/complete", c.header(), nil}, true)
	c.try(t, c.post("/v1/payments/"+payment+"/complete", []byte("{}")), true)
	c.try(t, sent{http.MethodPost, "/v1/sessions", c.header(), nil}, false)
}

func tryAll(t *testing.T, where string, bounds []bound, try func(t *testing.T, b bound, value any, good bool)) {
	for _, b := range bounds {
		for _, value := range b.good {
			t.Run(fmt.Sprintf("%s %s can be %.20s", where, b.field, fmt.Sprint(value)), func(t *testing.T) { try(t, b, value, true) })
		}
		for _, value := range b.bad {
			t.Run(fmt.Sprintf("%s %s cannot be %.20s", where, b.field, fmt.Sprint(value)), func(t *testing.T) { try(t, b, value, false) })
		}
	}
}

func (c caller) header() http.Header { return http.Header{"Authorization": {"Bearer " + c.key}} }

func (c caller) post(path string, body []byte) sent {
	h := c.header()
	h.Set("Content-Type", "application/json")
	return sent{http.MethodPost, path, h, body}
}

// try asks the document and the server whether a request can be.
func (c caller) try(t *testing.T, s sent, good bool) {
	t.Helper()
	r := httptest.NewRequest(s.verb, s.target, bytes.NewReader(s.body))
	r.Header = s.header.Clone()
	in, known := c.d.knows(r)
	if !known {
		t.Fatalf("%s %s is not documented", s.verb, s.target)
	}
	if err := checkRequest(in); (err == nil) != good {
		t.Errorf("the document says %v", err)
	}
	if good {
		c.ask(t, s, http.StatusOK)
	} else {
		c.ask(t, s, http.StatusBadRequest)
	}
}

// with is a body with another value for a field; nil takes the field away.
func with(t *testing.T, body, field string, value any) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(body), &whole); err != nil {
		t.Fatal(err)
	}
	at := whole
	for above, below, ok := strings.Cut(field, "."); ok; above, below, ok = strings.Cut(field, ".") {
		if at[above] == nil {
			at[above] = map[string]any{}
		}
		at, field = at[above].(map[string]any), below
	}
	if at[field] = value; value == nil {
		delete(at, field)
	}
	out, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// paid is the id of a payment that succeeded.
func (c caller) paid(t *testing.T) string {
	t.Helper()
	var session struct{ ID string }
	_, made := coinslottest.Ask(t, c.key, http.MethodPost, c.url+"/v1/sessions", order)
	if err := json.Unmarshal([]byte(made), &session); err != nil {
		t.Fatal(err)
	}
	var paid struct{ Payment struct{ ID string } }
	_, answer := coinslottest.Ask(t, coinslottest.AdminToken, http.MethodPost, c.url+"/admin.v1.AdminService/SandboxPay",
		fmt.Sprintf(`{"session_id":%q,"card":"4242424242424242"}`, session.ID))
	if err := json.Unmarshal([]byte(answer), &paid); err != nil || paid.Payment.ID == "" {
		t.Fatalf("%v: %s", err, answer)
	}
	return paid.Payment.ID
}

// cursor is where the feed of events goes on.
func (c caller) cursor(t *testing.T) string {
	t.Helper()
	res, _ := coinslottest.Ask(t, c.key, http.MethodGet, c.url+"/v1/events", "")
	return res.Header.Get("X-Next-Cursor")
}

func TestEveryFieldOfARequestIsTried(t *testing.T) {
	d := read(t)
	tried := map[string]bool{}
	note := func(where string, bounds ...bound) {
		for _, b := range bounds {
			tried[where+" "+b.field] = true
		}
	}
	note("POST /v1/sessions", append(inOrders, inHeaders)...)
	note("POST /v1/refunds", append(inRefunds, inHeaders)...)
	note("POST /v1/events/acknowledge", inAcknowledgements...)
	for path, bounds := range inQueries {
		note("GET "+path, bounds...)
	}
	d.operations(func(verb, path string, op *openapi3.Operation) {
		if strings.Contains(path, "{") {
			return // what is in a path has no bounds
		}
		var fields []string
		for _, p := range op.Parameters {
			fields = append(fields, p.Value.Name)
		}
		if op.RequestBody != nil {
			fields = append(fields, fieldsOf("", op.RequestBody.Value.Content["application/json"].Schema)...)
		}
		for _, field := range fields {
			if what := verb + " " + path + " " + field; !tried[what] {
				t.Errorf("%s is not tried", what)
			}
		}
	})
}

func fieldsOf(above string, schema *openapi3.SchemaRef) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(schema.Value.Properties)) {
		all = append(all, above+name)
		all = append(all, fieldsOf(above+name+".", schema.Value.Properties[name])...)
	}
	return all
}
