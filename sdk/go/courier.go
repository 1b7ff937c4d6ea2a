package coinslot

import (
	"context"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"connectrpc.com/connect"
)

// courier sends the requests of all calls. It says by which client they are made, and
// notes the answers that came, since a connect.Error tells nothing of those that are not
// Connect's.
type courier struct{ connect.HTTPClient }

// answer is what came over HTTP: whoever sent it, it has a status.
type answer struct {
	status     int
	retryAfter string
}

// answerKey is that of the place for an answer in the context of an attempt.
type answerKey struct{}

// noteAnswer makes a place for the answer to an attempt. It is filled in by whichever
// goroutine sends the request, even after the attempt was given up.
func noteAnswer(ctx context.Context) (context.Context, *atomic.Pointer[answer]) {
	place := &atomic.Pointer[answer]{}
	return context.WithValue(ctx, answerKey{}, place), place
}

func (c courier) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set(headerUserAgent, userAgent)
	res, err := c.HTTPClient.Do(r)
	if err != nil {
		return res, err
	}
	if place, ok := r.Context().Value(answerKey{}).(*atomic.Pointer[answer]); ok {
		place.Store(&answer{res.StatusCode, res.Header.Get(headerRetryAfter)})
	}
	return res, nil
}

const modulePath = "github.com/coinslot/coinslot"

// userAgent names the client and its version: that of the module, as the program was
// built with it.
var userAgent = "coinslot-go/" + moduleVersion()

func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, module := range append(info.Deps, &info.Main) {
		if module.Path == modulePath && strings.HasPrefix(module.Version, "v") {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "devel"
}
