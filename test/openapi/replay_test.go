package openapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/coinslot/coinslot/internal/openapi"
)

func transcripts(t *testing.T) []openapi.Exchange {
	t.Helper()
	all, err := openapi.ReadTranscripts("../transcripts/testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d exchanges", len(all))
	}
	return all
}

// request is the request of an exchange as it was sent.
func request(x openapi.Exchange) *http.Request {
	target := x.Path
	if x.Query != "" {
		target += "?" + x.Query
	}
	r := httptest.NewRequest(x.Verb, target, strings.NewReader(x.Body))
	r.Header.Set("Content-Type", "application/json")
	if x.Key != "nobody" {
		r.Header.Set("Authorization", "Bearer sk_sandbox_of_a_transcript")
	}
	if x.IdempotencyKey != "" {
		r.Header.Set("Idempotency-Key", x.IdempotencyKey)
	}
	return r
}

// replay holds an exchange against the document: what was taken must be a documented
// request, and what was answered a documented answer.
func replay(d document, x openapi.Exchange) error {
	in, known := d.knows(request(x))
	if !known {
		if x.Status != http.StatusNotFound && x.Status != http.StatusMethodNotAllowed {
			return fmt.Errorf("%s %s answers %d, but is not documented", x.Verb, x.Path, x.Status)
		}
		return nil
	}
	if err := checkRequest(in); err != nil && x.Status < http.StatusBadRequest {
		return fmt.Errorf("it was taken, but is no documented request: %w", err)
	}
	header := x.Header.Clone()
	header.Set("Content-Type", "application/json") // as transcripts leave out
	header.Set("X-Request-Id", "0123456789abcdef")
	return checkAnswer(in, x.Status, header, []byte(x.Answer))
}

func TestTranscriptsAreAsDocumented(t *testing.T) {
	d := read(t)
	for _, x := range transcripts(t) {
		if err := replay(d, x); err != nil {
			t.Errorf("%s: %s %s: %v", x.Position, x.Verb, x.Path, err)
		}
	}
}

// askedLive are the statuses that live_test.go has every method answer: what makes them
// is the same for all, and mostly nothing that a transcript can say.
var askedLive = []string{"401", "403", "415", "429", "500", "503"}

func TestEveryDocumentedAnswerIsInATranscript(t *testing.T) {
	d := read(t)
	seen := map[string]bool{}
	for _, x := range transcripts(t) {
		if in, known := d.knows(request(x)); known {
			seen[fmt.Sprintf("%s %s %d", x.Verb, in.Route.Path, x.Status)] = true
		}
	}
	for _, status := range askedLive {
		d.operations(func(verb, path string, _ *openapi3.Operation) { seen[verb+" "+path+" "+status] = true })
	}
	d.operations(func(verb, path string, op *openapi3.Operation) {
		for status := range op.Responses.Map() {
			if what := verb + " " + path + " " + status; !seen[what] {
				t.Errorf("no transcript shows %s", what)
			}
		}
	})
}

// TestTheReplayRefuses changes an exchange that is as documented in ways that are not.
func TestTheReplayRefuses(t *testing.T) {
	d := read(t)
	order := find(t, "An order.")
	page := find(t, "The newest session.")
	refused := find(t, "A price that cannot be.")
	for _, tt := range []struct {
		name string
		of   openapi.Exchange
		edit func(*openapi.Exchange)
	}{
		{"a path that is not documented", order, func(x *openapi.Exchange) { x.Path = "/v1/orders" }},
		{"a method that is not documented", order, func(x *openapi.Exchange) { x.Verb = "PUT" }},
		{"a request without a key", order, func(x *openapi.Exchange) { x.Key = "nobody" }},
		{"a request without a required field", order, replaceBody(`"user_id"`, `"user"`)},
		{"a request with a field of another type", order, replaceBody(`499`, `"499"`)},
		{"a request that breaks a bound", order, replaceBody(`499`, `0`)},
		{"a request without a required parameter", page, func(x *openapi.Exchange) { x.Query = "limit=1" }},
		{"a request with a parameter out of bounds", page, func(x *openapi.Exchange) { x.Query = "game_id=space_shooter&limit=251" }},
		{"an idempotency key that is none", order, func(x *openapi.Exchange) { x.IdempotencyKey = " " }},
		{"a status that is not documented", order, func(x *openapi.Exchange) { x.Status = 201 }},
		{"an answer with a field that is not documented", order, replaceAnswer(`"status"`, `"colour": "red", "status"`)},
		{"the same within", order, replaceAnswer(`"exponent"`, `"colour": "red", "exponent"`)},
		{"an answer without a field", order, replaceAnswer(`"game_id"`, `"gameId"`)},
		{"an answer with a field of another type", order, replaceAnswer(`499`, `"499"`)},
		{"an answer with a status that there is not", order, replaceAnswer(`"pending"`, `"done"`)},
		{"an answer with a time that is none", order, replaceAnswer(`2000-01-01T00:00:00Z`, `yesterday`)},
		{"an answer with null", order, replaceAnswer(`"created_at"`, `"paid_at": null, "created_at"`)},
		{"an answer that is not documented as that", order, func(x *openapi.Exchange) { x.Answer = page.Answer }},
		{"a list without its total", page, func(x *openapi.Exchange) { x.Header = http.Header{} }},
		{"a link that is none", page, func(x *openapi.Exchange) { x.Header = http.Header{"X-Total-Count": {"2"}, "Link": {"/v1/sessions"}} }},
		{"a header that is not documented", page, func(x *openapi.Exchange) { x.Header = http.Header{"X-Total-Count": {"2"}, "X-Colour": {"red"}} }},
		{"a code that is not documented", refused, replaceAnswer("invalid_price", "invalid_colour")},
		{"a code that is another method's", refused, replaceAnswer("invalid_price", "payment_in_progress")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := replay(d, tt.of); err != nil {
				t.Fatal(err)
			}
			tt.edit(&tt.of)
			if err := replay(d, tt.of); err == nil {
				t.Error("it passes for documented")
			}
		})
	}
}

// find is the exchange below a comment.
func find(t *testing.T, comment string) openapi.Exchange {
	t.Helper()
	for _, x := range transcripts(t) {
		if x.Comment == comment {
			return x
		}
	}
	t.Fatalf("no exchange is below %q", comment)
	return openapi.Exchange{}
}

func replaceBody(old, with string) func(*openapi.Exchange) {
	return func(x *openapi.Exchange) { x.Body = strings.Replace(x.Body, old, with, 1) }
}

func replaceAnswer(old, with string) func(*openapi.Exchange) {
	return func(x *openapi.Exchange) { x.Answer = strings.Replace(x.Answer, old, with, 1) }
}
