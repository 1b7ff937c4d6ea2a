package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/streams"
)

const (
	// liveFor is how long a page is told changes without asking again: so that what a
	// browser has forgotten to close ends too.
	liveFor = 10 * time.Minute

	// mostLive is how many pages are told at once, and mostLiveEach how many of one
	// session. All others ask by themselves. A browser has six connections for a host, of
	// which tabs that follow one session must leave some.
	mostLive     = 10_000
	mostLiveEach = 4
)

// errGone says that whoever followed a session takes nothing any more.
var errGone = errors.New("the reader has gone")

// live tells the script each change of a session as it happens, as server-sent events:
// what state answers, with an event "beat" where there is nothing to tell.
func (v *visit) live(id pay.SessionID, _ string) {
	v.r.Pattern = v.Mount + "/{session}/live" // its metrics are its own: it takes as long as there are readers
	if v.r.Method == http.MethodHead {
		v.liveHead(id)
		return
	}
	if !v.followers.come(id) {
		v.w.Header().Set("Retry-After", "60")
		v.json(http.StatusServiceUnavailable, map[string]string{"error": string(pay.Unavailable)})
		return
	}
	defer v.followers.leave(id)
	ctx, letGo := streams.UntilEnd(v.r.Context())
	defer letGo()
	ctx, cancel := context.WithTimeout(ctx, liveFor)
	defer cancel()
	f := &feed{visit: v}
	err := v.Service.WatchCheckout(ctx, id, f.tell)
	switch {
	case f.out != nil:
		f.out.End()
		if err != nil && ctx.Err() == nil && !errors.Is(err, errGone) {
			v.report(id, err)
		}
	case err != nil:
		v.noState(id, err)
	}
}

func (v *visit) liveHead(id pay.SessionID) {
	if _, err := v.Service.Checkout(v.r.Context(), id); err != nil {
		v.noState(id, err)
		return
	}
	v.liveHeader()
	v.w.WriteHeader(http.StatusOK)
}

func (v *visit) liveHeader() {
	head := v.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store, no-transform")
	head.Set("X-Accel-Buffering", "no") // proxies that gather answers before they pass them on
}

// feed is what one page is told. Its answer begins with the first news, so that a session
// that is not there is told by its status.
type feed struct {
	*visit
	out *streams.Patient
}

func (f *feed) tell(c *gateway.Checkout) error {
	if f.out == nil {
		f.liveHeader()
		f.out = streams.NewPatient(f.w)
	}
	event := []byte("event: beat\ndata: .\n\n")
	if c != nil {
		told, err := json.Marshal(stateOf(*c))
		if err != nil {
			return fmt.Errorf("tell a state: %w", err)
		}
		event = fmt.Appendf(nil, "data: %s\n\n", told)
	}
	if _, err := f.out.Write(event); err != nil {
		return errGone
	}
	f.out.Flush()
	return nil
}

// followers counts who follows which session.
type followers struct {
	mu  sync.Mutex
	all int
	of  map[pay.SessionID]int // none without a follower
}

func (f *followers) come(id pay.SessionID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= mostLive || f.of[id] >= mostLiveEach {
		return false
	}
	if f.of == nil {
		f.of = map[pay.SessionID]int{}
	}
	f.all++
	f.of[id]++
	return true
}

func (f *followers) leave(id pay.SessionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.of[id]--; f.of[id] == 0 {
		delete(f.of, id)
	}
}
