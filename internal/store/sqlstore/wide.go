package sqlstore

import (
	"fmt"
	"slices"
	"strings"
)

// Sessions that are made at the same time are written together where writers run side by
// side: one statement for each table, since most of what a statement costs does not depend
// on how many rows it writes. Such a wide statement is given a list for each column.

// wide are the wide forms of the statements that make a session. They stand in the order in
// which they are to be run: what can be refused comes before the event, which takes a
// position in the feed that it would leave empty.
var wide = []struct{ one, many *Statement }{
	// Of two answers under one key the database takes neither: it does not change a row twice.
	{insertAnswer, widened(`INSERT INTO answers ($columns) SELECT $columns FROM $lists
		ON CONFLICT (environment, game, method, key)
		DO UPDATE SET fingerprint = excluded.fingerprint, result = excluded.result, expires_at = excluded.expires_at
		WHERE answers.expires_at <= (SELECT MIN(now) FROM unnest($8::bigint[]) AS given (now))`, answerColumns)},
	{insertSession, widened(`INSERT INTO sessions ($columns) SELECT $columns FROM $lists ON CONFLICT DO NOTHING`, sessionColumns)},
	{insertEvent, widened(`INSERT INTO events ($columns) SELECT $columns FROM $lists ON CONFLICT DO NOTHING`, eventColumns)},
	{putEventDelivery, widened(`INSERT INTO deliveries (id, endpoint, event, status, leased, attempts, since, due_at)
		SELECT given.number * 1099511627776 + e.position, given.number, e.position, 'pending', 0, 0, e.at, 0
		FROM $lists JOIN events AS e ON e.session = given.session AND e.sequence = given.sequence`, "number, session, sequence")},
	{addTallies, addTallies},
}

// widened is a statement that is given a list for each of the columns.
func widened(sql, columns string) *Statement {
	var lists []string
	for n, column := range strings.Split(columns, ",") {
		kind := "text"
		switch column = strings.TrimSpace(column); {
		case slices.Contains(integerColumns, column):
			kind = "bigint"
		case slices.Contains(byteColumns, column):
			kind = "bytea"
		}
		lists = append(lists, fmt.Sprintf("$%d::%s[]", n+1, kind))
	}
	return concurrent(strings.NewReplacer("$columns", columns,
		"$lists", "unnest("+strings.Join(lists, ", ")+") AS given ("+columns+")").Replace(sql))
}

var (
	integerColumns = []string{"number", "sequence", "at", "amount", "attempts", "confirm", "live", "spent", "created_at", "expires_at",
		"paid_at", "failed_at", "cancelled_at", "expired_at", "version", "rows"}
	byteColumns = []string{"fingerprint", "payload"}
)

// Wide is the wide form of a statement and its place among those that are run together. It
// is nil where there is none.
func Wide(s *Statement) (many *Statement, place int) {
	for place = range wide {
		if wide[place].one == s {
			return wide[place].many, place
		}
	}
	return nil, -1
}
