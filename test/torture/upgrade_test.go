package torture_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/test/postgrestest"
	"github.com/coinslot/coinslot/test/torture"
)

var previous = flag.String("previous", "", "the binary of an earlier release to upgrade from; empty: today's without its last migration")

// lastMigration is what an upgrade brings. before is what the program was without it: what
// to write in the place of what. Whoever adds a migration puts it here, with what the
// program now says that it could not say without it.
const lastMigration = "00005_look_of_a_game.sql"

var before = []struct{ file, now, then string }{
	{"settings.go", "\n\t\tlogo, accent, support_url, embed_origins, created_at", " created_at"},
	{"settings.go", ", $12, $13, $14, $15, $16) ON CONFLICT", ", $12) ON CONFLICT"},
	{"settings.go", "logo = $11, accent = $12, support_url = $13, embed_origins = $14, created_at = $15, updated_at = $16", "created_at = $11, updated_at = $12"},
	{"settings.go", "Logo:          pay.ImageRef(c.text()),", ""},
	{"settings.go", "Accent:        c.text(),", ""},
	{"settings.go", "SupportURL:    c.text(),", ""},
	{"settings.go", "EmbedOrigins:  list[string](c),", ""},
	{"settings.go", "string(g.Logo), g.Accent, g.SupportURL, listText(g.EmbedOrigins), stamp(g.CreatedAt)", "stamp(g.CreatedAt)"},
}

// Newer servers take the place of older ones while they are used: no call goes wrong, the
// older ones go on with the newer schema, and nothing is lost or done twice.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	older := *previous
	if older == "" {
		older = buildPrevious(t)
	}
	base := postgrestest.Start(t)
	program := torture.Program{Binary: binary, Dir: t.ArtifactDir(), Database: base.URL()}
	s := torture.Siege{Options: options(t, torture.Options{Program: program}), Servers: *servers}
	world, history, err := s.Upgrade(t.Context(), older)
	judge(t, s.Options, world, err)
	if err == nil {
		checkUpgrade(t, s, world)
	}
	replay(t, s.Options, history, fmt.Sprintf("-servers %d", *servers))
}

// checkUpgrade makes sure that it was one: that older servers wrote on the newer schema.
func checkUpgrade(t *testing.T, s torture.Siege, world torture.World) {
	migrated, wrote := world.Faults[0].Done, 0
	for _, o := range world.History {
		if o.Server <= s.Servers && o.Begin > migrated && o.Kind == torture.Create && o.Outcome == torture.Acknowledged {
			wrote++
		}
		if o.Outcome == torture.Unknown {
			t.Errorf("%s at server %d got no answer, in operation %d: %s", o.Kind, o.Server, o.Number, o.Code)
		}
	}
	if wrote == 0 {
		t.Error("no older server has written anything on the newer schema")
	}
	t.Logf("older servers made %d sessions on the newer schema", wrote)
}

// buildPrevious builds the program as it was before its last migration.
func buildPrevious(t *testing.T) string {
	const home = "../../internal/store/sqlstore"
	steps, err := sqlstore.Migrations("postgres")
	if err != nil {
		t.Fatal(err)
	}
	all, err := fs.Glob(steps, "*.sql")
	if err != nil || slices.Max(all) != lastMigration {
		t.Fatalf("the last migration is %v, %v; this test knows the program before %s: bring it up to date", all, err, lastMigration)
	}
	dir := t.TempDir()
	replace := map[string]string{absolute(t, filepath.Join(home, "migrations", "postgres", lastMigration)): ""}
	for _, edit := range before {
		path := absolute(t, filepath.Join(home, edit.file))
		from := path
		if replace[path] != "" {
			from = replace[path]
		}
		text, err := os.ReadFile(from)
		if err != nil || strings.Count(string(text), edit.now) != 1 {
			t.Fatalf("%s has not once %q, which it has since the last migration, %v: bring this test up to date", edit.file, edit.now, err)
		}
		replace[path] = filepath.Join(dir, edit.file)
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(text), edit.now, edit.then, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path, built := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "coinslot")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", append(append([]string{"build", "-overlay", path}, buildFlags...), "-o", built, "../../cmd/coinslot")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program before its last migration: %v: %s", err, out)
	}
	return built
}

func absolute(t *testing.T, path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
