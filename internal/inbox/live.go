package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	mostStreams   = 32               // open at once; a browser has one for each tab that is seen
	longestStream = 15 * time.Minute // then the browser begins another
	takenWithin   = 10 * time.Second // a reader that takes nothing for so long is let go
)

// live tells that there are new events, as server-sent events, and not what they are:
// the script then asks for the list, which is made in one place.
func (v *visit) live() {
	query := v.r.URL.Query()
	f, err := readFilter(query)
	if err != nil {
		v.refuse(err)
		return
	}
	from := v.r.Header.Get("Last-Event-ID") // of a browser that begins again
	if from == "" {
		from = query.Get("after")
	}
	after, err := readPlace("after", from)
	if err != nil {
		v.refuse(err)
		return
	}
	defer v.streams.Add(-1)
	if v.streams.Add(1) > mostStreams {
		v.w.Header().Set("Retry-After", "10")
		http.Error(v.w, "too many pages of the inbox are open", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), longestStream)
	defer cancel()
	v.w.Header().Set("Content-Type", "text/event-stream")
	out := &stream{v.w, http.NewResponseController(v.w)}
	err = out.say("retry: 2000\n\n")
	if err == nil {
		err = v.Service.WatchInbox(ctx, f.InboxQuery, after, func(latest int64) error {
			if latest == 0 {
				return out.say(":\n\n")
			}
			return out.say(fmt.Sprintf("id: %d\ndata: %d\n\n", latest, latest))
		})
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errGone) {
		v.Logger.WarnContext(ctx, "inbox not watched", "error", err)
	}
}

// errGone: whoever watches does not read any more.
var errGone = errors.New("gone")

// stream is an answer without an end. The http.Server's limit is of a whole answer, so
// each piece has one of its own instead.
type stream struct {
	out     io.Writer
	control *http.ResponseController
}

func (s *stream) say(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(takenWithin))
	defer func() { _ = s.control.SetWriteDeadline(time.Time{}) }() // HTTP/2 would end the stream at the deadline though nothing is being written
	if _, err := io.WriteString(s.out, text); err != nil {
		return errGone
	}
	if s.control.Flush() != nil {
		return errGone
	}
	return nil
}
