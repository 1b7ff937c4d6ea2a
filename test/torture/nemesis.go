package torture

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/coinslot/coinslot/test/postgrestest"
)

// Everything random of a run comes from its seed, each part's from a stream of its
// own, so that one that asks for more does not change what the others get.
const (
	nemesisStream = 1 + iota
	receiverStream
	confirmerStream
	clientStream // and one more for each client
)

// strike is when the nemesis ends one life of the server: once the crowd has heard
// so many answers, and a moment later, so that the moment falls anywhere within the
// work on others. Counting answers rather than time makes a slow machine do as much as a fast one.
type strike struct {
	answers int
	moment  time.Duration
	base    bool // the database first, where it is a server of its own
}

const (
	mostAnswers  = 120 // before a kill
	oneInAtOnce  = 4   // strikes that come with the very answer
	oneInBase    = 2   // strikes that end the database as well
	longestPause = 20 * time.Millisecond
	roundWithin  = 2 * time.Minute // for a server that no longer answers but does not end
)

// strikes plans the whole run.
func strikes(seed uint64, rounds int) []strike {
	random := rand.New(rand.NewPCG(seed, nemesisStream))
	plan := make([]strike, rounds)
	for i := range plan {
		plan[i].answers = 1 + random.IntN(mostAnswers)
		if random.IntN(oneInAtOnce) > 0 {
			plan[i].moment = time.Duration(random.Int64N(int64(longestPause)))
		}
		plan[i].base = i%oneInBase == 1 // which takes nothing from the stream, so that seeds mean what they did
	}
	return plan
}

// strike waits for its moment and kills the server. It is an error if the server
// ended by itself, or stopped answering.
func (s strike) strike(ctx context.Context, h *History, server *process, base *postgrestest.Server) error {
	ctx, cancel := context.WithTimeout(ctx, roundWithin)
	defer cancel()
	select {
	case <-h.acknowledgements(s.answers):
	case <-server.ended:
		return errors.New("the server ended by itself; its log says why")
	case <-ctx.Done():
		return errors.New("the server stopped answering")
	}
	time.Sleep(s.moment)
	if server.dead() {
		return errors.New("the server ended by itself; its log says why")
	}
	if base != nil && s.base {
		return errors.Join(s.strikeBase(h, base), ctx.Err(), serverKilled(server))
	}
	server.kill()
	return nil
}

func serverKilled(server *process) error {
	if server.dead() {
		return errors.New("the server ended by itself when its database did; its log says why")
	}
	server.kill()
	return nil
}

// strikeBase ends the database without warning and starts it again, and waits until the
// server, which lives on, has answered somebody anew.
func (s strike) strikeBase(h *History, base *postgrestest.Server) error {
	base.Kill()
	if err := base.Restart(); err != nil {
		return err
	}
	select {
	case <-h.acknowledgements(1 + s.answers/10):
		return nil
	case <-time.After(roundWithin):
		return errors.New("the server did not find its database again")
	}
}
