package checkout

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
)

// Address is where players find the page, such as https://play.example/pay or
// https://pay.example. All URLs of the page are made here.
type Address struct{ base *url.URL }

// ParseAddress reads the page's base URL, with or without a slash at its end.
func ParseAddress(base string) (Address, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	switch {
	case err != nil:
		return Address{}, fmt.Errorf("the payment page's address: %w", err)
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return Address{}, fmt.Errorf("the payment page's address must be an http(s) URL with a host, got %q", base)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return Address{}, fmt.Errorf("the payment page's address must end with its path, got %q", base)
	}
	return Address{u}, nil
}

// PageURL is where the player pays for a session: what Session.url tells.
func (a Address) PageURL(id pay.SessionID) string { return a.base.String() + "/" + string(id) }

// VerifyURL is where the player of a sandbox session answers in place of their bank's page.
func (a Address) VerifyURL(id pay.SessionID) string { return a.PageURL(id) + "/verify" }

// has says whether a URL is of the page's own site. A form's answer may lead there; to
// another site the page's own policy lets only a link lead.
func (a Address) has(u string) bool { return strings.HasPrefix(u, a.origin()+"/") }

// ImageURL is where a stored image is shown.
func (a Address) ImageURL(name pay.ImageName) string {
	return a.base.String() + imagesPath + string(name)
}

// Path is what the page's URLs have in common after their host: "/pay", or nothing.
func (a Address) Path() string { return a.base.EscapedPath() }

// imagesPath is below the page's base as well as at the root: the page must find
// its images wherever it was put.
const imagesPath = "/images/"

func (a Address) origin() string { return a.base.Scheme + "://" + a.base.Host }

// Paths for links within the page. They name no host, so the page works under
// whichever of its names it was opened.
func (a Address) page(id pay.SessionID) string { return a.base.EscapedPath() + "/" + string(id) }
func (a Address) image(name pay.ImageName) string {
	return a.base.EscapedPath() + imagesPath + string(name)
}
func (a Address) do(id pay.SessionID, w string) string { return a.page(id) + "/" + w }
func (a Address) wallet(id pay.SessionID, m pay.Method) string {
	return a.page(id) + "/wallet/" + string(m)
}
