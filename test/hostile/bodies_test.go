package hostile

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// with is the good order with some of it replaced: old and new in turn.
func with(changes ...string) string { return strings.NewReplacer(changes...).Replace(goodOrder) }

// badJSON are bodies that are no order, and the code that says why.
var badJSON = []struct{ name, body, code string }{
	{"half of it", goodOrder[:len(goodOrder)/2], "invalid_request"},
	{"two of it", goodOrder + goodOrder, "invalid_request"},
	{"a list", "[" + goodOrder + "]", "invalid_request"},
	{"a text", `"arcade"`, "invalid_request"},
	{"a number", `1`, "invalid_request"},
	{"null", `null`, "invalid_request"},
	{"XML", `<order game="arcade"/>`, "invalid_request"},
	{"a form", `game_id=arcade&user_id=p`, "invalid_request"},
	{"a comment", "// order\n" + goodOrder, "invalid_request"},
	{"a trailing comma", with(`done"}`, `done",}`), "invalid_request"},
	{"single quotes", strings.ReplaceAll(goodOrder, `"`, `'`), "invalid_request"},
	{"UTF-16", "\xff\xfe{\x00}\x00", "invalid_request"},
	{"a byte order mark", "\ufeff" + goodOrder, "invalid_request"},
	{"only NUL", "\x00\x00\x00\x00", "invalid_request"},
	{"a NUL outside of texts", with(`,"user_id"`, ",\x00\"user_id\""), "invalid_request"},
	{"invalid UTF-8", with("Coin", "\xff\xfe"), "invalid_request"},
	{"half a surrogate", with("Coin", `\ud800`), "invalid_request"},
	{"overlong UTF-8", with("Coin", "\xc0\xaf"), "invalid_request"},
	{"a field twice", with(`"user_id"`, `"userId":"q","user_id"`), "invalid_request"},
	{"a number for a text", with(`"p"`, `42`), "invalid_request"},
	{"a list for a text", with(`"p"`, `["p"]`), "invalid_request"},
	{"a text for an item", with(`{"title":"Coin","price":100,"currency":"USD"}`, `"Coin"`), "invalid_request"},
	{"a price in words", with("100", `"many"`), "invalid_request"},
	{"a broken price", with("100", "4.99"), "invalid_request"},
	{"a price beyond 32 bits", with("100", "2147483648"), "invalid_request"},
	{"a price beyond all bounds", with("100", "1e999999999"), "invalid_request"},
	{"a price that is not a number", with("100", "NaN"), "invalid_request"},
	{"true for a price", with("100", "true"), "invalid_request"},
	{"a price of null", with("100", "null"), "invalid_price"},
	{"a NUL in the user", with(`"p"`, `"p\u0000"`), "invalid_user_id"},
	{"a NUL in the title", with("Coin", `Co\u0000in`), "invalid_title"},
	{"a NUL in the game", with("arcade\"", `arcade\u0000"`), "invalid_game_id"},
	{"a NUL in the return URL", with("done", `do\u0000ne`), "invalid_return_url"},
	{"a NUL in the metadata", with(`"user_id"`, `"metadata":{"values":{"a\u0000":"b"}},"user_id"`), "invalid_metadata"},
	{"a NUL in the order's id", with(`"user_id"`, `"order_id":"\u0000","user_id"`), "invalid_request"},
	{"a line break in the scheme", with("arcade://", `java\nscript://`), "invalid_return_url"},
	{"a title of a megabyte", with("Coin", strings.Repeat("x", 1<<20)), "invalid_title"},
	{"a user of a megabyte", with(`"p"`, `"`+strings.Repeat("p", 1<<20)+`"`), "invalid_user_id"},
	{"a return URL of a megabyte", with("done", strings.Repeat("x", 1<<20)), "invalid_return_url"},
	{"an image of SVG", with(`"USD"`, `"USD","image":"data:image/svg+xml;base64,PHN2Zy8+"`), "invalid_image"},
	{"an image that is none", with(`"USD"`, `"USD","image":"data:image/png;base64,AAAA"`), "invalid_image"},
	{"an image of a file", with(`"USD"`, `"USD","image":"file:///etc/passwd"`), "invalid_image"},
	{"two thousand pairs", with(`"user_id"`, `"metadata":{"values":{`+pairs(2000)+`}},"user_id"`), "invalid_metadata"},
	{"lists in lists", strings.Repeat("[", 1<<20), "invalid_request"},
	{"objects in objects", strings.Repeat(`{"item":`, 1<<17), "invalid_request"},
	{"unknown lists in lists", with(`"user_id"`, `"new":`+strings.Repeat("[", 1<<20)+strings.Repeat("]", 1<<20)+`,"user_id"`), "invalid_request"},
}

func pairs(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = `"` + strings.Repeat("k", i%30+1) + strings.Repeat("l", i/30%30) + strings.Repeat("m", i/900) + `":"v"`
	}
	return strings.Join(all, ",")
}

func TestBadJSONIsRefused(t *testing.T) {
	x := open(t)
	for _, bad := range badJSON {
		t.Run(bad.name, func(t *testing.T) {
			for _, path := range []string{createSession, restSessions} {
				got := x.post(t, path, bad.body)
				got.is(t, 400, bad.code)
				if len(got.message) > 2<<10 {
					t.Errorf("the message has %d bytes", len(got.message))
				}
			}
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		x.post(t, createSession, "").is(t, 400, "invalid_request")
		x.post(t, restSessions, "").is(t, 400, "invalid_game_id") // REST takes no body for an empty one
	})
}

// field is a protobuf field of bytes.
func field(number protowire.Number, value string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value))
}

func TestBadProtobufIsRefused(t *testing.T) {
	x := open(t)
	game := field(1, "arcade")
	for _, bad := range []struct{ name, body, code string }{
		{"nothing at all", "", "invalid_game_id"},
		{"JSON", goodOrder, "invalid_request"},
		{"a text that ends early", "\x0a\x06arc", "invalid_request"},
		{"a length without end", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "invalid_request"},
		{"a length of 2 GiB", "\x0a\xff\xff\xff\xff\x07x", "invalid_request"},
		{"a negative length", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", "invalid_request"},
		{"field 0", "\x02\x00", "invalid_request"},
		{"a wire type that there is not", "\x0f", "invalid_request"},
		{"a group that does not end", "\x0b", "invalid_request"},
		{"an end without a group", "\x0c", "invalid_request"},
		{"groups in groups", strings.Repeat("\x7b", 1<<20), "invalid_request"},
		{"invalid UTF-8 in the user", game + field(2, "\xff\xfe"), "invalid_request"},
		{"a NUL in the user", game + field(2, "p\x00"), "invalid_user_id"},
		{"a number for the game", "\x08\x01", "invalid_game_id"}, // an unknown field, as protobuf has it
		{"an item of noise", game + field(2, "p") + field(3, "\xff\xff\xff"), "invalid_request"},
		{"a forged mark of unreadability", game + field(2, "p") + field(19999, "all is well"), "invalid_item"},
		{"nothing but a forged mark", field(19999, "all is well"), "invalid_game_id"},
		{"noise", strings.Repeat("\xde\xad\xbe\xef", 1000), "invalid_request"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			x.post(t, createSession, bad.body, "Content-Type: application/proto").is(t, 400, bad.code)
		})
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	x := open(t)
	const get = "/pay.v1.PaymentService/ListSessions?connect=v1&encoding=json&message="
	for _, bad := range []struct {
		name, path string
		status     int
		code       string
	}{
		{"a Connect GET of half a message", get + "%7B%22game_id%22", 400, "invalid_request"},
		{"a Connect GET of no message", get, 400, "invalid_request"},
		{"a Connect GET of invalid UTF-8", get + "%7B%22game_id%22:%22%FF%22%7D", 400, "invalid_request"},
		{"a Connect GET of what is not base64", get + "!!&base64=1", 405, "invalid_request"},
		{"a Connect GET in an unknown encoding", strings.Replace(get, "json", "xml", 1) + "%7B%7D", 405, "invalid_request"},
		{"a Connect GET of what is not gzip", get + "AAAA&base64=1&compression=gzip", 400, "invalid_request"},
		{"a NUL among the filters", get + "%7B%22game_id%22:%22arcade%22,%22user_id%22:%22%5Cu0000%22%7D", 400, "invalid_user_id"},
		{"REST: a limit in words", restSessions + "?game_id=arcade&limit=many", 400, "invalid_request"},
		{"REST: a limit beyond 32 bits", restSessions + "?game_id=arcade&limit=99999999999", 400, "invalid_request"},
		{"REST: an unknown parameter", restSessions + "?game_id=arcade&colour=gold", 400, "invalid_request"},
		{"REST: invalid UTF-8", restSessions + "?game_id=arcade&user_id=%FF", 400, "invalid_request"},
		{"REST: a NUL", restSessions + "?game_id=arcade&user_id=%00", 400, "invalid_user_id"},
		{"REST: a NUL in another", restSessions + "?game_id=arcade&order_id=%00", 400, "invalid_request"},
		{"REST: half an escape", restSessions + "?game_id=%F", 400, "invalid_game_id"},
		{"REST: a NUL for an id", restSessions + "/%00", 400, "invalid_id"},
		{"REST: a way out of the tree", restSessions + "/..%2f..%2fetc%2fpasswd", 400, "invalid_request"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			x.send(t, "GET", bad.path, "").is(t, bad.status, bad.code)
		})
	}
}
