package inbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// eventsAPage is how many events one page lists.
const eventsAPage = 50

// filter is what is asked for, as it stands in a URL.
type filter struct {
	gateway.InboxQuery
	before int64
}

// readFilter reads a URL's query, which people edit.
func readFilter(q url.Values) (f filter, err error) {
	f.Game = pay.GameID(strings.TrimSpace(q.Get("game")))
	if text := strings.TrimSpace(q.Get("session")); text != "" {
		if f.Session, err = pay.ParseSessionID("session", text); err != nil {
			return f, err
		}
	}
	if f.Type, err = readType(q.Get("type")); err != nil {
		return f, err
	}
	f.before, err = readPlace("before", q.Get("before"))
	return f, err
}

func readType(text string) (pay.EventType, error) {
	for _, t := range append([]pay.EventType{""}, pay.EventTypes...) {
		if t == pay.EventType(text) {
			return t, nil
		}
	}
	return "", pay.RefuseField(pay.InvalidSetting, "type", "must be a type of event such as session.paid, got %.120q", text)
}

// readPlace reads a place in the feed.
func readPlace(field, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, pay.RefuseField(pay.InvalidCursor, field, "must be a whole number that a page of the inbox gave, got %.120q", text)
	}
	return n, nil
}

// query writes the filter as it was read, with places in the feed beside it.
func (f filter) query(pairs ...string) string {
	q := url.Values{}
	for _, p := range append([][2]string{{"game", string(f.Game)}, {"type", string(f.Type)}, {"session", string(f.Session)}}, inPairs(pairs)...) {
		if p[1] != "" {
			q.Set(p[0], p[1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func inPairs(flat []string) (pairs [][2]string) {
	for i := 0; i < len(flat); i += 2 {
		pairs = append(pairs, [2]string{flat[i], flat[i+1]})
	}
	return pairs
}

// listPage is what the list's template shows.
type listPage struct {
	layout
	Filter   filter
	Filtered bool
	Rows     []row
	Games    []pay.Game
	Types    []pay.EventType
	Secret   string
	Live     string // where the script hears of more; empty on a page of older events
	List     string // where it then gets the list
	Here     string // this page, to look again
	Newest   string
	Older    string // empty: there are none
	First    firstSteps
}

// row is one event of the list.
type row struct {
	pay.Event
	Link string
}

// Tone is whether an event is good news, which the style shows.
func (r row) Tone() string {
	switch _, what, _ := strings.Cut(string(r.Type), "."); what {
	case "paid", "succeeded":
		return "good"
	case "failed", "expired", "cancelled":
		return "bad"
	}
	return "plain"
}

// When is the time as it is read aloud, and Stamp as a machine reads it.
func (r row) When() string  { return r.At.UTC().Format("2006-01-02 15:04:05 UTC") }
func (r row) Stamp() string { return r.At.UTC().Format(time.RFC3339Nano) }

// firstSteps is what an empty inbox advises.
type firstSteps struct{ Create, Trigger string }

func (v *visit) list() { v.listAs("layout.html") }

// listing is the list alone, which the script puts in the place of the one that is shown.
func (v *visit) listing() { v.listAs("listing") }

func (v *visit) listAs(part string) {
	f, err := readFilter(v.r.URL.Query())
	if err != nil {
		v.refuse(err)
		return
	}
	found, err := v.Service.Inbox(v.r.Context(), f.InboxQuery, f.before, eventsAPage)
	if err != nil {
		v.refuse(err)
		return
	}
	page := listPage{
		layout: v.layout("list", "Webhook inbox"), Filter: f, Filtered: f.query() != "",
		Games: found.Games, Types: pay.EventTypes, Secret: v.Secret, First: v.firstSteps(found.Games),
		Here: Path + f.query("before", v.r.URL.Query().Get("before")),
	}
	for _, e := range found.Events {
		page.Rows = append(page.Rows, row{e, Path + "/" + string(e.ID)})
	}
	if found.Before != 0 {
		page.Older = Path + f.query("before", strconv.FormatInt(found.Before, 10))
	}
	if f.before == 0 {
		page.List = Path + "/list" + f.query()
		page.Live = Path + "/live" + f.query("after", strconv.FormatInt(found.Latest, 10))
	} else {
		page.Newest = Path + f.query()
	}
	v.renderPart(http.StatusOK, "list", part, page)
}

// firstSteps are commands that work as they are copied, but for the key.
func (v *visit) firstSteps(games []pay.Game) firstSteps {
	game := pay.GameID("space_shooter")
	if len(games) > 0 {
		game = games[0].ID
	}
	return firstSteps{
		Create: "curl " + quoted(v.PublicURL+"/v1/sessions") + ` \
  -H 'Authorization: Bearer sk_sandbox_…' \
  -H 'Content-Type: application/json' \
  -d ` + quoted(`{"game_id":"`+string(game)+`","user_id":"player_42","item":{"title":"50 Gold Coins","price":499,"currency":"USD"},"return_url":"mygame://payment-complete"}`),
		Trigger: v.Program + " trigger session.paid --game " + string(game) + v.ProgramFlag,
	}
}
