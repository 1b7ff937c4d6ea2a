package torture_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/test/postgrestest"
	"github.com/coinslot/coinslot/test/torture"
)

var (
	faults  = flag.Int("faults", 5, "to several servers and their database")
	servers = flag.Int("servers", 3, "on one database")
	naps    = flag.Bool("naps", false, "stop servers for longer than leases last and payments of others are left alone: 35 s and 75 s")
)

// Whatever befalls several servers and the PostgreSQL that they share, they lose nothing
// that they acknowledged and do nothing twice.
func TestSiege(t *testing.T) {
	t.Parallel()
	pair := postgrestest.StartPair(t, true)
	s := siege(t, pair)
	s.Faults, s.Logf = *faults, t.Logf
	if *naps {
		s.Naps = []time.Duration{35 * time.Second, 75 * time.Second}
	}
	world, history, err := s.Run(t.Context())
	judge(t, s.Options, world, err)
	replay(t, s.Options, history, fmt.Sprintf("-faults %d -servers %d -naps=%t", *faults, *servers, *naps))
}

// The control: a standby that is behind loses what it does not have, and the checkers see that.
func TestAStandbyThatIsBehindLosesWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	s := siege(t, postgrestest.StartPair(t, false))
	s.Servers, s.Faults, s.Only, s.Patient = 2, 1, torture.LatePlace, false
	world, _, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for _, breach := range world.Check() {
		if strings.HasPrefix(breach, "what was acknowledged is there") && strings.HasSuffix(breach, "is lost") {
			lost++
		}
	}
	if lost == 0 {
		t.Error("nothing is missed: a siege that finds nothing shows nothing")
	}
	t.Logf("%d sessions and refunds lost, of %s", lost, world.Summary())
}

func siege(t *testing.T, pair *postgrestest.Pair) torture.Siege {
	program := torture.Program{Binary: binary, Dir: t.ArtifactDir(), Database: pair.URL()}
	return torture.Siege{
		Options: options(t, torture.Options{Program: program}),
		Servers: *servers, Pair: pair, Naps: []time.Duration{2 * time.Second},
	}
}
