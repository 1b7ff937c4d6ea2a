package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/webhook"
)

// vectorCase says how a vector differs from the usual: Coinslot sends paymentSucceeded,
// signed by newSecret, to a receiver that holds newSecret and whose clock agrees.
type vectorCase struct {
	name      string
	scheme    scheme
	body      *string       // what is sent and signed; nil: paymentSucceeded
	by        []string      // who signs
	holds     []string      // what the receiver holds
	late      int64         // the receiver's clock, less that of the sender
	tolerance int64         // 0: 300
	spoil     func(*vector) // what happens to it afterwards
	refused   string        // the reason; empty: accepted
}

// A scheme is which of the signatures a request carries.
type scheme int

const (
	both scheme = iota
	standard
	toffee
)

func (s scheme) String() string { return [...]string{"both", "Standard Webhooks", "ToffeePay"}[s] }

// signature is the header that a scheme signs in.
func (s scheme) signature() string {
	if s == toffee {
		return headerToffee
	}
	return headerStandard
}

const (
	vectorTime = 1685620800 // 2023-06-01T12:00:00Z
	vectorID   = "01978c2e-0000-7000-8000-000000000003"
)

const (
	notSecret = "secret" // no reason of a refusal: the receiver's own mistake
	missing   = "missing_signature"
	malformed = "malformed_signature"
	untimely  = "timestamp_out_of_tolerance"
	wrong     = "wrong_signature"
	badBody   = "malformed_body"
)

const (
	sessionPart = `"session":{"id":"sess_06b5c8o0001g00000000000000","url":"https://pay.example.com/sess_06b5c8o0001g00000000000000","status":"paid","payment_id":"pay_06b5c8o0002g00000000000000","user_id":"player_42","game_id":"space_shooter","item":{"title":"50 Gold Coins","price":499,"currency":"USD","exponent":2},"created_at":"2023-06-01T11:59:00Z","paid_at":"2023-06-01T12:00:00Z","return_url":"mygame://payment-complete","expires_at":"2023-06-02T11:59:00Z","environment":"sandbox"}`
	paymentPart = `"payment":{"id":"pay_06b5c8o0002g00000000000000","session_id":"sess_06b5c8o0001g00000000000000","status":"succeeded","amount":499,"currency":"USD","method":"card","details":"50 Gold Coins","created_at":"2023-06-01T11:59:58Z","succeeded_at":"2023-06-01T12:00:00Z","refunded_amount":0,"exponent":2,"game_id":"space_shooter","user_id":"player_42","environment":"sandbox"}`
	refundPart  = `"refund":{"id":"ref_06b5c8o0003g00000000000000","payment_id":"pay_06b5c8o0002g00000000000000","status":"succeeded","reason":"the player asked","created_at":"2023-06-01T12:00:00Z","succeeded_at":"2023-06-01T12:00:00Z","amount":199,"currency":"USD","exponent":2}`

	sessionIDs = `"session_id":"sess_06b5c8o0001g00000000000000","game_id":"space_shooter","user_id":"player_42"`
	paymentID  = `"payment_id":"pay_06b5c8o0002g00000000000000",`
	refundID   = `"refund_id":"ref_06b5c8o0003g00000000000000",`

	paymentSucceeded = `{"id":"` + vectorID + `","event":"payment.succeeded","type":"payment.succeeded","timestamp":"2023-06-01T12:00:00Z","environment":"sandbox","sequence":3,"data":{` + paymentID + sessionIDs + `}}`
)

// event is a body with as little in it as there can be.
func event(kind, more string) *string {
	return new(`{"id":"` + vectorID + `","event":"` + kind + `","type":"` + kind + `","timestamp":"2023-06-01T12:00:00.123456Z","environment":"production",` + more + `}`)
}

// schemeCases are those that make sense in either scheme.
func schemeCases(s scheme) []vectorCase {
	set := func(change func(signature string) string) func(*vector) {
		return func(v *vector) { v.Headers[s.signature()] = change(v.Headers[s.signature()]) }
	}
	cases := []vectorCase{
		{name: "a good signature"},
		{name: "header names in lower case", spoil: renamed(strings.ToLower)},
		{name: "header names in upper case", spoil: renamed(strings.ToUpper)},
		{name: "rotation: signed by both secrets, the receiver holds the new one", by: []string{newSecret, oldSecret}, holds: []string{newSecret}},
		{name: "rotation: signed by both secrets, the receiver holds the old one", by: []string{newSecret, oldSecret}, holds: []string{oldSecret}},
		{name: "rotation: signed by both secrets, the receiver holds both", by: []string{newSecret, oldSecret}, holds: []string{oldSecret, newSecret}},
		{name: "rotation: signed by the old secret alone, the receiver holds both", by: []string{oldSecret}, holds: []string{newSecret, oldSecret}},
		{name: "rotation: signed by both secrets, the receiver holds neither", by: []string{newSecret, oldSecret}, holds: []string{strangeSecret}, refused: wrong},
		{name: "signed by a secret that the receiver does not hold", by: []string{oldSecret}, refused: wrong},
		{name: "one byte of the body changed", spoil: func(v *vector) { v.Body = strings.Replace(v.Body, `player_42`, `player_43`, 1) }, refused: wrong},
		{name: "a newline added to the body on the way", spoil: func(v *vector) { v.Body += "\n" }, refused: wrong},
		{name: "the body written anew, with the same meaning", spoil: func(v *vector) { v.Body = strings.Replace(v.Body, `":`, `": `, 1) }, refused: wrong},
		{name: "just within the tolerance, late", late: 300},
		{name: "just within the tolerance, early", late: -300},
		{name: "a second too late", late: 301, refused: untimely},
		{name: "a second too early", late: -301, refused: untimely},
		{name: "a day late", late: 86400, refused: untimely},
		{name: "late beyond a tolerance of its receiver's own", late: 61, tolerance: 60, refused: untimely},
		{name: "within a tolerance of its receiver's own", late: 3600, tolerance: 3600},
		{name: "late and signed by another secret: the time is looked at first", late: 301, by: []string{oldSecret}, refused: untimely},
		{name: "no signature", spoil: func(v *vector) { delete(v.Headers, s.signature()) }, refused: missing},
		{name: "an empty header for a signature", spoil: set(func(string) string { return "" }), refused: missing},
		{name: "the right one is the 32nd of 32 signatures", by: append(strangeSecrets(31), newSecret)},
		{name: "the right one is the 33rd signature, beyond what is looked at", by: append(strangeSecrets(32), newSecret), refused: wrong},
		{name: "a signature cut short", spoil: set(func(sig string) string { return sig[:len(sig)-8] }), refused: wrong},
		{name: "a signature with something behind it", spoil: set(func(sig string) string { return sig + "00" }), refused: wrong},
		{name: "a good signature after a wrong one", spoil: set(func(sig string) string { return s.prepend(s.v1("00"), sig) })},
		{name: "unknown versions around a good signature are skipped", spoil: set(func(sig string) string { return s.prepend(s.unknown(), sig) + s.separator() + s.unknown() })},
		{name: "unknown versions alone", spoil: set(func(string) string { return s.list(s.unknown(), s.unknown()) }), refused: malformed},
		{name: "a signature that is empty", spoil: set(func(string) string { return s.list(s.v1("")) }), refused: wrong},
		{name: "a signature of no such alphabet", spoil: set(func(string) string { return s.list(s.v1("!!!!~~~~")) }), refused: wrong},
		{name: "a signature that is not ASCII", spoil: set(func(string) string { return s.list(s.v1("ü")) }), refused: wrong},
		{name: "a header that is no list of signatures", spoil: set(func(string) string { return "nonsense" }), refused: malformed},
	}
	for _, bad := range badTimes {
		cases = append(cases, vectorCase{name: bad.name, spoil: s.at(bad.text), refused: bad.refused})
	}
	for i := range cases {
		cases[i].scheme, cases[i].name = s, s.String()+": "+cases[i].name
	}
	return cases
}

// badTimes are signed as they are written, so that it is not the signature which is wrong.
var badTimes = []struct{ name, text, refused string }{
	{"a time that is empty", "", malformed},
	{"a time that is no number", "yesterday", malformed},
	{"a time with a sign", "+1685620800", malformed},
	{"a negative time", "-1685620800", malformed},
	{"a time of zero", "0", malformed},
	{"a time with a zero in front", "01685620800", malformed},
	{"a time with a fraction", "1685620800.0", malformed},
	{"a time with an exponent", "16856208e2", malformed},
	{"a time in hex", "0x64788e40", malformed},
	{"a time with a digit that is not ASCII", "168562080²", malformed},
	{"a time in milliseconds has too many digits", "1685620800000", malformed},
	{"a time beyond any integer", "99999999999999999999999999", malformed},
	{"a time that is huge, and a number", "999999999999", untimely},
}

// at signs the body of a vector anew, with a time as it is given.
func (s scheme) at(time string) func(*vector) {
	return func(v *vector) {
		if s == toffee {
			v.Headers[headerToffee] = "t=" + time + "," + s.v1(hex.EncodeToString(hmacOf([]byte(newSecret), time+"."+v.Body)))
			return
		}
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(newSecret, "whsec_"))
		v.Headers[headerTime] = time
		v.Headers[headerStandard] = s.v1(base64.StdEncoding.EncodeToString(hmacOf(key, vectorID+"."+time+"."+v.Body)))
	}
}

func hmacOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (s scheme) separator() string {
	if s == toffee {
		return ","
	}
	return " "
}

func (s scheme) v1(signature string) string {
	if s == toffee {
		return "v1=" + signature
	}
	return "v1," + signature
}

func (s scheme) unknown() string {
	if s == toffee {
		return "v0=" + strings.Repeat("0", 64)
	}
	return "v1a," + strings.Repeat("A", 86) + "=="
}

// list is a header of signatures, with a good time where that belongs to it.
func (s scheme) list(signatures ...string) string {
	if s == toffee {
		signatures = append([]string{"t=" + unix(vectorTime)}, signatures...)
	}
	return strings.Join(signatures, s.separator())
}

// prepend puts one more signature in front of the others.
func (s scheme) prepend(signature, header string) string {
	if s == toffee {
		time, rest, _ := strings.Cut(header, ",")
		return time + "," + signature + "," + rest
	}
	return signature + " " + header
}

func renamed(rename func(string) string) func(*vector) {
	return func(v *vector) {
		headers := map[string]string{}
		for name, value := range v.Headers {
			headers[rename(name)] = value
		}
		v.Headers = headers
	}
}

var strangeSecret = webhook.NewSecret([32]byte{0xaa})

func strangeSecrets(n int) (secrets []string) {
	for i := range n {
		secrets = append(secrets, webhook.NewSecret([32]byte{0xbb, byte(i)}))
	}
	return secrets
}

func without(headers ...string) func(*vector) {
	return func(v *vector) {
		for _, h := range headers {
			delete(v.Headers, h)
		}
	}
}

func with(header, value string) func(*vector) {
	return func(v *vector) { v.Headers[header] = value }
}

var bareSecret = strings.TrimPrefix(newSecret, "whsec_")

var standardCases = []vectorCase{
	{name: "Standard Webhooks: no id", scheme: standard, spoil: without(headerID), refused: malformed},
	{name: "Standard Webhooks: an empty id", scheme: standard, spoil: with(headerID, ""), refused: malformed},
	{name: "Standard Webhooks: another id", scheme: standard, spoil: with(headerID, "01978c2e-0000-7000-8000-000000000004"), refused: wrong},
	{name: "Standard Webhooks: no time", scheme: standard, spoil: without(headerTime), refused: malformed},
	{name: "Standard Webhooks: another time", scheme: standard, spoil: with(headerTime, unix(vectorTime+1)), refused: wrong},
	{name: "Standard Webhooks: no id and another time", scheme: standard, spoil: func(v *vector) {
		without(headerID)(v)
		with(headerTime, "1")(v)
	}, refused: malformed},
	{name: "Standard Webhooks: a secret written without whsec_", scheme: standard, holds: []string{bareSecret}},
}

var toffeeCases = []vectorCase{
	{name: "ToffeePay: a secret written without whsec_ is another secret", scheme: toffee, holds: []string{bareSecret}, refused: wrong},
	{name: "ToffeePay: another time", scheme: toffee, spoil: toffeeReplaced(unix(vectorTime), unix(vectorTime+1)), refused: wrong},
	{name: "ToffeePay: no time", scheme: toffee, spoil: toffeeReplaced("t="+unix(vectorTime)+",", ""), refused: malformed},
	{name: "ToffeePay: a fresh time in front of the one that was signed", scheme: toffee, late: 86400, spoil: toffeeReplaced("t=", "t="+unix(vectorTime+86400)+",t="), refused: malformed},
	{name: "ToffeePay: a fresh time behind the one that was signed", scheme: toffee, late: 86400, spoil: func(v *vector) {
		v.Headers[headerToffee] += ",t=" + unix(vectorTime+86400)
	}, refused: malformed},
	{name: "ToffeePay: the same time twice", scheme: toffee, spoil: toffeeReplaced("t=", "t="+unix(vectorTime)+",t="), refused: malformed},
	{name: "ToffeePay: the time behind the signature", scheme: toffee, spoil: func(v *vector) {
		time, rest, _ := strings.Cut(v.Headers[headerToffee], ",")
		v.Headers[headerToffee] = rest + "," + time
	}},
	{name: "ToffeePay: hex in upper case", scheme: toffee, spoil: func(v *vector) {
		time, sig, _ := strings.Cut(v.Headers[headerToffee], "v1=")
		v.Headers[headerToffee] = time + "v1=" + strings.ToUpper(sig)
	}, refused: wrong},
	{name: "ToffeePay: a space after the comma makes another name of v1", scheme: toffee, spoil: toffeeReplaced(",", ", "), refused: malformed},
	{name: "ToffeePay: a time and nothing else", scheme: toffee, spoil: with(headerToffee, "t="+unix(vectorTime)), refused: malformed},
	{name: "ToffeePay: the headers of Standard Webhooks without its signature do not matter", spoil: func(v *vector) {
		without(headerStandard)(v)
		with(headerID, "another")(v)
		with(headerTime, "1")(v)
	}},
}

func toffeeReplaced(from, to string) func(*vector) {
	return func(v *vector) { v.Headers[headerToffee] = strings.Replace(v.Headers[headerToffee], from, to, 1) }
}

var bothCases = []vectorCase{
	{name: "both signatures, as Coinslot sends them"},
	{name: "both signatures, by two secrets, as Coinslot sends them during a rotation", by: []string{newSecret, oldSecret}, holds: []string{oldSecret}},
	{name: "both signatures, a secret written without whsec_", holds: []string{bareSecret}},
	{name: "Standard Webhooks wrong, ToffeePay good: no falling back", spoil: with(headerStandard, "v1,"+strings.Repeat("A", 43)+"="), refused: wrong},
	{name: "Standard Webhooks of unknown versions, ToffeePay good: no falling back", spoil: with(headerStandard, standard.unknown()), refused: malformed},
	{name: "Standard Webhooks without its id, ToffeePay good: no falling back", spoil: without(headerID), refused: malformed},
	{name: "Standard Webhooks late, ToffeePay good: no falling back", spoil: standard.at(unix(vectorTime - 301)), refused: untimely},
	{name: "Standard Webhooks good, ToffeePay wrong: it is not looked at", spoil: with(headerToffee, toffee.list(toffee.v1("00")))},
	{name: "Standard Webhooks with an empty signature is as good as none: ToffeePay decides", spoil: with(headerStandard, "")},
	{name: "no header at all", spoil: func(v *vector) { clear(v.Headers) }, refused: missing},
}

var bodyCases = slices.Concat([]vectorCase{
	{name: "session.created", body: event("session.created", `"sequence":1,"data":{`+sessionIDs+`,`+sessionPart+`}`)},
	{name: "session.paid, which names its payment", body: event("session.paid", `"sequence":4,"data":{`+paymentID+sessionIDs+`,`+sessionPart+`}`)},
	{name: "payment.succeeded with all that Coinslot says", body: event("payment.succeeded", `"sequence":3,"data":{`+paymentID+sessionIDs+`,`+sessionPart+`,`+paymentPart+`}`)},
	{name: "payment.failed", body: event("payment.failed", `"sequence":3,"data":{`+paymentID+sessionIDs+`,`+sessionPart+`,`+strings.Replace(paymentPart, `"succeeded"`, `"failed","error":{"code":"card_declined","message":"the card was declined"}`, 1)+`}`)},
	{name: "refund.succeeded", body: event("refund.succeeded", `"sequence":6,"data":{`+refundID+paymentID+sessionIDs+`,`+sessionPart+`,`+paymentPart+`,`+refundPart+`}`)},
	{name: "a test event, of no session", body: event("endpoint.test", `"sequence":0,"data":{}`)},
	{name: "the question before a capture", body: event("payment.confirm", `"sequence":3,"data":{`+paymentID+sessionIDs+`}`)},
	{name: "a type of event that is not known yet", body: event("dispute.opened", `"sequence":7,"data":{`+sessionIDs+`,"dispute":{"id":"dis_1"}}`)},
	{name: "fields that are not known yet", body: event("session.paid", `"sequence":4,"livemode":true,"extra":{"a":[1,null,{"b":"c"}]},"data":{"more":1.5,`+sessionIDs+`}`)},
	{name: "nothing but an id and a type", body: new(`{"id":"` + vectorID + `","type":"session.paid"}`)},
	{name: "letters of many scripts, plain and escaped", body: event("session.paid", `"sequence":4,"data":{"session_id":"sess_1","user_id":"Zoë 楽園 🎮 \u00e9\ud83c\udfae\u2028","session":{"item":{"title":"Ünïcödé – 5 €\t\"<&>\""}}}`)},
	{name: "a newline at the end that was signed", body: new(paymentSucceeded + "\n")},
	{name: "spaces and newlines that were signed", body: new("{\r\n  \"id\": \"" + vectorID + "\",\n\t\"type\": \"session.paid\"\n}\n")},
}, badBodies(map[string]string{
	"an empty body":                    "",
	"a body that is not JSON":          "id=1&type=session.paid",
	"a body that is cut short":         paymentSucceeded[:len(paymentSucceeded)-2],
	"a body that is an array":          "[" + paymentSucceeded + "]",
	"a body that is null":              "null",
	"a body that is a string":          `"session.paid"`,
	"two objects in one body":          paymentSucceeded + paymentSucceeded,
	"an object of nothing":             "{}",
	"no id":                            `{"type":"session.paid","event":"session.paid"}`,
	"an id that is empty":              `{"id":"","type":"session.paid"}`,
	"no type":                          `{"id":"` + vectorID + `","event":"session.paid"}`,
	"an id that is a number":           `{"id":1,"type":"session.paid"}`,
	"a sequence that is no number":     *event("session.paid", `"sequence":"third"`),
	"data that is an array":            *event("session.paid", `"sequence":1,"data":[]`),
	"a time of event that is no time":  `{"id":"` + vectorID + `","type":"session.paid","timestamp":"yesterday"}`,
	"a session of events that is text": *event("session.paid", `"sequence":1,"data":{"session":"sess_1"}`),
}))

// badBodies are signed well, and are no event.
func badBodies(bodies map[string]string) (cases []vectorCase) {
	for name, body := range bodies {
		cases = append(cases, vectorCase{name: "signed well: " + name, body: &body, refused: badBody})
	}
	slices.SortFunc(cases, func(a, b vectorCase) int { return strings.Compare(a.name, b.name) })
	return cases
}

// badSecrets are what nobody may verify with: anybody can sign by some of them.
var badSecrets = []struct {
	name  string
	holds []string
}{
	{"no secret", []string{}},
	{"a secret that is empty", []string{""}},
	{"whsec_ and nothing behind it", []string{"whsec_"}},
	{"a secret that is not base64", []string{"whsec_not base64!"}},
	{"a word for a secret", []string{"secret"}},
	{"a secret cut short", []string{strings.TrimSuffix(newSecret, "=")}},
	{"a secret with a newline behind it", []string{newSecret + "\n"}},
	{"a secret with a newline within", []string{newSecret[:10] + "\n" + newSecret[10:]}},
	{"a secret in the base64 of URLs", []string{strings.NewReplacer("+", "-", "/", "_").Replace(newSecret)}},
	{"a secret whose last letter has bits to spare", []string{strings.Replace(newSecret, "A=", "B=", 1)}},
	{"an empty secret behind a good one", []string{newSecret, "whsec_"}},
	{"a word in front of a good secret", []string{"secret", newSecret}},
}

// secretCases sign as somebody can who knows the bad secret, and spoil what is looked at
// after it.
func secretCases() (cases []vectorCase) {
	for _, bad := range badSecrets {
		for _, s := range []scheme{standard, toffee} {
			cases = append(cases, vectorCase{name: s.String() + ": " + bad.name, scheme: s, holds: bad.holds, refused: notSecret, spoil: func(v *vector) {
				if len(bad.holds) == 1 {
					s.forge(v, bad.holds[0])
				}
			}})
		}
	}
	return append(cases,
		vectorCase{name: "a bad secret and no header at all", holds: []string{"whsec_"}, refused: notSecret, spoil: func(v *vector) { clear(v.Headers) }},
		vectorCase{name: "a bad secret and a signature that cannot be read", holds: []string{"whsec_"}, refused: notSecret, spoil: with(headerStandard, "nonsense")},
		vectorCase{name: "a bad secret and a request that is late", late: 86400, holds: []string{"whsec_"}, refused: notSecret},
	)
}

// forge signs by a secret that is none, as its text or as what is left of its base64.
func (s scheme) forge(v *vector, secret string) {
	if s == toffee {
		v.Headers[headerToffee] = s.list(s.v1(hex.EncodeToString(hmacOf([]byte(secret), unix(vectorTime)+"."+v.Body))))
		return
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	v.Headers[headerStandard] = s.v1(base64.StdEncoding.EncodeToString(hmacOf(key, vectorID+"."+unix(vectorTime)+"."+v.Body)))
}

// onlyWeRefuse are the vectors that the library accepts: it looks at every signature.
var onlyWeRefuse = map[string]bool{
	"Standard Webhooks: the right one is the 33rd signature, beyond what is looked at": true,
}
