package sqlstore

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// mostLooked is how many events one page of the feed looks at: a filter that few
// events pass must not make a page cost as much as the whole feed.
const mostLooked = 2000

// The feed's statements. The placeholders are $1 environment, $2 game or session, $3
// after this position, $4 how many, $5 up to this position, beyond which an event may be
// visible and one before it not yet: see settled.go.
//
// That of all games has no index of its own, which every event would pay for. It comes by
// the other environment's events too, so they are told apart here rather than by the
// statement: passed over within it, any number of them would cost one page.
var (
	feedOfAll = statement(`SELECT environment = $1 AND $2 = '', type, ` + placedEvent + ` FROM events
		WHERE position > $3 AND position <= $5 ORDER BY position LIMIT $4`)
	feedOfGame = statement(`SELECT 1, type, ` + placedEvent + ` FROM events
		WHERE environment = $1 AND game = $2 AND position > $3 AND position <= $5 ORDER BY position LIMIT $4`)
	feedOfSession = statement(`SELECT 1, type, ` + placedEvent + ` FROM events
		WHERE environment = $1 AND session = $2 AND position > $3 AND position <= $5 ORDER BY sequence LIMIT $4`)
)

// The same from the other end, where $3 is the position before which it goes on.
var (
	recentOfAll = statement(`SELECT environment = $1 AND $2 = '', type, ` + placedEvent + ` FROM events
		WHERE position < $3 AND position <= $5 ORDER BY position DESC LIMIT $4`)
	recentOfGame = statement(`SELECT 1, type, ` + placedEvent + ` FROM events
		WHERE environment = $1 AND game = $2 AND position < $3 AND position <= $5 ORDER BY position DESC LIMIT $4`)
	recentOfSession = statement(`SELECT 1, type, ` + placedEvent + ` FROM events
		WHERE environment = $1 AND session = $2 AND position < $3 AND position <= $5 ORDER BY sequence DESC LIMIT $4`)
)

var (
	selectLatest       = statement(`SELECT COALESCE(MAX(position), 0) FROM events WHERE position <= $1`)
	selectLatestOfGame = statement(`SELECT COALESCE(MAX(position), 0) FROM events WHERE environment = $1 AND game = $2 AND position <= $3`)

	selectHappened = statement(`SELECT position, environment, game, session FROM events
		WHERE position > $1 AND position <= $3 ORDER BY position LIMIT $2`)
)

// LatestEvent is store.Reader's.
func (r Reader) LatestEvent(env pay.Environment, game pay.GameID) (int64, error) {
	end, err := settled(r.q)
	switch {
	case err != nil:
		return 0, err
	case game == "":
		return one(r.q, readInteger, selectLatest, end)
	}
	return one(r.q, readInteger, selectLatestOfGame, string(env), string(game), end)
}

// Happened is store.Reader's.
func (r Reader) Happened(after int64, most int) ([]store.Happening, error) {
	end, err := settled(r.q)
	if err != nil {
		return nil, err
	}
	return all(r.q, readHappening, selectHappened, after, int64(most), end)
}

func readHappening(c *columns) (store.Happening, error) {
	return store.Happening{
		Position:    c.integer(),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		Session:     pay.SessionID(c.text()),
	}, nil
}

// Event is store.Reader's.
func (r Reader) Event(id pay.EventID) (pay.Event, error) {
	return one(r.q, readEvent, selectEvent, string(id))
}

// Events is store.Reader's.
func (r Reader) Events(eq store.EventQuery) (store.Feed, error) {
	s, of := narrowest(eq, feedOfAll, feedOfGame, feedOfSession)
	return r.feed(s, of, eq, eq.After)
}

// Recent is store.Reader's.
func (r Reader) Recent(eq store.EventQuery, before int64) (store.Feed, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	s, of := narrowest(eq, recentOfAll, recentOfGame, recentOfSession)
	return r.feed(s, of, eq, before)
}

// narrowest is the statement that reads the fewest events, and what it reads those of.
func narrowest(eq store.EventQuery, all, ofGame, ofSession *Statement) (s *Statement, of string) {
	switch {
	case eq.Session != "":
		return ofSession, string(eq.Session)
	case eq.Game == "":
		return all, ""
	}
	return ofGame, string(eq.Game)
}

// feed reads a page from a position, in the direction of the statement.
func (r Reader) feed(s *Statement, of string, eq store.EventQuery, from int64) (store.Feed, error) {
	end, err := settled(r.q)
	if err != nil {
		return store.Feed{}, err
	}
	feed, looked := store.Feed{Next: from}, 0
	err = r.q.Query(s, func(row Row) error {
		if len(feed.Rows) == eq.Limit {
			return errEnough // and that this row is there says that more follow
		}
		looked++
		feed.Next = row.Int(2)
		if row.Int(0) == 0 || len(eq.Types) > 0 && !slices.Contains(eq.Types, pay.EventType(row.Text(1))) {
			return nil // before its payload is read
		}
		e, err := readEvent(&columns{row: row, next: 2})
		if eq.Session == "" || eq.Game == "" || e.Game == eq.Game {
			feed.Rows = append(feed.Rows, e)
		}
		return err
	}, string(eq.Environment), of, from, int64(mostLooked), end)
	if err != nil && !errors.Is(err, errEnough) {
		return store.Feed{}, fmt.Errorf("feed of events: %w", err)
	}
	feed.More = errors.Is(err, errEnough) || looked == mostLooked
	return feed, nil
}
