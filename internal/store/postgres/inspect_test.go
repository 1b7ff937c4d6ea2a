package postgres_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

func TestASchemaThatWasChangedByHandIsNoticed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, statement, wrong, foreign string }{
		{"as it is made", "SELECT 1", "", ""},
		{"an index that is gone", "DROP INDEX events_of_game", "index events_of_game is missing", ""},
		{"a trigger that is off", "ALTER TABLE refunds DISABLE TRIGGER refunds_added", "trigger refunds_added is another than this program makes", ""},
		{"a function that does nothing", "CREATE OR REPLACE FUNCTION refund_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", "function refund_stays is another than this program makes", ""},
		{"a check that is gone", "ALTER TABLE sessions DROP CONSTRAINT sessions_amount_check", "constraint sessions_amount_check is missing", ""},
		{"a column of another type", "ALTER TABLE pulse ALTER COLUMN beat TYPE INT", "column pulse.beat is another than this program makes", ""},
		{"somebody else's table", "CREATE TABLE theirs (x INT)", "", "column theirs.x"},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			url := postgrestest.EmptyURL(t)
			if _, err := postgres.Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			if _, err := connect(t, url).Exec(t.Context(), test.statement); err != nil {
				t.Fatal(err)
			}
			s, err := postgres.Open(t.Context(), url, postgres.Options{AsItIs: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for range 2 { // the first leaves nothing behind
				found, err := s.Inspect(t.Context(), false)
				if err != nil || found.Schema == 0 || found.Schema != found.Known {
					t.Fatal(found, err)
				}
				for _, got := range []struct {
					is   []string
					want string
				}{{found.Wrong, test.wrong}, {found.Foreign, test.foreign}} {
					if got.want == "" && len(got.is) > 0 || got.want != "" && !slices.Equal(got.is, []string{got.want}) {
						t.Errorf("found %v, want %q", got.is, got.want)
					}
				}
			}
		})
	}
}

// Who only looks makes no schema.
func TestADatabaseThatIsLookedAtStaysAsItIs(t *testing.T) {
	t.Parallel()
	url := postgrestest.EmptyURL(t)
	var old *postgres.SchemaError
	if _, err := postgres.Open(t.Context(), url, postgres.Options{AsItIs: true}); !errors.As(err, &old) || old.Has != 0 {
		t.Fatal(err)
	}
	var tables int
	if err := connect(t, url).QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables != 0 {
		t.Error(tables, err)
	}
}
