package sqlstore

import (
	"fmt"
	"sync/atomic"
)

// Where writers run side by side, an event can become visible after one that has a higher
// position: its transaction was given a position earlier and committed later. A reader
// that went on from the higher one would miss it. So the feed ends, for every reader,
// before the first position that is missing, until that one is there, or is filled by an
// event of nobody's, because its transaction came to nothing. To fill a position is to
// insert it: that waits for whoever has it inserted and not committed, and whoever comes
// later than the filler is given another one.

// Frontier is up to where all positions are known to be there. It is safe for concurrent use.
type Frontier struct{ at atomic.Int64 }

// Reached says up to where. It is to be asked before the snapshot is taken that is read.
func (f *Frontier) Reached() int64 { return f.at.Load() }

// Advance moves it forward, never back.
func (f *Frontier) Advance(to int64) {
	for {
		at := f.at.Load()
		if at >= to || f.at.CompareAndSwap(at, to) {
			return
		}
	}
}

// mostPositions is how many positions are looked at in one go.
const mostPositions = 1000

var (
	selectPositions = concurrent(`SELECT position FROM events WHERE position > $1 ORDER BY position LIMIT $2`)

	// An event of nobody's: no environment, no game and no session have it.
	fillPosition = concurrent(`INSERT INTO events (position, id, type, at, session, sequence, environment, game, payment, refund, payload)
		VALUES ($1, $2, '', 0, '', $1, '', '', '', '', '') ON CONFLICT DO NOTHING`)

	keepFrontier   = concurrent(`UPDATE engine SET value = $1 WHERE name = 'settled' AND value < $1`)
	selectFrontier = concurrent(`SELECT value FROM engine WHERE name = 'settled'`)
)

// Walk goes from a position on as far as no other is missing. Where it ends before a
// position that is missing, beyond is the next one that is there; else 0.
func Walk(q Querier, from int64) (reached, beyond int64, err error) {
	for reached = from; ; {
		positions, err := all(q, readInteger, selectPositions, reached, int64(mostPositions))
		if err != nil {
			return reached, 0, fmt.Errorf("walk along the feed: %w", err)
		}
		for _, p := range positions {
			if p != reached+1 {
				return reached, p, nil
			}
			reached = p
		}
		if len(positions) < mostPositions {
			return reached, 0, nil
		}
	}
}

// Fill fills a position that is missing, unless it comes to be there.
func Fill(q Querier, position int64) error {
	_, err := q.Exec(fillPosition, position, fmt.Sprintf("nobody's-%d", position))
	return err
}

// Keep stores how far the frontier is, for those that start later.
func (f *Frontier) Keep(q Querier) error {
	_, err := q.Exec(keepFrontier, f.Reached())
	return err
}

// Resume begins where it was last kept.
func (f *Frontier) Resume(q Querier) error {
	at, err := one(q, readInteger, selectFrontier)
	if err == nil {
		f.Advance(at)
	}
	return err
}

var selectNews = concurrent(`SELECT (SELECT COALESCE(MAX(position), 0) FROM events), value FROM engine WHERE name = 'generation'`)

// News differs from what it was before where events or settings have been written.
type News struct{ position, generation int64 }

// LookForNews says what there is now.
func LookForNews(q Querier) (News, error) {
	return one(q, func(c *columns) (News, error) { return News{c.integer(), c.integer()}, nil }, selectNews)
}
