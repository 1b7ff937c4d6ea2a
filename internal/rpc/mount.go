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
func NewPayServices(g *gateway.Service, convert Converter, places Places, limit Limiter, log *slog.Logger) []Service {
	wire := OurWire(log)
	options, admit := wire.Options(), wire.admitting(g, limit)
	_, payments := payv1connect.NewPaymentServiceHandler(&PaymentServer{g, convert}, options)
	_, refunds := payv1connect.NewRefundServiceHandler(&RefundServer{g, convert}, options)
	_, events := payv1connect.NewEventServiceHandler(&EventServer{g, convert, places}, options)
	return []Service{
		{payv1.File_pay_v1_payment_proto.Services().ByName("PaymentService"), wire.Door(payments, admit)},
		{payv1.File_pay_v1_refund_proto.Services().ByName("RefundService"), wire.Door(refunds, admit)},
		{payv1.File_pay_v1_event_proto.Services().ByName("EventService"), wire.Door(events, admit)},
	}
}

// admitting lets callers with a valid key in, as often as its rate allows.
func (wire Wire) admitting(g *gateway.Service, limit Limiter) func(*http.Request) (context.Context, error) {
	return func(r *http.Request) (context.Context, error) {
		token, _ := authn.BearerToken(r)
		caller, err := g.Authenticate(token)
		if err == nil && !limit.Allow(caller.Key) {
			err = pay.Refuse(pay.RateLimited, "this API key has made more calls than its rate allows; wait as Retry-After says")
		}
		if err != nil {
			return nil, wire.tell(r.Context(), r.URL.Path, err)
		}
		return authn.SetInfo(r.Context(), caller), nil
	}
}

// NewAdminService serves admin.v1.AdminService to whoever shows the installation's token.
func NewAdminService(admin adminv1connect.AdminServiceHandler, token string, log *slog.Logger) Service {
	wire := OurWire(log)
	_, handler := adminv1connect.NewAdminServiceHandler(admin, wire.Options(), connect.WithInterceptors(connect.UnaryInterceptorFunc(textsChecked)))
	want := sha256.Sum256([]byte(token))
	door := wire.Door(handler, func(r *http.Request) (context.Context, error) {
		shown, _ := authn.BearerToken(r)
		got := sha256.Sum256([]byte(shown))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return nil, refusal(pay.Refuse(pay.Unauthorized, "the Authorization header must be \"Bearer\" and the admin token of this installation"))
		}
		return r.Context(), nil
	})
	return Service{adminv1.File_admin_v1_admin_proto.Services().ByName("AdminService"), door}
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
