package openapi

import (
	"strconv"
	"strings"
)

// Names that occur more than once.
const (
	idempotencyKey = "Idempotency-Key"
	errorAnswer    = "ErrorAnswer"
	mediaType      = "application/json"
	totalCount     = "X-Total-Count"
	nextCursor     = "X-Next-Cursor"
	link           = "Link"
	replayed       = "Idempotent-Replayed"
	retryAfter     = "Retry-After"
	requestID      = "X-Request-Id"
	cacheControl   = "Cache-Control"
)

const overview = `Coinslot is the payment-session server for games that a studio runs itself. A game server asks for a payment session, the
player pays on a hosted page, the game server learns of it once, surely, and grants the item.

These are the REST paths. The same methods are answered as JSON, Connect, gRPC and gRPC-Web under ` + "`/pay.v1.…Service/…`" + `; the
contract of both is in ` + "`proto/pay/v1`" + `.

- Amounts are in the currency's minor unit: 499 is $4.99 in USD and ¥499 in JPY.
- Names are written in snake_case. Unknown fields of a request are ignored, and answers can have fields in future that this document does not know.
- Fields that are not set are left out of answers; nothing is ever ` + "`null`" + `. Times are RFC 3339 in UTC.
- A list is a bare array, at most 250 rows long; how many there are and where to go on is in its headers.
- A refusal is ` + "`{\"error\": {\"code\": \"…\", \"message\": \"…\"}}`" + `: programs go by the code, people by the message.`

// frame is all of the document that no method brings along.
func frame() *Document {
	d := &Document{
		OpenAPI: "3.1.0",
		Info: Info{
			Title: "Coinslot", Version: "v1", Summary: "Payment sessions for games.",
			Description: unwrap(overview),
			Contact:     Contact{"Coinslot", "https://github.com/coinslot/coinslot"},
			License:     License{"Apache-2.0", "Apache-2.0"},
		},
		Servers:  []Server{{"/", "The installation that serves this document."}},
		Security: []map[string][]string{{"apiKey": {}}},
	}
	c := &d.Components
	c.SecuritySchemes.Set("apiKey", &SecurityScheme{
		Type: "http", Scheme: "bearer", BearerFormat: "sk_sandbox_… or sk_production_…",
		Description: "`Authorization: Bearer sk_sandbox_…` or `sk_production_…`. A key belongs to one environment, covers one game or all, " +
			"and may be limited to reading. Keep it on the game server: whoever has it can sell.",
	})
	shortest, longest := 1, mostIdempotencyKey
	c.Parameters.Set(idempotencyKey, &Parameter{
		Name: idempotencyKey, In: "header",
		Description: "1 to " + strconv.Itoa(longest) + " printable ASCII characters that name this change: sent again with the same request, it gets the " +
			"first answer again for at least 24 hours, and with another one `idempotency_conflict`.",
		Schema: &Schema{Type: "string", MinLength: &shortest, MaxLength: &longest, Pattern: `^[!-~]([ -~]*[!-~])?$`, Examples: []string{"order-1001"}},
	})
	c.Headers.Set(requestID, &Header{
		Description: "Names this request in the server's log.", Required: true, Schema: &Schema{Type: "string"},
	})
	c.Headers.Set(cacheControl, &Header{
		Description: "Of reads: whether the answer may be kept. An event may, since it never changes; nothing else.",
		Schema:      &Schema{Type: "string", Enum: []string{"no-store", "private, max-age=31536000, immutable"}},
	})
	c.Headers.Set(replayed, &Header{
		Description: "`true` when this is the answer that an earlier request with the same `Idempotency-Key` got.",
		Schema:      &Schema{Type: "string", Enum: []string{"true"}},
	})
	c.Headers.Set(retryAfter, &Header{
		Description: "Seconds to wait before asking again; absent where waiting does not help.",
		Schema:      &Schema{Type: "string", Pattern: `^[0-9]+$`},
	})
	zero := int64(0)
	c.Headers.Set(totalCount, &Header{
		Description: "How many rows match in all, exactly.", Required: true, Schema: &Schema{Type: "integer", Format: "int32", Minimum: &zero},
	})
	c.Headers.Set(link, &Header{
		Description: "Where more rows follow: `<address of the next page>; rel=\"next\"` (RFC 8288). Absent on the last page.",
		Schema:      &Schema{Type: "string", Pattern: `^<[^>]+>; rel="next"$`},
	})
	c.Headers.Set(nextCursor, &Header{
		Description: "What to send as `cursor` next time, on the last page too: rows that are written from now on come after it.",
		Required:    true, Schema: &Schema{Type: "string"},
	})
	return d
}

// headers adds headers of answers that are described once for all.
func (r *Response) headers(names ...string) {
	for _, name := range names {
		r.Headers.Set(name, &Header{Ref: "#/components/headers/" + name})
	}
}

// unwrap joins the lines of a paragraph, but leaves those of a list apart.
func unwrap(text string) string {
	text = strings.ReplaceAll(text, "\n\n", "\x00\x00")
	text = strings.ReplaceAll(text, "\n- ", "\x00- ")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "\x00", "\n")
}
