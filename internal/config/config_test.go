package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// environment makes one of NAME=value pairs.
func environment(pairs ...string) Environment {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if n, value, _ := strings.Cut(p, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

func parseServe(args []string, env Environment) (*Serve, error) {
	var f Flags
	s := ServeFlags(&f)
	if _, err := f.Parse(args, env); err != nil {
		return nil, err
	}
	return s, s.Finish()
}

func TestServeDefaults(t *testing.T) {
	got, err := parseServe(nil, environment())
	if err != nil {
		t.Fatal(err)
	}
	want := &Serve{
		Addr: ":8080", Data: "coinslot-data", Database: "coinslot-data/coinslot.db",
		IdempotencyWindow: 24 * time.Hour, LogFormat: "auto",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServeTakesFlagsBeforeEnvironmentBeforeDefaults(t *testing.T) {
	got, err := parseServe(
		[]string{"--addr=127.0.0.1:0", "--cors-origin", "https://a.example", "--cors-origin", "https://b.example", "--quiet-start"},
		environment("COINSLOT_ADDR=:9000", "COINSLOT_DATA=/srv/coins", "COINSLOT_DATABASE=sqlite:/srv/db",
			"COINSLOT_WEBHOOK_ALLOW_CIDR=10.1.2.3/16, fd00::/8", "COINSLOT_IDEMPOTENCY_WINDOW=36h", "COINSLOT_RATE_LIMIT=2.5",
			"COINSLOT_CORS_ORIGIN=https://c.example", "COINSLOT_LOG_LEVEL=warn", "COINSLOT_PUBLIC_URL=https://pay.example/", "COINSLOT_CHECKOUT_URL="))
	if err != nil {
		t.Fatal(err)
	}
	want := &Serve{
		Addr: "127.0.0.1:0", Data: "/srv/coins", Database: "/srv/db", PublicURL: "https://pay.example", QuietStart: true,
		WebhookAllow:      []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")},
		IdempotencyWindow: 36 * time.Hour, RateLimit: 2.5, CORSOrigins: []string{"https://a.example", "https://b.example"},
		LogFormat: "auto", LogLevel: slog.LevelWarn,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

func TestServeRefusesNamingTheFlagAndWhatWouldBeRight(t *testing.T) {
	for _, test := range []struct {
		args []string
		env  string
		want string
	}{
		{args: []string{"--addr", "8080"}, want: `--addr must be a host and a port such as 127.0.0.1:8080, or :8080 for every address, got "8080"`},
		{args: []string{"--addr", ":http"}, want: `--addr must end with a port from 0 to 65535, got ":http"`},
		{args: []string{"--data", ""}, want: `--data must not be empty, got ""`},
		{args: []string{"--database", "postgres://user:sec ret@%zz/coins"}, want: `--database must be a URL such as postgres://user:password@host:5432/name, or the path of a SQLite file`},
		{args: []string{"--database", "host=db user=coinslot dbname=coins"}, want: `--database must be the path of a SQLite file, or sqlite: and the path, or a URL such as postgres://user:password@host:5432/name`},
		{args: []string{"--database", "postgres:coinslot@db"}, want: `--database must be the path of a SQLite file, or sqlite: and the path, or a URL such as postgres://user:password@host:5432/name`},
		{args: []string{"--database", "mysql://db"}, want: `--database must be the path of a SQLite file, or sqlite: and the path, or a URL such as postgres://user:password@host:5432/name`},
		{args: []string{"--public-url", "pay.example"}, want: `--public-url must be an http(s) URL such as https://pay.example.com, without user, query or fragment, got "pay.example"`},
		{args: []string{"--checkout-url", "https://pay.example/?a=b"}, want: `--checkout-url must be an http(s) URL such as https://pay.example.com, without user, query or fragment, got "https://pay.example/?a=b"`},
		{args: []string{"--checkout-url", "https://pay.example/v1/pay"}, want: `--checkout-url must not be below /v1, where the server has something else, got "https://pay.example/v1/pay"`},
		{args: []string{"--checkout-url", "http://localhost:8080/dev/inbox"}, want: `--checkout-url must not be below /dev, where the server has something else, got "http://localhost:8080/dev/inbox"`},
		{args: []string{"--checkout-url", "https://pay.example/{id}"}, want: `--checkout-url must have a path of letters, digits, - and _, or none, got "https://pay.example/{id}"`},
		{args: []string{"--webhook-allow-cidr", "10.1.2.3"}, want: `--webhook-allow-cidr must be networks such as 10.1.0.0/16 or fd00::/8, got "10.1.2.3"`},
		{args: []string{"--idempotency-window", "23h59m"}, want: `--idempotency-window must be at least 24h, got "23h59m"`},
		{args: []string{"--idempotency-window", "1d"}, want: `--idempotency-window must be a duration such as 90s, 30m or 24h, got "1d"`},
		{args: []string{"--rate-limit", "-1"}, want: `--rate-limit must be a number of requests per second, or 0 for no limit, got "-1"`},
		{args: []string{"--cors-origin", "https://a.example/path"}, want: `--cors-origin must be origins such as https://play.example.com, without a path, or *, got "https://a.example/path"`},
		{args: []string{"--tls-cert", "cert.pem"}, want: `--tls-cert and --tls-key must be given together`},
		{args: []string{"--log-format", "xml"}, want: `--log-format must be auto, text or json, got "xml"`},
		{args: []string{"--quiet-start=perhaps"}, want: `--quiet-start must be true or false, got "perhaps"`},
		{args: []string{"--data-dir", "x"}, want: `there is no flag --data-dir`},
		{args: []string{"--addr"}, want: `--addr needs a value`},
		{env: "COINSLOT_LOG_LEVEL=loud", want: `COINSLOT_LOG_LEVEL must be debug, info, warn or error, got "loud"`},
	} {
		_, err := parseServe(test.args, environment(test.env))
		var usage *UsageError
		if !errors.As(err, &usage) || usage.Message != test.want {
			t.Errorf("%v %s: got %v, want %s", test.args, test.env, err, test.want)
		}
	}
}

func TestFlagsMayStandAmongOperands(t *testing.T) {
	for args, want := range map[string]struct {
		operands []string
		card     string
	}{
		"sess_1 --card 42":    {[]string{"sess_1"}, "42"},
		"--card 42 sess_1 b":  {[]string{"sess_1", "b"}, "42"},
		"a --card=42 b":       {[]string{"a", "b"}, "42"},
		"a -- --card 42":      {[]string{"a", "--card", "42"}, ""},
		"-- a -- --card":      {[]string{"a", "--", "--card"}, ""},
		"--card 42 -- --card": {[]string{"--card"}, "42"},
	} {
		var f Flags
		var card string
		f.Flag("card", "NUMBER", "", Text(&card))
		operands, err := f.Parse(strings.Fields(args), environment())
		if err != nil || card != want.card || !cmp.Equal(operands, want.operands) {
			t.Errorf("%s: got %q, card %q, %v", args, operands, card, err)
		}
	}
}

func TestHelpTellsDefaultsAndVariables(t *testing.T) {
	var f Flags
	var help strings.Builder
	ServeFlags(&f)
	f.WriteHelp(&help)
	for _, want := range []string{
		"  --addr HOST:PORT\n        where to listen; port 0 picks a free one (default :8080; COINSLOT_ADDR)\n",
		"  --quiet-start\n",
		"(default 24h; COINSLOT_IDEMPOTENCY_WINDOW)",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("no %q in\n%s", want, help.String())
		}
	}
}
