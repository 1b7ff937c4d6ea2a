package pay

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what a game may ask for.
const (
	MostTitle          = 200 // characters
	MostUserID         = 255 // characters
	MostOrderID        = 200 // characters
	MostMetadataPairs  = 50
	MostMetadataKey    = 40  // characters
	MostMetadataValue  = 500 // characters
	ShortestExpiresIn  = time.Minute
	LongestExpiresIn   = 30 * 24 * time.Hour
	mostOfferID        = 500 // characters
	mostLocale         = 35  // characters, RFC 5646 section 4.4.1
	mostIdempotencyKey = 255 // characters
)

// Order is what a game server asks CreateSession for, as it came.
type Order struct {
	Game      GameID
	User      UserID
	Item      *ItemOrder
	ReturnURL string
	CancelURL *string
	Metadata  *Metadata
	ExpiresIn *time.Duration // nil: the game's session_ttl
	OrderID   *string
	Locale    *string
}

// ItemOrder is the item of an Order, as it came.
type ItemOrder struct {
	Title    string
	Price    int64
	Currency string
	Image    *string
	Country  *string
}

var (
	locale   = regexp.MustCompile(`^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$`)
	printing = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)
)

// NewSession decides on an order: a pending session and its first event. Its checks
// run in the order of the request's fields, so the first broken rule is always the same one.
func NewSession(id SessionID, env Environment, game Game, o Order, now time.Time) (Change, error) {
	now = Clock(now)
	s := Session{
		ID: id, Environment: env, Game: game.ID, User: o.User, Status: SessionPending,
		Attempts: game.Attempts, Capture: game.Capture, Confirm: game.ConfirmURL != "", CreatedAt: now,
	}
	if s.Confirm && !game.ConfirmableIn(env) {
		return Change{}, RefuseField(InvalidRequest, "game_id", "names a game that must be asked before its players are charged, at a confirm_url that is not https; a %s session could never be paid", env)
	}
	if err := checkText(InvalidUserID, "user_id", string(o.User), 1, MostUserID); err != nil {
		return Change{}, err
	}
	item, img, err := newItem(game, o.Item)
	if err != nil {
		return Change{}, err
	}
	s.Item = item
	if s.ReturnURL, err = ParseReturnURL(InvalidReturnURL, "return_url", o.ReturnURL, game); err != nil {
		return Change{}, err
	}
	if s.Metadata, err = checkMetadata(o.Metadata); err != nil {
		return Change{}, err
	}
	if o.CancelURL != nil && *o.CancelURL != "" {
		if s.CancelURL, err = ParseReturnURL(InvalidCancelURL, "cancel_url", *o.CancelURL, game); err != nil {
			return Change{}, err
		}
	}
	if err := s.setDeadline(game, o.ExpiresIn); err != nil {
		return Change{}, err
	}
	if err := s.setReferences(o); err != nil {
		return Change{}, err
	}
	c := Change{Session: &s, Image: img}
	c.tell(SessionCreatedEvent, nil, now)
	return c, nil
}

func newItem(game Game, o *ItemOrder) (Item, *Image, error) {
	if o == nil {
		return Item{}, nil, RefuseField(InvalidItem, "item", "is required")
	}
	if err := checkText(InvalidTitle, "item.title", o.Title, 1, MostTitle); err != nil {
		return Item{}, nil, err
	}
	if strings.TrimSpace(o.Title) == "" {
		return Item{}, nil, RefuseField(InvalidTitle, "item.title", "must not be blank")
	}
	if o.Price < 1 || o.Price > MostMinorUnits {
		return Item{}, nil, RefuseField(InvalidPrice, "item.price", "must be a positive integer in minor units, got %d", o.Price)
	}
	currency := Currency(o.Currency)
	switch {
	case o.Currency == "":
		return Item{}, nil, RefuseField(InvalidCurrency, "item.currency", "is required")
	case !currency.Known():
		return Item{}, nil, RefuseField(InvalidCurrency, "item.currency", "must be an ISO 4217 code in upper case such as USD, got %s", quote(o.Currency))
	case !game.Accepts(currency):
		return Item{}, nil, RefuseField(InvalidCurrency, "item.currency", "must be one that the game accepts, got %s", o.Currency)
	}
	item := Item{Title: o.Title, Price: Money{o.Price, currency}}
	var img *Image
	if o.Image != nil && *o.Image != "" {
		var err error
		if item.Image, img, err = ParseImage(*o.Image); err != nil {
			return Item{}, nil, err
		}
	}
	if o.Country != nil && *o.Country != "" {
		if !knownCountry(*o.Country) {
			return Item{}, nil, RefuseField(InvalidItem, "item.country", "must be an ISO 3166-1 alpha-2 code in upper case such as DE, got %s", quote(*o.Country))
		}
		item.Country = *o.Country
	}
	return item, img, nil
}

func checkMetadata(m *Metadata) (*Metadata, error) {
	if m == nil {
		return nil, nil
	}
	if err := checkText(InvalidMetadata, "metadata.offer_id", m.OfferID, 0, mostOfferID); err != nil {
		return nil, err
	}
	if len(m.Values) > MostMetadataPairs {
		return nil, RefuseField(InvalidMetadata, "metadata.values", "must have at most %d pairs, got %d", MostMetadataPairs, len(m.Values))
	}
	for _, key := range slices.Sorted(maps.Keys(m.Values)) {
		value := m.Values[key]
		switch {
		case !storable(key) || !storable(value):
			return nil, RefuseField(InvalidMetadata, "metadata.values", "must be valid UTF-8 without NUL characters")
		case key == "" || utf8.RuneCountInString(key) > MostMetadataKey:
			return nil, RefuseField(InvalidMetadata, "metadata.values", "must have keys of 1 to %d characters", MostMetadataKey)
		case utf8.RuneCountInString(value) > MostMetadataValue:
			return nil, RefuseField(InvalidMetadata, "metadata.values", "must have values of at most %d characters", MostMetadataValue)
		}
	}
	return m, nil
}

func (s *Session) setDeadline(game Game, expiresIn *time.Duration) error {
	ttl := game.SessionTTL
	if expiresIn != nil {
		if ttl = *expiresIn; ttl < ShortestExpiresIn || ttl > LongestExpiresIn {
			return RefuseField(InvalidExpiresIn, "expires_in", "must be 60s to 2592000s (30 days), got %ss", strconv.FormatFloat(ttl.Seconds(), 'f', -1, 64))
		}
	}
	s.ExpiresAt = Clock(s.CreatedAt.Add(ttl))
	return nil
}

func (s *Session) setReferences(o Order) error {
	if o.OrderID != nil {
		if err := checkText(InvalidRequest, "order_id", *o.OrderID, 0, MostOrderID); err != nil {
			return err
		}
		s.OrderID = *o.OrderID
	}
	if o.Locale != nil && *o.Locale != "" {
		if len(*o.Locale) > mostLocale || !locale.MatchString(*o.Locale) {
			return RefuseField(InvalidRequest, "locale", "must be a BCP 47 language tag such as pt-BR, got %s", quote(*o.Locale))
		}
		s.Locale = *o.Locale
	}
	return nil
}

// CheckIdempotencyKey refuses a key that is not 1 to 255 printable ASCII characters.
func CheckIdempotencyKey(key string) error {
	if len(key) > mostIdempotencyKey || !printing.MatchString(key) {
		return RefuseField(InvalidIdempotencyKey, "Idempotency-Key", "must be 1 to %d printable ASCII characters, got %s", mostIdempotencyKey, quote(key))
	}
	return nil
}

// countries are the codes of ISO 3166-1 alpha-2.
const countries = ` AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW `

func knownCountry(code string) bool {
	return len(code) == 2 && strings.Contains(countries, " "+code+" ")
}
