package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Bounds of a page, as documented.
const (
	defaultLimit = 100
	mostLimit    = 250
)

// windowOf checks which part of a list is wanted. filters are what the list is
// selected by: a cursor only goes on with the list that it came from.
func windowOf(limit, offset *int32, cursor *string, filters ...string) (store.Window, error) {
	w := store.Window{Limit: defaultLimit}
	if limit != nil {
		if *limit < 1 || *limit > mostLimit {
			return w, pay.RefuseField(pay.InvalidLimit, "limit", "must be 1 to %d, got %d", mostLimit, *limit)
		}
		w.Limit = int(*limit)
	}
	if offset != nil {
		if *offset < 0 {
			return w, pay.RefuseField(pay.InvalidOffset, "offset", "must not be negative, got %d", *offset)
		}
		w.Offset = int(*offset)
	}
	if cursor != nil && *cursor != "" {
		if w.Offset > 0 {
			return w, pay.RefuseField(pay.InvalidOffset, "offset", "must be left out where a cursor is given")
		}
		after, ok := openCursor(*cursor, filters)
		if !ok {
			return w, pay.RefuseField(pay.InvalidCursor, "cursor", "must be a next_cursor that a list with the same filters gave")
		}
		w.After = after
	}
	return w, nil
}

// checkFilters refuses filters with a NUL, which no row has and not every store can look for.
func checkFilters(user, order string) error {
	const wanted = "must be valid UTF-8 without NUL characters"
	switch {
	case strings.ContainsRune(user, 0):
		return pay.RefuseField(pay.InvalidUserID, "user_id", wanted)
	case strings.ContainsRune(order, 0):
		return pay.RefuseField(pay.InvalidRequest, "order_id", wanted)
	}
	return nil
}

// coversFilter refuses the game of a filter, where there is one, that the caller may not
// act for, before anything else of its request is looked at.
func coversFilter(g *gateway.Service, c gateway.Caller, game string) error {
	if game == "" {
		return nil
	}
	return g.Covers(c, pay.GameID(game))
}

// mostPageBytes is about how large a page can be: what comes after is the next one's. A few
// callers with large metadata must not fill the memory.
const mostPageBytes = 1 << 20

// messages converts a page's rows, as many as fit a page.
func messages[T any, M proto.Message](p *store.Page[T], convert func(T) M) []M {
	var out []M
	size := 0
	for i, row := range p.Rows {
		m := convert(row)
		if size += proto.Size(m); size > mostPageBytes && i > 0 {
			p.Rows, p.More = p.Rows[:i], true
			break
		}
		out = append(out, m)
	}
	return out
}

// nextCursor is the cursor of the page that follows, if one does. Its list and total are
// told beside it where a REST answer has no room for them.
func nextCursor[T any](ctx context.Context, p store.Page[T], id func(T) string, filters []string) *string {
	var next *string
	if p.More {
		next = proto.String(newCursor(id(p.Rows[len(p.Rows)-1]), filters))
	}
	tellPage(ctx, int32(p.Total), next)
	return next
}

// cursorMark is how much of the filters' hash a cursor carries, in bytes: enough to
// notice a mistake. A cursor is no secret and grants nothing.
const cursorMark = 6

// newCursor points after the row with the given id in the list with these filters.
func newCursor(id string, filters []string) string {
	return base64.RawURLEncoding.EncodeToString(append(filterMark(filters), id...))
}

func openCursor(text string, filters []string) (after string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) <= cursorMark || len(raw) > 100 || !bytes.Equal(raw[:cursorMark], filterMark(filters)) {
		return "", false
	}
	return string(raw[cursorMark:]), true
}

func filterMark(filters []string) []byte {
	var joined []byte
	for _, f := range filters {
		joined = append(append(joined, f...), 0) // 0 is in no filter
	}
	sum := sha256.Sum256(joined)
	return slices.Clone(sum[:cursorMark])
}
