package checkout

import (
	"html/template"
	"strings"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// view is what a template shows. Each page fills in what it needs.
type view struct {
	locale locale

	Nonce  string
	Accent template.CSS // in the game's colour

	State   string // what the script and the style tell pages apart by
	Heading string
	Says    string
	Problem string // said aloud by screen readers
	Order   *order
	Owed    bool // the total is due, or was paid
	Sandbox bool
	Form    *form
	Back    *back
	Support *support
	Frame   *frame

	Refresh   string // where a browser without script looks again
	Poll      string // where the script asks for the state
	Seen      string // the state that this page shows, to be compared with a later one
	PaidWith  string
	Link      string // to the page itself
	LinkText  string
	Reference string
}

// T is one of the page's texts.
func (v view) T(key string, gaps ...string) string { return v.locale.text(key, gaps...) }

// Lang is the language that is shown, which is not always the one that was asked for.
func (v view) Lang() string { return v.locale.tag.String() }

// Dir is the direction that the language runs in.
func (v view) Dir() string { return v.locale.dir }

// order is what the player buys, in their notation.
type order struct {
	Game, Logo, Title, Image, Price string
}

// form is what the player pays by.
type form struct {
	Pay, Cancel    string // where the forms go
	Verify         string // where the answer to a challenge goes
	Token, Attempt string
	Card           bool
	Wallets        []wallet
	OtherWallets   []wallet // that this device was not offered; in the sandbox
	InApp          *inApp   // nil: the page is shown in a browser
	Number         field
	Expiry         field
	CVC            field
	TestCards      []TestCard
	TestExpiry     string

	Method   string // of the wallet whose sheet is open
	Approved string
	Declined string
}

// field is one input of the card form. A card's number and code are never put back into it.
type field struct {
	Error string
	Value string
	Focus bool
}

// Fresh is whether the card's fields say nothing yet.
func (f *form) Fresh() bool {
	return f.Number == field{} && f.Expiry == field{} && f.CVC == field{}
}

// wallet is a way to pay with one tap.
type wallet struct{ Name, Href string }

// inApp is what a player is told where the page is shown within an app that cannot show
// the wallet of their system.
type inApp struct {
	Says string
	Open template.URL // opens the page in the system's own browser; empty: no link does
	Page string       // to be copied
}

// back is the way back to the game.
type back struct {
	URL  template.URL
	Text string
	Auto bool // the script tries it by itself
}

// wayBack leads back to the game: while a payment is under way to where the paid
// go, since the game must not take the player for one who cancelled. It makes the one link whose scheme is the game's own. It is checked again
// here, where it becomes a link: html/template lets a template.URL through as it is.
func wayBack(l locale, s pay.Session, game pay.Game) *back {
	to := s.WayBack()
	if s.Live {
		to = s.ReturnURL
	}
	u, err := pay.ParseReturnURL(pay.InvalidReturnURL, "return_url", string(to), pay.Game{})
	if err != nil {
		return nil
	}
	return &back{URL: template.URL(u.For(s.ID)), Text: l.text("back", game.Name)}
}

// support is where the player finds help.
type support struct{ URL, Text string }

// frame is what the script must know where the page may be in one.
type frame struct{ Session, Origins string }

// dress gives a page what its game has set: its colour, its help, and who may frame it.
func (s *view) dress(c gateway.Checkout) {
	s.Accent = accentStyle(c.Game.Accent)
	if c.Game.SupportURL != "" {
		s.Support = &support{c.Game.SupportURL, s.T("support", c.Game.Name)}
	}
	if origins := c.Game.EmbeddableBy(c.Session.Environment); len(origins) > 0 {
		s.Frame = &frame{string(c.Session.ID), strings.Join(origins, " ")}
	}
}

func (h *handler) order(c gateway.Checkout, l locale) *order {
	return &order{
		Game: c.Game.Name, Logo: h.source(c.Game.Logo),
		Title: c.Session.Item.Title, Image: h.source(c.Session.Item.Image), Price: price(c.Session.Item.Price, l.notation),
	}
}

// source is where the page finds a picture.
func (h *handler) source(r pay.ImageRef) string {
	if name, stored := r.Stored(); stored {
		return h.Address.image(name)
	}
	return string(r)
}
