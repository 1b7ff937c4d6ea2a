package openapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
)

// StatusOf is the HTTP status of a documented code. Package rpc has the table of
// errors, and a test that this says the same of each.
func StatusOf(code string) int {
	switch pay.Code(code) {
	case pay.Unauthorized:
		return http.StatusUnauthorized
	case pay.Forbidden:
		return http.StatusForbidden
	case pay.IdempotencyConflict:
		return http.StatusConflict
	case pay.RateLimited:
		return http.StatusTooManyRequests
	case pay.Internal:
		return http.StatusInternalServerError
	case pay.Unavailable:
		return http.StatusServiceUnavailable
	}
	if strings.HasSuffix(code, "_not_found") {
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}

// A general is an answer that many methods can give, for reasons that are not their own.
type general struct {
	status      int
	name        string // of the response among the components
	codes       []pay.Code
	description string
	headers     []string
	changes     bool // only methods that change something give it
	keyed       bool // only methods that take an idempotency key give it
	posts       bool // only requests with a body get it
}

var generals = []general{
	{
		status: http.StatusUnauthorized, name: "Unauthorized", codes: []pay.Code{pay.Unauthorized},
		description: "The API key is missing or not valid.",
	},
	{
		status: http.StatusForbidden, name: "Forbidden", codes: []pay.Code{pay.Forbidden}, changes: true,
		description: "The API key may only read.",
	},
	{
		status: http.StatusConflict, name: "Conflict", codes: []pay.Code{pay.IdempotencyConflict}, keyed: true,
		description: "The `Idempotency-Key` came with another request before.",
	},
	{
		status: http.StatusUnsupportedMediaType, name: "UnsupportedMediaType", codes: []pay.Code{pay.InvalidRequest}, posts: true,
		description: "The body is said to be something else than JSON.",
	},
	{
		status: http.StatusTooManyRequests, name: "TooManyRequests", codes: []pay.Code{pay.RateLimited, pay.InvalidRequest},
		headers: []string{retryAfter},
		description: "The API key makes more calls than its rate allows: wait as `Retry-After` says. Or the request is larger than 8 MiB, " +
			"which waiting does not help.",
	},
	{
		status: http.StatusInternalServerError, name: "Internal", codes: []pay.Code{pay.Internal},
		description: "The server has failed; the message has a reference that its log has too.",
	},
	{
		status: http.StatusServiceUnavailable, name: "Unavailable", codes: []pay.Code{pay.Unavailable}, headers: []string{retryAfter},
		description: "What happened is not known: ask again with the same `Idempotency-Key`.",
	},
}

// Codes that methods give beside those of their comments.
var (
	always = []pay.Code{pay.InvalidRequest}
	keyed  = []pay.Code{pay.InvalidIdempotencyKey}
)

func (g general) of(m method) bool {
	return (m.changes || !g.changes) && (m.keyed || !g.keyed) && (m.verb == http.MethodPost || !g.posts)
}

// refusals adds the answers of a method that are errors: those of its own codes, then
// the general ones.
func (g *generator) refusals(op *Operation, m method, codes []string) error {
	for _, c := range always {
		codes = append(codes, string(c))
	}
	if m.keyed {
		for _, c := range keyed {
			codes = append(codes, string(c))
		}
	}
	byStatus := map[int][]string{}
	for _, c := range codes {
		if s := StatusOf(c); !slices.Contains(byStatus[s], c) {
			byStatus[s] = append(byStatus[s], c)
		}
	}
	for _, general := range generals {
		delete(byStatus, general.status) // the same for all
		if general.of(m) {
			op.Responses.Set(strconv.Itoa(general.status), &Response{Ref: "#/components/responses/" + general.name})
		}
	}
	for status, codes := range byStatus {
		said := "The request is refused"
		if status == http.StatusNotFound {
			said = "There is no such thing that this key may see"
		}
		r := refusal(said+": "+list(codes)+".", codes)
		var err error
		if r.Content.Get(mediaType).Examples, err = g.answerExamples(&m, status); err != nil {
			return err
		}
		op.Responses.Set(strconv.Itoa(status), r)
	}
	op.Responses.Sort()
	return nil
}

func refusal(description string, codes []string) *Response {
	r := &Response{Description: description, Codes: codes}
	r.headers(cacheControl, requestID)
	r.Content.Set(mediaType, &MediaType{Schema: &Schema{Ref: "#/components/schemas/" + errorAnswer}})
	return r
}

// generalResponses are the general answers, each with an example from whatever method.
func (g *generator) generalResponses() (all Map[*Response], err error) {
	for _, general := range generals {
		r := refusal(general.description, words(general.codes))
		if r.Content.Get(mediaType).Examples, err = g.answerExamples(nil, general.status); err != nil {
			return all, err
		}
		r.headers(general.headers...)
		all.Set(general.name, r)
	}
	return all, nil
}

// list is codes as prose.
func list(codes []string) string {
	quoted := make([]string, len(codes))
	for i, c := range codes {
		quoted[i] = fmt.Sprintf("`%s`", c)
	}
	return strings.Join(quoted, ", ")
}
