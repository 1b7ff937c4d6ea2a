package pay

import (
	"net/url"
	"slices"
	"strings"
)

// LongestURL is the length at which a URL or return URI is refused, in bytes.
const LongestURL = 2048

// sessionPlaceholder in a return URI is replaced by the session's id.
const sessionPlaceholder = "{SESSION_ID}"

// ReturnURL is where the player goes after paying: an absolute URI that was
// checked, mostly of the game's own scheme. Only a value of this type is ever put
// into a link as it is.
type ReturnURL string

// refusedSchemes run script, read the device or drive its other apps, so a page
// that links to one would do that in the player's hands.
var refusedSchemes = []string{
	"javascript", "data", "vbscript", "file", "filesystem", "blob", "about", "view-source",
	"intent", "android-app", "content", "itms", "itms-apps", "itms-appss", "itms-services", "market",
	"tel", "sms", "smsto", "mms", "mailto", "facetime", "facetime-audio", "callto", "skype",
	"ws", "wss", "ftp", "jar", "resource", "chrome", "edge", "opera", "res", "mhtml", "shell", "vnd.ms.radio",
}

// ParseReturnURL checks a return URI against the rules for all games and against
// the schemes and hosts that this game allows.
func ParseReturnURL(code Code, field, text string, game Game) (ReturnURL, error) {
	if err := checkURI(code, field, text); err != nil {
		return "", err
	}
	u, err := url.Parse(strings.ReplaceAll(text, sessionPlaceholder, "sess"))
	if err != nil || !u.IsAbs() {
		return "", refuseField(code, field, "must be an absolute URI such as mygame://done, got %s", quote(text))
	}
	scheme := strings.ToLower(u.Scheme)
	web := scheme == "http" || scheme == "https"
	switch {
	case slices.Contains(refusedSchemes, scheme), strings.HasPrefix(scheme, "ms-"), strings.HasPrefix(scheme, "x-apple"):
		return "", refuseField(code, field, "must not use the scheme %q", scheme)
	case web && u.Hostname() == "", u.Host == "" && u.Path == "" && u.Opaque == "" && u.RawQuery == "" && !strings.Contains(text, "//"):
		return "", refuseField(code, field, "must name something after %q, got %s", scheme+":", quote(text))
	case len(game.ReturnSchemes) > 0 && !slices.Contains(game.ReturnSchemes, scheme):
		return "", refuseField(code, field, "must use a scheme that the game allows (%s), got %q", strings.Join(game.ReturnSchemes, ", "), scheme)
	case web && len(game.ReturnHosts) > 0 && !slices.Contains(game.ReturnHosts, strings.ToLower(u.Hostname())):
		return "", refuseField(code, field, "must lead to a host that the game allows (%s), got %q", strings.Join(game.ReturnHosts, ", "), u.Hostname())
	}
	return ReturnURL(text), nil
}

// checkURI refuses what no URI may hold. A browser strips white space and control
// characters before it reads a scheme, so "java\nscript:" must not get past here.
func checkURI(code Code, field, text string) error {
	switch {
	case text == "":
		return refuseField(code, field, "is required")
	case len(text) > LongestURL:
		return refuseField(code, field, "must be at most %d bytes long, got %d", LongestURL, len(text))
	case !storable(text):
		return refuseField(code, field, "must be valid UTF-8 without NUL characters")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' || r == '"' || r == '<' || r == '>' }):
		return refuseField(code, field, "must be a URI without spaces, control characters, quotes, backslashes or angle brackets")
	}
	return nil
}

// For is the URI for one session, its placeholder filled in.
func (r ReturnURL) For(id SessionID) string {
	return strings.ReplaceAll(string(r), sessionPlaceholder, string(id))
}
