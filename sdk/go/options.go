package coinslot

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Environment is one of the two worlds that a server keeps apart.
type Environment string

// The environments. The access token decides which it is.
const (
	Sandbox    Environment = "sandbox" // nothing is charged
	Production Environment = "production"
)

// The variables that stand in for what New is not given.
const (
	accessTokenVariable = "COINSLOT_ACCESS_TOKEN"
	urlVariable         = "COINSLOT_BASE_URL"
)

const (
	defaultSandboxURL = "http://localhost:8080"
	defaultTimeout    = 30 * time.Second
	defaultRetries    = 2
)

// Option changes how a Client calls.
type Option func(*settings)

// WithBaseURL sets where the server is, such as https://pay.example.com. The default is
// $COINSLOT_BASE_URL, or without it http://localhost:8080 in the sandbox; in production there
// is none.
func WithBaseURL(url string) Option { return func(s *settings) { s.baseURL = url } }

// WithEnvironment says which environment the program means to use. New refuses a token
// of the other one.
func WithEnvironment(e Environment) Option { return func(s *settings) { s.environment = e } }

// WithHTTPClient makes calls through c, for proxies and certificates of one's own.
func WithHTTPClient(c *http.Client) Option { return func(s *settings) { s.httpClient = c } }

// WithTimeout sets how long one attempt of a call may take, by default 30 s. Limit a call
// with all its attempts by its context.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithRetries sets how often a call is tried again, by default twice. Only what may help
// is tried again: a connection that broke, no answer in time, and the codes unavailable,
// internal and rate_limited. It waits 0.5 s, then 1, 2, 4 and 8, less up to half of it
// by chance, or for as long as the server asks, if that is not more than a minute.
func WithRetries(n int) Option { return func(s *settings) { s.retries = n } }

type settings struct {
	token       string
	baseURL     string
	environment Environment
	httpClient  *http.Client
	timeout     time.Duration
	retries     int
}

func newSettings(accessToken string, opts []Option) (*settings, error) {
	s := &settings{token: accessToken, timeout: defaultTimeout, retries: defaultRetries}
	for _, set := range opts {
		set(s)
	}
	if s.token == "" {
		s.token = os.Getenv(accessTokenVariable)
	}
	s.token = strings.TrimSpace(s.token) // files and variables often end in a newline
	if s.baseURL == "" {
		s.baseURL = os.Getenv(urlVariable)
	}
	return s, errors.Join(s.checkToken(), s.checkEnvironment(), s.checkURL(), s.checkNumbers())
}

// checkToken never repeats the token: errors end up in logs.
func (s *settings) checkToken() error {
	if s.token == "" {
		return fmt.Errorf("coinslot: no access token: pass one to New or set $%s; `coinslot keys create` makes them", accessTokenVariable)
	}
	if !printable(s.token) || strings.Contains(s.token, " ") {
		return errors.New("coinslot: the access token has spaces, newlines or letters that no token has")
	}
	return nil
}

// checkEnvironment fills in the environment from the token, which names it.
func (s *settings) checkEnvironment() error {
	if e := s.environment; e != "" && e != Sandbox && e != Production {
		return fmt.Errorf("coinslot: the environment must be %s or %s, got %q", Sandbox, Production, string(e))
	}
	of := tokenEnvironment(s.token)
	if s.environment != "" && of != "" && s.environment != of {
		return fmt.Errorf("coinslot: the access token is for %s, but the environment is set to %s", of, s.environment)
	}
	if s.environment == "" {
		s.environment = of
	}
	return nil
}

// tokenEnvironment is empty for a token that names none.
func tokenEnvironment(token string) Environment {
	for _, e := range []Environment{Sandbox, Production} {
		if strings.HasPrefix(token, "sk_"+string(e)+"_") {
			return e
		}
	}
	return ""
}

func (s *settings) checkURL() error {
	if s.baseURL == "" {
		if s.environment != Sandbox {
			return fmt.Errorf("coinslot: no base URL: outside of the sandbox say where the server is, by WithBaseURL or $%s", urlVariable)
		}
		s.baseURL = defaultSandboxURL
	}
	u, err := url.Parse(s.baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s.baseURL, "?#") {
		return errors.New("coinslot: the base URL must look like https://pay.example.com, without user, query or fragment") // which may be secret
	}
	return nil
}

func (s *settings) checkNumbers() error {
	if s.timeout <= 0 {
		return errors.New("coinslot: the timeout must be positive")
	}
	if s.retries < 0 {
		return errors.New("coinslot: retries must not be negative")
	}
	return nil
}

// printable says whether text is of ASCII that prints, spaces included.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// CallOption changes one call.
type CallOption func(*callSettings)

type callSettings struct{ key string }

// WithIdempotencyKey names what the call is for, such as the order: 1 to 255 printable
// ASCII characters. For a day the same key with the same request gets the first
// answer again, so that it may be sent anew even after a restart of the program. By
// default each call has a key of its own, which is kept over its retries.
func WithIdempotencyKey(key string) CallOption { return func(s *callSettings) { s.key = key } }
