package inbox

import (
	"strings"
)

// The commands that verify a signature, for sh, bash and zsh. Whatever a body holds, it
// is one word in single quotes, in which a shell looks for nothing but their end.

// quoted writes a word.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// openSSL verifies X-ToffeePay-Signature. It leaves no variable behind, and ends with 1
// where the signature is not that of the body.
func openSSL(body []byte, secret string, signed []header) string {
	t, v1, _ := strings.Cut(strings.TrimPrefix(value(signed, "X-ToffeePay-Signature"), "t="), ",v1=")
	return `(
t=` + quoted(t) + `
body=` + quoted(string(body)) + `
secret=` + quoted(secret) + `
signature=$(printf '%s.%s' "$t" "$body" | openssl dgst -sha256 -hmac "$secret")
if [ "${signature##* }" = ` + quoted(v1) + ` ]
then echo 'The signature is right.'
else echo 'The signature is wrong.' >&2; false
fi
)`
}

// ownCommand has coinslot verify both signatures and the time.
func ownCommand(program string, body []byte, secret string, signed []header) string {
	command := "printf '%s' " + quoted(string(body)) + ` |
` + program + " webhooks verify --secret " + quoted(secret)
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature", "X-ToffeePay-Signature"} {
		command += " \\\n  --header " + quoted(name+": "+value(signed, name))
	}
	return command
}

func value(headers []header, name string) string {
	for _, h := range headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}
