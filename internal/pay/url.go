package pay

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// LongestURL is how many characters a URL or return URI may have.
const LongestURL = 2048

// sessionPlaceholder in a return URI is replaced by the session's id. A URI is
// checked with standIn there: what it is with any session's id, it is with that one.
const (
	sessionPlaceholder = "{SESSION_ID}"
	standIn            = "sess_0"
)

// ReturnURL is where the player goes after paying: an absolute URI that was
// checked, mostly of the game's own scheme. Only a value of this type is ever put
// into a link as it is.
type ReturnURL string

// refusedSchemes run script, read the device or drive its other apps, so a page
// that links to one would do that in the player's hands.
var refusedSchemes = []string{
	// Script, and documents that are not of the web.
	"javascript", "livescript", "vbscript", "data", "file", "filesystem", "blob", "about", "view-source",
	"jar", "resource", "res", "mhtml", "wyciwyg", "feed", "content", "chrome", "edge", "opera", "shell",
	// The device and its apps.
	"intent", "android-app", "itms", "itms-apps", "itms-appss", "itms-services", "macappstore", "macappstores", "market",
	"shortcuts", "prefs", "app-prefs", "app-settings", "vscode", "onenote", "geo", "maps", "wtai", "vnd.ms.radio",
	// Calls and messages.
	"tel", "telprompt", "sms", "smsto", "mms", "mmsto", "mailto", "facetime", "facetime-audio", "facetime-prompt",
	"callto", "skype", "sip", "sips", "xmpp",
	// Other protocols.
	"ws", "wss", "ftp", "ftps", "sftp", "smb", "afp", "nfs", "vnc", "rdp", "telnet", "ssh", "ldap", "ldaps", "gopher", "news", "nntp",
}

// refusedScheme knows also the beginnings and the end that families of them share.
func refusedScheme(scheme string) bool {
	for _, family := range []string{"ms-", "x-apple", "microsoft", "search"} {
		if strings.HasPrefix(scheme, family) {
			return true
		}
	}
	return strings.HasSuffix(scheme, "-extension") || slices.Contains(refusedSchemes, scheme)
}

// ParseReturnURL checks a return URI against the rules for all games and against
// the schemes and hosts that this game allows.
func ParseReturnURL(code Code, field, text string, game Game) (ReturnURL, error) {
	if err := checkURI(code, field, text); err != nil {
		return "", err
	}
	u, err := url.Parse(strings.ReplaceAll(text, sessionPlaceholder, standIn))
	if err != nil || !u.IsAbs() {
		return "", RefuseField(code, field, "must be an absolute URI such as mygame://done, got %s", quote(text))
	}
	scheme := strings.ToLower(u.Scheme)
	web := scheme == "http" || scheme == "https"
	switch {
	case refusedScheme(scheme):
		return "", RefuseField(code, field, "must not use the scheme %q", scheme)
	case web && u.Hostname() == "", u.Host == "" && u.Path == "" && u.Opaque == "" && u.RawQuery == "" && !strings.Contains(text, "//"):
		return "", RefuseField(code, field, "must name something after %q, got %s", scheme+":", quote(text))
	case len(game.ReturnSchemes) > 0 && !slices.Contains(game.ReturnSchemes, scheme):
		return "", RefuseField(code, field, "must use a scheme that the game allows (%s), got %q", strings.Join(game.ReturnSchemes, ", "), scheme)
	case web && len(game.ReturnHosts) > 0 && !slices.Contains(game.ReturnHosts, strings.ToLower(u.Hostname())):
		return "", RefuseField(code, field, "must lead to a host that the game allows (%s), got %q", strings.Join(game.ReturnHosts, ", "), u.Hostname())
	}
	return ReturnURL(text), nil
}

// checkURI refuses what no URI may hold. A browser strips white space and control
// characters before it reads a scheme, so "java\nscript:" must not get past here.
func checkURI(code Code, field, text string) error {
	switch {
	case text == "":
		return RefuseField(code, field, "is required")
	case utf8.RuneCountInString(text) > LongestURL:
		return RefuseField(code, field, "must be at most %d characters long, got %d", LongestURL, utf8.RuneCountInString(text))
	case !storable(text):
		return RefuseField(code, field, "must be valid UTF-8 without NUL characters")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || controls(r) || r == '\\' || r == '"' || r == '<' || r == '>' }):
		return RefuseField(code, field, "must be a URI without spaces, control characters, quotes, backslashes or angle brackets")
	}
	return nil
}

// For is the URI for one session, its placeholder filled in.
func (r ReturnURL) For(id SessionID) string {
	return strings.ReplaceAll(string(r), sessionPlaceholder, string(id))
}
