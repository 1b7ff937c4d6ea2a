// Package server makes one http.Handler of everything that Coinslot answers on its
// one port: RPC, REST, the payment page, the sandbox's inbox, health and metrics.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/rest"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/streams"
)

// Options is all that the server is made of.
type Options struct {
	Gateway    *gateway.Service
	Convert    rpc.Converter
	Places     rpc.Places
	Admin      adminv1connect.AdminServiceHandler
	AdminToken string
	Page       http.Handler
	PageMount  string        // the path below which the page is, "/pay"; empty: a host of its own
	Services   []rpc.Service // mounted beside ours

	// Inbox makes of what answers at an unknown path what answers below /dev/inbox: to
	// most callers the same. Nil: nothing is there.
	Inbox func(otherwise http.Handler) http.Handler

	Ready       func(context.Context) error // says why the store could not take a write
	RateLimit   float64                     // calls a second for each API key; 0: no limit
	CORSOrigins []string                    // web origins that may call the RPC paths; empty: none
	Registry    *prometheus.Registry
	Logger      *slog.Logger
}

// Server answers everything on one port.
type Server struct {
	http.Handler
	names    []string // of the services that game servers call
	ready    readiness
	draining atomic.Bool
	end      context.CancelFunc // of streams
}

// New puts all together.
func New(o Options) (*Server, error) {
	s := &Server{ready: readiness{ask: o.Ready}}
	mux := http.NewServeMux()
	services := rpc.NewPayServices(o.Gateway, o.Convert, o.Places, newLimiter(o.RateLimit), o.Logger)
	restPaths, err := rest.New(services, o.Gateway)
	if err != nil {
		return nil, err
	}
	across := crossOrigin(o.CORSOrigins)
	for _, service := range append(services, o.Services...) {
		s.names = append(s.names, service.Name())
		mountProcedures(mux, service.Descriptor, across(service.Handler))
	}
	admin := rpc.NewAdminService(o.Admin, o.AdminToken, o.Logger)
	mountProcedures(mux, admin.Descriptor, admin.Handler)
	mux.Handle("/v1/", across(restPaths))
	s.mountOperation(mux, o.Registry)
	mux.Handle("/images/", o.Page)
	elsewhere := o.Page
	if o.PageMount != "" {
		mux.Handle(o.PageMount+"/", o.Page)
		elsewhere = http.HandlerFunc(rpc.Nothing)
	}
	end, cancel := context.WithCancel(context.Background())
	s.end = cancel
	unknown := across(rpc.UnknownProcedure(elsewhere))
	mux.Handle("/", unknown)
	if o.Inbox != nil {
		shown := o.Inbox(unknown)
		mux.Handle("/dev/inbox", until(end, shown))
		mux.Handle("/dev/inbox/", until(end, shown))
	}
	s.Handler = streams.EndWith(end, observed(recovered(caching(mux), o.Logger), o.Registry, o.Logger))
	return s, nil
}

// mountProcedures mounts the methods of a service one by one, so that a call of any
// other is told that there is no such procedure.
func mountProcedures(mux *http.ServeMux, service protoreflect.ServiceDescriptor, handler http.Handler) {
	for i := range service.Methods().Len() {
		mux.Handle(fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(i).Name()), handler)
	}
}

// until ends what is being answered when the server shuts down, since pages that are
// told of news wait for it for ever.
func until(end context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(end, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Drain turns readiness red, so that a load balancer sends no more, and ends streams.
func (s *Server) Drain() {
	s.draining.Store(true)
	s.end()
}

// check says why the server should be sent no requests, or nil.
func (s *Server) check(ctx context.Context) error {
	if s.draining.Load() {
		return fmt.Errorf("shutting down")
	}
	return s.ready.check(ctx)
}

// readiness remembers for a moment whether the store could take a write: asking costs
// one, and anybody may ask.
type readiness struct {
	ask func(context.Context) error

	mu     sync.Mutex
	asked  time.Time
	err    error
	asking chan struct{} // closed when the answer is there; nil: nobody asks
}

const (
	readyFor   = time.Second     // for which an answer is good
	readyAfter = 2 * time.Second // within which one must come
)

var errSlow = errors.New("the store does not answer")

func (r *readiness) check(ctx context.Context) error {
	answered := r.begin()
	slow := time.NewTimer(readyAfter)
	defer slow.Stop()
	select {
	case <-answered:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.err
	case <-slow.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin asks the store, unless somebody does or the last answer is still good. However
// many wait, one asks.
func (r *readiness) begin() (answered <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asking != nil {
		return r.asking
	}
	done := make(chan struct{})
	if time.Since(r.asked).Abs() < readyFor {
		close(done)
		return done
	}
	r.asking = done
	go func() {
		err := r.ask(context.Background())
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err, r.asked, r.asking = err, time.Now(), nil
		close(done)
	}()
	return done
}

// mountOperation mounts what operators and tools ask for.
func (s *Server) mountOperation(mux *http.ServeMux, registry *prometheus.Registry) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.check(r.Context()); err != nil {
			text(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		text(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", metricsHandler(registry))
	mux.HandleFunc("GET /openapi.yaml", document())
	mux.Handle(grpchealth.NewHandler(s, rpc.TightLimits()))
	reflector := grpcreflect.NewStaticReflector(append(s.names, grpchealth.HealthV1ServiceName)...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector, rpc.TightLimits()))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector, rpc.TightLimits()))
}

// Check implements grpchealth.Checker.
func (s *Server) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if req.Service != "" && !slices.Contains(s.names, req.Service) {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("there is no service %q", req.Service))
	}
	if s.check(ctx) != nil {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, body)
}
