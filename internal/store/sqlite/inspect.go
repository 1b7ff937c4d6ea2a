package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/store"
)

var _ store.Inspector = (*Store)(nil)

// Inspect is store.Inspector's.
func (s *Store) Inspect(ctx context.Context, quick bool) (found store.Inspection, err error) {
	want, known, err := wantedSchema(ctx)
	if err != nil {
		return found, err
	}
	c, err := s.readers.take(ctx)
	if err != nil {
		return found, err
	}
	defer s.readers.give(c)
	if found.Schema, _, err = c.versions(ctx); err != nil {
		return found, fmt.Errorf("read schema version: %w", err)
	}
	found.Known = known
	has := schema{}
	if err := c.rows(ctx, selectSchema, func(row []driver.Value) error { return has.add(row[0], row[1], row[2]) }); err != nil {
		return found, fmt.Errorf("read schema: %w", err)
	}
	found.Wrong, found.Foreign = has.compare(want)
	if !quick {
		found.Pages = true
		found.Damage, err = c.integrity(ctx, "quick_check")
	}
	return found, err
}

// selectSchema reads all that was made by a statement, not what SQLite makes by itself.
const selectSchema = `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL`

// schema is the text of each of its parts, by "trigger refunds_once".
type schema map[string]string

func (s schema) add(kind, name, text any) error {
	s[fmt.Sprint(kind, " ", name)] = fmt.Sprint(text)
	return nil
}

// replicated begins the tables that Litestream keeps in a database that it replicates.
const replicated = "table _litestream_"

// compare says what is not as it is in another.
func (s schema) compare(want schema) (wrong, foreign []string) {
	for part, text := range want {
		switch has, ok := s[part]; {
		case !ok:
			wrong = append(wrong, part+" is missing")
		case has != text:
			wrong = append(wrong, part+" is another than this program makes")
		}
	}
	for part := range s {
		if _, ok := want[part]; !ok && !strings.HasPrefix(part, replicated) && !strings.HasPrefix(part, "table sqlite_") {
			foreign = append(foreign, part)
		}
	}
	slices.Sort(wrong)
	slices.Sort(foreign)
	return wrong, foreign
}

// wantedSchema is the schema as this program makes it.
func wantedSchema(ctx context.Context) (want schema, version int64, err error) {
	db, version, err := newSchema(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, selectSchema)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	want = schema{}
	for rows.Next() {
		var kind, name, text sql.RawBytes
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return nil, 0, err
		}
		if err := want.add(string(kind), string(name), string(text)); err != nil {
			return nil, 0, err
		}
	}
	return want, version, rows.Err()
}
