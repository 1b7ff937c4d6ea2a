package coinslot_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

// TestNew tries what New is given, and where the first call then goes.
func TestNew(t *testing.T) {
	type options []coinslot.Option
	const sandboxToken, productionToken, otherToken = "sk_sandbox_abc", "sk_production_abc", "something_else"
	for _, tt := range []struct {
		name             string
		token            string
		envToken, envURL string
		opts             options
		calls, refusal   string
	}{
		{name: "a sandbox token", token: sandboxToken, calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "the token of the environment", envToken: sandboxToken, calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "an argument goes before the environment", token: sandboxToken, envToken: otherToken, calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "no token", refusal: "no access token"},
		{name: "the URL of the environment", token: sandboxToken, envURL: "http://there:1", calls: "http://there:1 sk_sandbox_abc"},
		{name: "an option goes before the environment", token: sandboxToken, envURL: "http://there:1", opts: options{coinslot.WithBaseURL("http://here:2")}, calls: "http://here:2 sk_sandbox_abc"},
		{name: "a path below the host", token: sandboxToken, opts: options{coinslot.WithBaseURL("https://example.com/pay/")}, calls: "https://example.com/pay sk_sandbox_abc"},
		{name: "production needs a URL", token: productionToken, refusal: "no base URL: outside of the sandbox say where the server is, by WithBaseURL or $COINSLOT_BASE_URL"},
		{name: "production with a URL", token: productionToken, envURL: "https://pay.example.com", calls: "https://pay.example.com sk_production_abc"},
		{name: "a token of no environment needs a URL", token: otherToken, refusal: "no base URL"},
		{name: "a token of no environment that is said to be of the sandbox", token: otherToken, opts: options{coinslot.WithEnvironment(coinslot.Sandbox)}, calls: "http://localhost:8080 something_else"},
		{name: "the environment of the token", token: sandboxToken, opts: options{coinslot.WithEnvironment(coinslot.Sandbox)}, calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "a sandbox token in production", token: sandboxToken, envURL: "http://there:1", opts: options{coinslot.WithEnvironment(coinslot.Production)}, refusal: "the access token is for sandbox, but the environment is set to production"},
		{name: "a production token in the sandbox", envToken: productionToken, opts: options{coinslot.WithEnvironment(coinslot.Sandbox)}, refusal: "the access token is for production, but the environment is set to sandbox"},
		{name: "no such environment", token: sandboxToken, opts: options{coinslot.WithEnvironment("staging")}, refusal: `the environment must be sandbox or production, got "staging"`},
		{name: "a token with white space around it", token: " " + sandboxToken + "\r\n", calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "a token of the environment with a newline behind it", envToken: sandboxToken + "\n", calls: "http://localhost:8080 sk_sandbox_abc"},
		{name: "a token of white space", token: " \n", refusal: "no access token"},
		{name: "a token with a newline within", token: sandboxToken + "\nA: b", refusal: "the access token has spaces"},
		{name: "a token that is not ASCII", token: sandboxToken + "é", refusal: "the access token has spaces"},
		{name: "a token with a space", token: "Bearer " + sandboxToken, refusal: "the access token has spaces"},
		{name: "a URL without a scheme", token: sandboxToken, opts: options{coinslot.WithBaseURL("pay.example.com")}, refusal: "the base URL must look like"},
		{name: "a URL of another scheme", token: sandboxToken, opts: options{coinslot.WithBaseURL("ftp://pay.example.com")}, refusal: "the base URL must look like"},
		{name: "a URL with a password", token: sandboxToken, opts: options{coinslot.WithBaseURL("https://me:secret@pay.example.com")}, refusal: "the base URL must look like"},
		{name: "a URL with a query", token: sandboxToken, opts: options{coinslot.WithBaseURL("https://pay.example.com?a=b")}, refusal: "the base URL must look like"},
		{name: "a URL with a fragment", token: sandboxToken, opts: options{coinslot.WithBaseURL("https://pay.example.com#a")}, refusal: "the base URL must look like"},
		{name: "a URL with an empty query", token: sandboxToken, opts: options{coinslot.WithBaseURL("https://pay.example.com?")}, refusal: "the base URL must look like"},
		{name: "retries below none", token: sandboxToken, opts: options{coinslot.WithRetries(-1)}, refusal: "must not be negative"},
		{name: "a timeout below none", token: sandboxToken, opts: options{coinslot.WithTimeout(-time.Second)}, refusal: "the timeout must be positive"},
		{name: "no timeout", token: sandboxToken, opts: options{coinslot.WithTimeout(0)}, refusal: "the timeout must be positive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("COINSLOT_ACCESS_TOKEN", tt.envToken)
			t.Setenv("COINSLOT_BASE_URL", tt.envURL)
			called := ""
			record := roundTrip(func(r *http.Request) (*http.Response, error) {
				base, _, _ := strings.Cut(r.URL.String(), "/pay.v1.")
				called = base + " " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				return nil, errors.New("nobody is there")
			})
			c, err := coinslot.New(tt.token, append(options{coinslot.WithRetries(0), coinslot.WithHTTPClient(&http.Client{Transport: record})}, tt.opts...)...)
			if tt.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refusal) || strings.Contains(err.Error(), "_abc") {
					t.Errorf("New: %v, want an error with %q", err, tt.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Sessions.Cancel(t.Context(), nil)
			if called != tt.calls {
				t.Errorf("it called %q, want %q", called, tt.calls)
			}
		})
	}
}

func TestAClientDoesNotPrintItsToken(t *testing.T) {
	c := newClient(t, "sk_sandbox_abc")
	for _, format := range []string{"%v", "%+v", "%#v"} {
		for _, what := range []any{c, *c, c.Sessions, *c.Sessions, *c.Payments, *c.Refunds, *c.Events} {
			if text := fmt.Sprintf(format, what); strings.Contains(text, "_abc") {
				t.Errorf("%s of %T is %s", format, what, text)
			}
		}
	}
}
