package wirejson_test

import "strings"

// texts are bodies that a reader could trip over.
var texts = []string{
	``, ` `, `{}`, ` { } `, `{} {}`, `{},`, `null`, `[]`, `[{}]`, `""`, `0`, `{`, `}`, `{,}`, `{"`, `{"id`, `{"id"`, `{"id":`, `{"id":}`, `{"id":"a"`,
	`{"id":"a",}`, `{"id":"a" "b":1}`, `{"id" "a"}`, `{id:"a"}`, `{'id':'a'}`, `{"id":"a"}x`, `{"id":"a"}` + "\x00", "\ufeff{}", "{\v}", "{\u00a0}",
	"\t{\r\n\"id\" :\n\"a\"\t}\n", `{"id":"a","id":"b"}`, `{"id":null,"id":"b"}`, `{"id":null}`, `{"id":nullx}`, `{"id":Null}`, `{"id":nul}`,
	`{"game_id":"a","gameId":"b"}`, `{"gameId":"a"}`, `{"GameId":"a"}`, `{"game\u005fid":"a"}`, `{"id":1}`, `{"id":true}`, `{"id":{}}`, `{"id":["a"]}`,
	`{"id":"\u00e9\n\/\"\\"}`, `{"id":"\ud83d\ude00"}`, `{"id":"\ud83d"}`, `{"id":"\ude00"}`, `{"id":"\u0000"}`, `{"id":"\x"}`, `{"id":"\u12"}`,
	"{\"id\":\"\xff\"}", "{\"id\":\"\xed\xa0\x80\"}", "{\"id\":\"a\nb\"}", "{\"id\":\"\x00\"}", "{\"id\":\"\x7f\"}", "{\"id\":\"é日😀\ufffd\"}", "{\"\xff\":1}",
	`{"id":"` + strings.Repeat("x", 200) + `"}`, `{"unknown":{"deep":[1,2,{"x":null}]},"id":"a"}`, `{"unknown":}`, `{"[a.b]":1}`, `{"@type":"x"}`, `{"":1}`,
	`{"item":{"price":499}}`, `{"item":{"price":"499"}}`, `{"item":{"price":-0}}`, `{"item":{"price":-1}}`, `{"item":{"price":- 1}}`, `{"item":{"price":01}}`,
	`{"item":{"price":00}}`, `{"item":{"price":+1}}`, `{"item":{"price":1.0}}`, `{"item":{"price":1.5}}`, `{"item":{"price":1e3}}`, `{"item":{"price":1E-1}}`,
	`{"item":{"price":10e-1}}`, `{"item":{"price":1.}}`, `{"item":{"price":1e}}`, `{"item":{"price":.5}}`, `{"item":{"price":2147483647}}`,
	`{"item":{"price":2147483648}}`, `{"item":{"price":-2147483648}}`, `{"item":{"price":-2147483649}}`, `{"item":{"price":99999999999999999999}}`,
	`{"item":{"price":9223372036854775808}}`, `{"item":{"price":" 1"}}`, `{"item":{"price":""}}`, `{"item":{"price":1x}}`, `{"item":{"price":1"a":2}}`,
	`{"item":{"price":0x1}}`, `{"item":{"price":NaN}}`, `{"item":{"price":-}}`, `{"item":{"price":null}}`, `{"item":null}`, `{"item":[]}`, `{"item":{}}`,
	`{"item":{"title":"a"},"item":{"price":1}}`, `{"wallet_enabled":true}`, `{"walletEnabled":false}`, `{"wallet_enabled":truex}`, `{"wallet_enabled":"true"}`,
	`{"wallet_enabled":1}`, `{"wallet_enabled":tru}`, `{"wallet_enabled":TRUE}`, `{"metadata":{"values":{}}}`, `{"metadata":{"values":{"a":"1","b":"2"}}}`,
	`{"metadata":{"values":{"a":"1","a":"2"}}}`, `{"metadata":{"values":{"a":null}}}`, `{"metadata":{"values":{"":""}}}`, `{"metadata":{"values":null}}`,
	`{"metadata":{"values":{"a":1}}}`, `{"metadata":{"values":[]}}`, `{"metadata":{"values":{"a":"1",}}}`, `{"metadata":{"values":{"\u0061":"1","a":"2"}}}`,
	"{\"metadata\":{\"values\":{\"\xff\":\"\"}}}", `{"metadata":{"values":{` + strings.Repeat(`"a":"","b":"",`, 20) + `"c":""}}}`,
	`{"expires_in":"900s"}`, `{"expires_in":"900"}`, `{"expires_in":"s"}`, `{"expires_in":""}`, `{"expires_in":" 900s"}`, `{"expires_in":"900 s"}`, `{"expires_in":"900s "}`,
	`{"expires_in":"0s"}`, `{"expires_in":"00s"}`, `{"expires_in":"09s"}`, `{"expires_in":"-1s"}`, `{"expires_in":"+1s"}`, `{"expires_in":"1.5s"}`, `{"expires_in":"1.s"}`,
	`{"expires_in":".5s"}`, `{"expires_in":"1e3s"}`, `{"expires_in":"315576000000s"}`, `{"expires_in":"315576000001s"}`, `{"expires_in":"99999999999999999999s"}`,
	`{"expires_in":900}`, `{"expires_in":{"seconds":900}}`, `{"expires_in":"900S"}`, `{"expires_in":"900ss"}`, `{"expires_in":null}`,
	`{"expires_at":"2026-01-02T03:04:05Z"}`, `{"expires_at":"2026-01-02T03:04:05.123456789+01:00"}`, `{"expires_at":"2026-01-02T03:04:05,5Z"}`,
	`{"expires_at":"2026-01-02"}`, `{"expires_at":"0000-01-01T00:00:00Z"}`, `{"expires_at":"9999-12-31T23:59:59.999999999Z"}`, `{"expires_at":1}`,
	`{"events":[]}`, `{"events":["a","b"]}`, `{"events":["a",null]}`, `{"events":["a",]}`, `{"events":[,]}`, `{"events":"a"}`, `{"events":["a"}`, `{"events":{"values":["a"]}}`,
	`{"f0":"a","f69":"b"}`, `{"f69":"b","f69":"c"}`, `{"id":"a","item":"b","title":"c","unknown":"d"}`, `{"id":"a","item":"b"}`, `{"item":"a","title":"b"}`,
	`{"games":[{"id":"a","name":"b"},{}]}`, `{"card":"a","method":"b"}`, `{"card":"a","method":null}`, `{"card":null,"method":"b"}`,
	strings.Repeat(`{"item":`, 100), strings.Repeat("[", 100), `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	strings.Repeat(`{"data":{"session":`, 3) + "{}" + strings.Repeat("}}", 3),
}

// pieces are what a text is spoilt with.
var pieces = []string{
	"", " ", "\n", "\x00", "\xff", `"`, `\`, `\u0041`, `\ud800`, ",", ":", "{", "}", "[", "]", "{}", "[]", `""`, `"a"`, "null", "true", "false", "0", "-0", "01", "1", "-1",
	"1.0", "1e2", "2147483648", `"1"`, `"1s"`, `"1.5s"`, `"2026-01-02T03:04:05Z"`, `"id":"a",`, `"id":null,`, `"unknown":[{"a":1}],`, `"gameId":"a",`, `"game_id":"a",`,
	`"item":{},`, `"values":{"a":"1"},`, ",,", "//", "é", "\u2028",
}
