package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

var _ store.Inspector = (*Store)(nil)

// describe lists all parts of the schema that is looked into, with how they are.
const describe = `
SELECT 'column ' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, collname, pg_get_expr(adbin, adrelid))
	FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_collation ON pg_collation.oid = attcollation
	LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
	WHERE relnamespace = $1::text::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND relname <> 'goose_db_version'
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
	WHERE relnamespace = $1::text::regnamespace AND relname <> 'goose_db_version'
UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = $1::text AND tablename <> 'goose_db_version'
UNION ALL SELECT 'trigger ' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
	WHERE relnamespace = $1::text::regnamespace AND NOT tgisinternal
UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = $1::text::regnamespace
	AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')`

// wanted is where the schema is made as it should be. It never becomes visible.
const wanted = "coinslot_as_it_should_be"

// errInspected takes back what an inspection has made.
var errInspected = errors.New("inspected")

// Inspect is store.Inspector's. It makes the schema anew in a transaction that comes to
// nothing, and compares. Pages are for PostgreSQL's own tools to check.
func (s *Store) Inspect(ctx context.Context, _ bool) (found store.Inspection, err error) {
	v, err := versions(ctx, s.pool)
	if found.Schema, found.Known = v.Has, v.Knows; err != nil || v.Has != v.Knows {
		return found, err
	}
	l := &line{pool: s.pool, ctx: ctx}
	defer l.release()
	if _, err := l.take(); err != nil {
		return found, err
	}
	err = pgx.BeginFunc(ctx, l.held, func(tx pgx.Tx) error {
		var own string
		if err := tx.QueryRow(ctx, `SELECT current_schema()`).Scan(&own); err != nil {
			return err
		}
		has, err := schemaParts(ctx, tx, own)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE SCHEMA `+wanted+`; SET LOCAL search_path = `+wanted); err != nil {
			return err
		}
		if err := makeSchema(ctx, tx); err != nil {
			return err
		}
		want, err := schemaParts(ctx, tx, wanted)
		if err != nil {
			return err
		}
		found.Wrong, found.Foreign = compareParts(has, want)
		return errInspected
	})
	if errors.Is(err, errInspected) {
		err = nil
	}
	return found, failure("inspect the schema", err)
}

// makeSchema takes the migrations' steps. What goose reads in them is a comment to others.
func makeSchema(ctx context.Context, tx pgx.Tx) error {
	steps, err := sqlstore.Migrations("postgres")
	if err != nil {
		return err
	}
	names, err := fs.Glob(steps, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := fs.ReadFile(steps, name)
		if err == nil {
			_, err = tx.Exec(ctx, string(text))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// schemaParts are all parts of a schema, without its name.
func schemaParts(ctx context.Context, tx pgx.Tx, schema string) (map[string]string, error) {
	if _, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true)`, schema); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, describe, schema)
	if err != nil {
		return nil, err
	}
	parts := map[string]string{}
	var part, text string
	_, err = pgx.ForEachRow(rows, []any{&part, &text}, func() error {
		parts[part] = strings.ReplaceAll(text, schema+".", "")
		return nil
	})
	return parts, err
}

func compareParts(has, want map[string]string) (wrong, foreign []string) {
	for part, text := range want {
		switch is, ok := has[part]; {
		case !ok:
			wrong = append(wrong, part+" is missing")
		case is != text:
			wrong = append(wrong, part+" is another than this program makes")
		}
	}
	for part := range has {
		if _, ok := want[part]; !ok {
			foreign = append(foreign, part)
		}
	}
	slices.Sort(wrong)
	slices.Sort(foreign)
	return wrong, foreign
}

// Servers is how many servers are connected to the database.
func (s *Store) Servers(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%`+listening+`'`).Scan(&n)
	return n, failure("look for servers", err)
}

// Name is how people call the database: nothing of its URL that is secret is in it.
func (s *Store) Name() string {
	c := s.pool.Config().ConnConfig
	return fmt.Sprintf("the database %s at %s", c.Database, c.Host)
}
