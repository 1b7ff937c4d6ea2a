package config

import (
	"errors"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Serve is how the server runs.
type Serve struct {
	Addr              string // host:port; port 0 picks a free one
	Data              string // the directory of all that is kept
	Database          string // the SQLite file, or a postgres:// URL
	AdminToken        string // empty: the one in Data
	MasterKey         string // the text of a key file; empty: the one in Data
	PublicURL         string // empty: where the server listens
	CheckoutURL       string // empty: PublicURL/pay
	QuietStart        bool
	SandboxClock      bool // the clock can be moved
	WebhookAllow      []netip.Prefix
	IdempotencyWindow time.Duration
	RateLimit         float64 // requests per second and API key; 0: no limit
	CORSOrigins       []string
	TLSCert, TLSKey   string // files; both empty: no TLS
	LogFormat         string // auto, text or json
	LogLevel          slog.Level
}

// DefaultData is the data directory where none is named.
const DefaultData = "coinslot-data"

// shortestIdempotency is the shortest that the API promises.
const shortestIdempotency = 24 * time.Hour

// ServeFlags declares the flags of the server. Finish must be called after they are parsed.
func ServeFlags(f *Flags) *Serve {
	s := &Serve{Addr: ":8080", Data: DefaultData, IdempotencyWindow: shortestIdempotency, LogFormat: "auto"}
	f.Setting("addr", "HOST:PORT", "where to listen; port 0 picks a free one", checked(&s.Addr, checkAddr))
	s.storageFlags(f)
	f.Setting("public-url", "URL", "where clients reach the server, by default where it listens", Reader{Read: baseURL(&s.PublicURL)})
	f.Setting("checkout-url", "URL", "where players find the payment page, by default /pay below the public URL", Reader{Read: baseURL(&s.CheckoutURL)})
	f.Setting("quiet-start", "", "print one line of JSON instead of the welcome, for scripts", Switch(&s.QuietStart))
	f.Setting("sandbox-clock", "", "a clock that `coinslot sandbox advance` moves; for sandboxes only, without production keys", Switch(&s.SandboxClock))
	f.Setting("webhook-allow-cidr", "CIDR", "a private network that webhooks may reach, such as 10.1.0.0/16; can be repeated", List(&s.WebhookAllow, parsePrefix))
	f.Setting("idempotency-window", "DURATION", "for how long a repeated Idempotency-Key gets the first answer", Duration(&s.IdempotencyWindow, shortestIdempotency))
	f.Setting("rate-limit", "NUMBER", "requests per second that each API key may make; 0 is no limit", Reader{Read: rate(&s.RateLimit), Default: "0"})
	f.Setting("cors-origin", "ORIGIN", "a web site whose scripts may call the API, such as https://play.example.com, or *; can be repeated", List(&s.CORSOrigins, parseOrigin))
	f.Setting("tls-cert", "FILE", "a certificate in PEM, to serve TLS; needs --tls-key", Text(&s.TLSCert))
	f.Setting("tls-key", "FILE", "the certificate's private key in PEM", Text(&s.TLSKey))
	f.Setting("log-format", "FORMAT", "text, json, or auto: text on a terminal", Words(&s.LogFormat, "auto", "text", "json"))
	f.Setting("log-level", "LEVEL", "debug, info, warn or error", Reader{Read: level(&s.LogLevel), Default: "info"})
	return s
}

// StorageFlags declares the flags of commands that are about the database alone. Finish
// must be called after they are parsed.
func StorageFlags(f *Flags) *Serve {
	s := &Serve{Data: DefaultData}
	s.storageFlags(f)
	return s
}

func (s *Serve) storageFlags(f *Flags) {
	f.Setting("data", "DIR", "the directory of everything that is kept; made if need be", checked(&s.Data, notEmpty))
	f.Setting("database", "FILE|URL", "a SQLite file, by default coinslot.db in the data directory, or postgres://user@host/name", Reader{Read: s.readDatabase, Secret: true})
}

// ReadSecrets takes from the environment what several servers must have in common. A
// command line can be seen by other users of the machine, so there are no flags for it.
func (s *Serve) ReadSecrets(env Environment) {
	s.AdminToken, _ = env("COINSLOT_ADMIN_TOKEN")
	s.MasterKey, _ = env("COINSLOT_MASTER_KEY")
}

// Postgres says whether the database is PostgreSQL.
func (s *Serve) Postgres() bool {
	return strings.HasPrefix(s.Database, "postgres://") || strings.HasPrefix(s.Database, "postgresql://")
}

// Finish fills in what depends on several flags, and refuses those that do not go together.
func (s *Serve) Finish() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return Misused("--tls-cert and --tls-key must be given together")
	}
	if err := checkPagePath(s.CheckoutURL); err != nil {
		return err
	}
	if s.Database == "" {
		s.Database = filepath.Join(s.Data, "coinslot.db")
	}
	return nil
}

// takenPaths are where the server answers something else than the payment page.
// So are procedures, whose paths all have a full stop, which the page's has not.
var takenPaths = []string{"v1", "images", "dev", "healthz", "readyz", "metrics"}

var pagePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-]+)*$`)

func checkPagePath(address string) error {
	u, err := url.Parse(address)
	if err != nil || !pagePath.MatchString(u.Path) {
		return Misused("--checkout-url must have a path of letters, digits, - and _, or none, got %q", address)
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if slices.Contains(takenPaths, segment) {
		return Misused("--checkout-url must not be below /%s, where the server has something else, got %q", segment, address)
	}
	return nil
}

// readDatabase takes a path, with or without "sqlite:" before it, or the URL of a
// PostgreSQL database.
func (s *Serve) readDatabase(text string) error {
	path, _ := strings.CutPrefix(text, "sqlite:")
	scheme, _, isURL := strings.Cut(path, "://")
	switch {
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		if _, err := url.Parse(path); err != nil {
			return errors.New("must be a URL such as postgres://user:password@host:5432/name, or the path of a SQLite file")
		}
	case isURL || path == "" || strings.HasPrefix(path, "file:") || strings.HasPrefix(path, "postgres") || strings.ContainsAny(path, "?#@="):
		// What was meant for PostgreSQL, in another notation or mistyped, must not become
		// a new file with a password in its name.
		return errors.New("must be the path of a SQLite file, or sqlite: and the path, or a URL such as postgres://user:password@host:5432/name")
	}
	s.Database = path
	return nil
}

func checked(to *string, check func(string) error) Reader {
	return Reader{Default: *to, Read: func(text string) error {
		*to = text
		return check(text)
	}}
}

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}

func checkAddr(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("must be a host and a port such as 127.0.0.1:8080, or :8080 for every address")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("must end with a port from 0 to 65535")
	}
	return nil
}

// baseURL takes a URL that paths are put after.
func baseURL(to *string) func(string) error {
	return func(text string) error {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
			u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
			return errors.New("must be an http(s) URL such as https://pay.example.com, without user, query or fragment")
		}
		*to = strings.TrimRight(text, "/")
		return nil
	}
}

func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, errors.New("must be networks such as 10.1.0.0/16 or fd00::/8")
	}
	return p.Masked(), nil
}

func parseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	if text == "*" || err == nil && u.Scheme != "" && u.Host != "" && text == u.Scheme+"://"+u.Host {
		return text, nil
	}
	return "", errors.New("must be origins such as https://play.example.com, without a path, or *")
}

func rate(to *float64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
			return errors.New("must be a number of requests per second, or 0 for no limit")
		}
		*to = n
		return nil
	}
}

func level(to *slog.Level) func(string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return func(text string) error {
		l, ok := levels[text]
		if !ok {
			return errors.New("must be debug, info, warn or error")
		}
		*to = l
		return nil
	}
}
