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
	"runtime/debug"

	"connectrpc.com/authn"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// Limiter says whether a key may make one more call now.
type Limiter interface{ Allow(pay.KeyID) bool }

// Service is a service of the contract with what answers its calls.
type Service struct {
	Descriptor protoreflect.ServiceDescriptor
	Handler    http.Handler
}

// Name is the service's full name, such as pay.v1.PaymentService.
func (s Service) Name() string { return string(s.Descriptor.FullName()) }

// NewPayServices serves all that game servers call.
func NewPayServices(g *gateway.Service, convert Converter, limit Limiter, log *slog.Logger) []Service {
	options := Options(log)
	admit := admitting(g, limit, log)
	_, payments := payv1connect.NewPaymentServiceHandler(&PaymentServer{g, convert}, options)
	_, refunds := payv1connect.NewRefundServiceHandler(&RefundServer{g, convert}, options)
	_, events := payv1connect.NewEventServiceHandler(&EventServer{g}, options)
	return []Service{
		{payv1.File_pay_v1_payment_proto.Services().ByName("PaymentService"), newDoor(payments, admit)},
		{payv1.File_pay_v1_refund_proto.Services().ByName("RefundService"), newDoor(refunds, admit)},
		{payv1.File_pay_v1_event_proto.Services().ByName("EventService"), newDoor(events, admit)},
	}
}

// admitting lets callers with a valid key in, as often as its rate allows.
func admitting(g *gateway.Service, limit Limiter, log *slog.Logger) func(*http.Request) (context.Context, error) {
	return func(r *http.Request) (context.Context, error) {
		token, _ := authn.BearerToken(r)
		caller, err := g.Authenticate(token)
		if err == nil && !limit.Allow(caller.Key) {
			err = pay.Refuse(pay.RateLimited, "this API key has made more calls than its rate allows; wait as Retry-After says")
		}
		if err != nil {
			return nil, tell(r.Context(), log, r.URL.Path, err)
		}
		return authn.SetInfo(r.Context(), caller), nil
	}
}

// NewAdminService serves admin.v1.AdminService to whoever shows the installation's token.
func NewAdminService(admin adminv1connect.AdminServiceHandler, token string, log *slog.Logger) Service {
	_, handler := adminv1connect.NewAdminServiceHandler(admin, Options(log))
	want := sha256.Sum256([]byte(token))
	door := newDoor(handler, func(r *http.Request) (context.Context, error) {
		shown, _ := authn.BearerToken(r)
		got := sha256.Sum256([]byte(shown))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return nil, refusal(pay.Refuse(pay.Unauthorized, "the Authorization header must be \"Bearer\" and the admin token of this installation"))
		}
		return r.Context(), nil
	})
	return Service{adminv1.File_admin_v1_admin_proto.Services().ByName("AdminService"), door}
}

// Options are what every handler of ours is built with: codecs, limits, and the
// interceptors that make errors documented ones.
func Options(log *slog.Logger) connect.HandlerOption {
	return connect.WithHandlerOptions(
		codecs(),
		WireLimits(),
		connect.WithInterceptors(errorInterceptor(log), decodedInterceptor()),
		// Inside the error interceptor, which logs a panic as any internal error.
		connect.WithRecover(func(_ context.Context, _ connect.Spec, _ http.Header, r any) error {
			return &panicked{r, debug.Stack()}
		}),
	)
}

// decodedInterceptor refuses messages that the codec could not read.
func decodedInterceptor() connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if m, ok := req.Any().(proto.Message); ok {
				if err := checkDecoded(m); err != nil {
					return nil, err
				}
			}
			return next(ctx, req)
		}
	}
}

// UnknownProcedure answers calls of methods that are not there, and leaves what is
// no call to next.
func UnknownProcedure(next http.Handler) http.Handler {
	errors := connect.NewErrorWriter(codecs())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !knownContentType(r.Header.Get("Content-Type")) {
			next.ServeHTTP(w, r)
			return
		}
		_ = errors.Write(w, r, connect.NewError(connect.CodeUnimplemented, fmt.Errorf("there is no procedure %q", r.URL.Path)))
	})
}

// Nothing answers that there is nothing there.
func Nothing(w http.ResponseWriter, r *http.Request) {
	writeJSONError(w, http.StatusNotFound, pay.Refuse(pay.NotFound, "there is nothing at %q", r.URL.Path))
}

// panicked is a broken invariant: a bug of ours, with where it happened.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }
