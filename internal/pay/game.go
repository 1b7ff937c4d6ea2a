package pay

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Environment keeps play money and real money apart. Everything that is made with a
// key belongs to that key's environment, and is never seen from the other one.
type Environment string

// The environments.
const (
	Sandbox    Environment = "sandbox"
	Production Environment = "production"
)

// CaptureMode says when an authorized payment is taken.
type CaptureMode string

// The capture modes of a game.
const (
	CaptureAutomatic CaptureMode = "automatic" // at once
	CaptureManual    CaptureMode = "manual"    // by CompletePayment
)

// Defaults and bounds of a game's settings.
const (
	DefaultSessionTTL  = 24 * time.Hour
	ShortestSessionTTL = time.Minute
	LongestSessionTTL  = 30 * 24 * time.Hour
	MostAttempts       = 10
)

// Game is a game and its settings. The operator makes it.
type Game struct {
	ID            GameID
	Name          string // shown to players
	Attempts      int    // payments that may fail before the session does, 1..MostAttempts
	Capture       CaptureMode
	SessionTTL    time.Duration
	ConfirmURL    string         // who is asked before a player is charged; empty: nobody
	ConfirmSecret []SealedSecret // what it is asked with, newest first; each signs until it expires
	ReturnSchemes []string       // schemes allowed in return URIs, lower case; empty: any
	ReturnHosts   []string       // hosts allowed in http(s) return URIs, lower case; empty: any
	Currencies    []Currency     // accepted; empty: all
	Logo          ImageRef       // shown beside the name: an https URL or a stored image; empty: none
	Accent        string         // the colour of buttons, #rrggbb; empty: the page's own
	SupportURL    string         // where players find help, https or mailto; empty: nowhere
	EmbedOrigins  []string       // web origins that may frame the page; empty: none
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

var (
	gameID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	scheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`) // RFC 3986, section 3.1
)

// WithDefaults fills in what the operator left out.
func (g Game) WithDefaults() Game {
	if g.Name == "" {
		g.Name = string(g.ID)
	}
	if g.Attempts == 0 {
		g.Attempts = 1
	}
	if g.Capture == "" {
		g.Capture = CaptureAutomatic
	}
	if g.SessionTTL == 0 {
		g.SessionTTL = DefaultSessionTTL
	}
	return g
}

// Check refuses settings that are out of bounds.
func (g Game) Check() error {
	switch {
	case !gameID.MatchString(string(g.ID)):
		return RefuseField(InvalidSetting, "id", "must match [a-z0-9][a-z0-9_-]{0,63}, got %s", quote(string(g.ID)))
	case g.Attempts < 1 || g.Attempts > MostAttempts:
		return RefuseField(InvalidSetting, "payment_attempts", "must be 1 to %d, got %d", MostAttempts, g.Attempts)
	case g.Capture != CaptureAutomatic && g.Capture != CaptureManual:
		return RefuseField(InvalidSetting, "capture", "must be automatic or manual, got %s", quote(string(g.Capture)))
	case g.SessionTTL < ShortestSessionTTL || g.SessionTTL > LongestSessionTTL:
		return RefuseField(InvalidSetting, "session_ttl", "must be %v to %v, got %v", ShortestSessionTTL, LongestSessionTTL, g.SessionTTL)
	}
	if err := g.checkConfirm(); err != nil {
		return err
	}
	for _, c := range g.Currencies {
		if !c.Known() {
			return RefuseField(InvalidSetting, "currencies", "must be ISO 4217 codes in upper case, got %s", quote(string(c)))
		}
	}
	for _, s := range g.ReturnSchemes {
		if !scheme.MatchString(s) || refusedScheme(s) {
			return RefuseField(InvalidSetting, "return_url_schemes", "must be lower-case URI schemes that are safe to link to, got %s", quote(s))
		}
	}
	for _, h := range g.ReturnHosts {
		if h != strings.ToLower(h) || h == "" || strings.ContainsAny(h, "/:@ ") {
			return RefuseField(InvalidSetting, "return_url_hosts", "must be lower-case host names, got %s", quote(h))
		}
	}
	if err := g.checkLook(); err != nil {
		return err
	}
	return checkText(InvalidSetting, "name", g.Name, 1, 100)
}

func (g Game) checkConfirm() error {
	switch {
	case g.ConfirmURL == "":
		return nil
	case g.Capture == CaptureManual:
		return RefuseField(InvalidSetting, "confirm_url", "needs capture automatic: with manual, CompletePayment is the game's approval")
	}
	return checkHTTPURL("confirm_url", g.ConfirmURL, false)
}

// Accepts says whether the game sells in currency c.
func (g Game) Accepts(c Currency) bool {
	return len(g.Currencies) == 0 || slices.Contains(g.Currencies, c)
}

// checkHTTPURL refuses what is not an absolute http(s) URL without user info.
func checkHTTPURL(field, text string, secure bool) error {
	if err := checkURI(InvalidSetting, field, text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return RefuseField(InvalidSetting, field, "must be an http(s) URL, got %s", quote(text))
	case u.User != nil:
		return RefuseField(InvalidSetting, field, "must not carry a user name or password")
	case secure && u.Scheme != "https":
		return RefuseField(InvalidSetting, field, "must be https in production, got %s", quote(text))
	}
	return nil
}
