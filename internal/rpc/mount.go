// Package rpc answers Connect, gRPC and gRPC-Web calls: it converts a request,
// calls one use case and converts the result. The table of errors and the JSON form live here.
package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"

	"connectrpc.com/authn"
	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// Limiter says whether a key may make one more call now.
type Limiter interface{ Allow(pay.KeyID) bool }

// NewPaymentHandler serves pay.v1.PaymentService at the returned path.
func NewPaymentHandler(g *gateway.Service, convert Converter, limit Limiter, log *slog.Logger) (path string, handler http.Handler) {
	wire := OurWire(log)
	path, handler = payv1connect.NewPaymentServiceHandler(&PaymentServer{g, convert}, wire.Options())
	return path, wire.Door(handler, func(r *http.Request) (context.Context, error) {
		token, _ := authn.BearerToken(r)
		caller, err := g.Authenticate(token)
		if err == nil && !limit.Allow(caller.Key) {
			err = pay.Refuse(pay.RateLimited, "this API key has made more calls than its rate allows; wait as Retry-After says")
		}
		if err != nil {
			return nil, wire.tell(r.Context(), r.URL.Path, err)
		}
		return authn.SetInfo(r.Context(), caller), nil
	})
}

// NewAdminHandler serves admin.v1.AdminService at the returned path to whoever
// shows the installation's token.
func NewAdminHandler(admin adminv1connect.AdminServiceHandler, token string, log *slog.Logger) (path string, handler http.Handler) {
	wire := OurWire(log)
	path, handler = adminv1connect.NewAdminServiceHandler(admin, wire.Options())
	want := sha256.Sum256([]byte(token))
	return path, wire.Door(handler, func(r *http.Request) (context.Context, error) {
		shown, _ := authn.BearerToken(r)
		got := sha256.Sum256([]byte(shown))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return nil, refusal(pay.Refuse(pay.Unauthorized, "the Authorization header must be \"Bearer\" and the admin token of this installation"))
		}
		return r.Context(), nil
	})
}

// UnknownProcedure answers calls of methods that are not there, and leaves what is
// no call to next.
func UnknownProcedure(next http.Handler) http.Handler {
	errors := connect.NewErrorWriter(codecs())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Content-Type")
		why := connect.NewError(connect.CodeUnimplemented, fmt.Errorf("there is no procedure %q", r.URL.Path))
		switch {
		case r.Method == http.MethodPost && isOneOf(connectTypes, header):
			writeError(w, http.StatusNotFound, why)
		case r.Method == http.MethodPost && isOneOf(accepted[true], header):
			_ = errors.Write(w, r, why) // fails only if the caller has gone
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Nothing answers that there is nothing there.
func Nothing(w http.ResponseWriter, r *http.Request) {
	writeError(w, http.StatusNotFound, refusal(pay.Refuse(pay.NotFound, "there is nothing at %q", r.URL.Path)))
}

// panicked is a broken invariant: a bug of ours, with where it happened.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }
