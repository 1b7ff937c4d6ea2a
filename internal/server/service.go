package server

import (
	"fmt"
	"net/http"

	"connectrpc.com/grpchealth"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Service is what answers the calls of a contract, which is a file of services. Health
// and reflection know those that are mounted for callers with an API key.
type Service struct {
	Contract protoreflect.FileDescriptor
	Handler  http.Handler
}

// mount mounts the methods of a contract one by one, so that a call of any other is
// told that there is no such procedure. Around goes around the handler.
func (s Service) mount(mux *http.ServeMux, around func(http.Handler) http.Handler) {
	handler := around(s.Handler)
	for i := range s.Contract.Services().Len() {
		service := s.Contract.Services().Get(i)
		for j := range service.Methods().Len() {
			mux.Handle(fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(j).Name()), handler)
		}
	}
}

// names are the names of all services that tools may ask about, health itself among them.
func names(services []Service) []string {
	all := []string{grpchealth.HealthV1ServiceName}
	for _, s := range services {
		for i := range s.Contract.Services().Len() {
			all = append(all, string(s.Contract.Services().Get(i).FullName()))
		}
	}
	return all
}
