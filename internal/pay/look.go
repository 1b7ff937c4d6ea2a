package pay

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a game may set of its payment page: how it looks, where its players find help,
// and who may show it in a frame.

// MostEmbedOrigins bounds how many origins may frame a game's page: all are named in a
// header of each answer.
const MostEmbedOrigins = 20

var (
	colour = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

	// hostName is what a content policy can name exactly: ASCII, in lower case, without
	// underscores, and no address of figures, which browsers do not match.
	hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$`)

	mailbox = regexp.MustCompile(`^[^@]+@[^@]+$`)
)

// ParseLogo checks a game's logo: nothing, a data: URI, whose picture is returned to be
// stored, or an https URL.
func ParseLogo(text string) (ImageRef, *Image, error) {
	if head, rest, _ := strings.Cut(text, ":"); strings.EqualFold(head, "data") {
		img, err := decodeImage(InvalidSetting, "logo", rest)
		if err != nil {
			return "", nil, err
		}
		return storedImage + ImageRef(img.Name), img, nil
	}
	return ImageRef(text), nil, checkLogoURL(text)
}

// checkLook refuses what the payment page could not show, or must not.
func (g Game) checkLook() error {
	if err := checkLogo(g.Logo); err != nil {
		return err
	}
	if g.Accent != "" && !colour.MatchString(g.Accent) {
		return RefuseField(InvalidSetting, "accent_color", "must be a colour such as #3151d3, got %s", quote(g.Accent))
	}
	if err := checkSupport(g.SupportURL); err != nil {
		return err
	}
	if len(g.EmbedOrigins) > MostEmbedOrigins {
		return RefuseField(InvalidSetting, "embed_origins", "must be at most %d, got %d", MostEmbedOrigins, len(g.EmbedOrigins))
	}
	for i, origin := range g.EmbedOrigins {
		if !embedOrigin(origin) {
			return RefuseField(InvalidSetting, "embed_origins", "must be origins as browsers write them, such as https://shop.example.com or, for the sandbox, http://localhost:3000, got %s", quote(origin))
		}
		if slices.Contains(g.EmbedOrigins[:i], origin) {
			return RefuseField(InvalidSetting, "embed_origins", "must name each origin once, got %s twice", quote(origin))
		}
	}
	return nil
}

func checkLogo(logo ImageRef) error {
	if _, stored := logo.Stored(); stored {
		return nil
	}
	return checkLogoURL(string(logo))
}

// checkLogoURL wants https: an https page need not load an image over http.
func checkLogoURL(text string) error {
	if text == "" {
		return nil
	}
	if err := checkURI(InvalidSetting, "logo", text); err != nil {
		return err
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return RefuseField(InvalidSetting, "logo", "must be an https URL without a user name, or a data:image/png, jpeg or webp URI in base64, got %s", quote(text))
	}
	return nil
}

func checkSupport(text string) error {
	if text == "" {
		return nil
	}
	if err := checkURI(InvalidSetting, "support_url", text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil:
		return nil
	case err == nil && u.Scheme == "mailto" && mailbox.MatchString(u.Opaque):
		return nil
	}
	return RefuseField(InvalidSetting, "support_url", "must be an https URL without a user name, or mailto: and an address, got %s", quote(text))
}

// embedOrigin says whether text is an origin exactly as a browser writes it, so that
// what is compared with it elsewhere is equal to the letter.
func embedOrigin(text string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	host, port, hasPort := strings.Cut(rest, ":")
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return false
		}
	}
	switch scheme {
	case "https":
		return port != "443" && len(host) <= 253 && hostName.MatchString(host)
	case "http":
		return port != "80" && host == "localhost"
	}
	return false
}

// EmbeddableBy lists the origins that may frame the page of a session in env. Only play
// money may be shown in a page that anybody on the way could have changed.
func (g Game) EmbeddableBy(env Environment) []string {
	if env == Sandbox {
		return g.EmbedOrigins
	}
	return slices.DeleteFunc(slices.Clone(g.EmbedOrigins), func(origin string) bool { return !strings.HasPrefix(origin, "https://") })
}
