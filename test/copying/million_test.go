package copying

import (
	"flag"
	"os"
	"testing"
)

var (
	million  = flag.Bool("million", false, "copy a million sessions: it takes a quarter of an hour, and 10 GB of disk")
	sessions = flag.Int("sessions", 1_000_000, "how many sessions a million are")
	keepIn   = flag.String("season", "", "a directory in which the source of -million is made, and used again if it is there")
)

func TestAMillion(t *testing.T) {
	if !*million {
		t.Skip("it takes long: -million runs it")
	}
	dir := *keepIn
	if dir == "" {
		dir = t.TempDir()
	}
	if _, err := os.Stat(dir + "/secret.key"); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		makeSeason(t, dir, *sessions)
	}
}
