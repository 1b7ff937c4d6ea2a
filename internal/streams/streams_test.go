package streams_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/streams"
)

func TestAStreamEndsWithItsServerAndSaysWhy(t *testing.T) {
	end, stop := context.WithCancel(t.Context())
	why := make(chan error, 1)
	handler := streams.EndWith(end, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx, letGo := streams.UntilEnd(r.Context())
		defer letGo()
		if r.Context().Err() != nil {
			t.Error("the request itself has ended")
		}
		stop()
		<-ctx.Done()
		why <- context.Cause(ctx)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if got := pay.CodeOf(<-why); got != pay.Unavailable {
		t.Errorf("the reason is %s", got)
	}
}

func TestWithoutAServerThatEndsAStreamIsItsCallers(t *testing.T) {
	ctx, letGo := streams.UntilEnd(t.Context())
	defer letGo()
	if ctx != t.Context() {
		t.Error("the context is another")
	}
}
