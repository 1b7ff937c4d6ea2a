package rest

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
)

// plain lets through only requests that say each thing once. The transcoder would take a
// field from the path, the body and the query alike, whichever it reads last: a call would
// then be about another thing than its path says, to a proxy's log as well.
type plain struct {
	next      http.Handler
	variables map[string]bool // of paths
	lists     map[string]bool // fields that a query may give many times
}

var variable = regexp.MustCompile(`\{([a-z_]+)\}`)

func newPlain(next http.Handler, services []rpc.Service) http.Handler {
	p := &plain{next, map[string]bool{}, map[string]bool{}}
	for _, service := range services {
		methods := service.Descriptor.Methods()
		for i := range methods.Len() {
			p.learn(methods.Get(i))
		}
	}
	return p
}

func (p *plain) learn(m protoreflect.MethodDescriptor) {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	for _, found := range variable.FindAllStringSubmatch(rule.GetGet()+rule.GetPost(), -1) {
		p.variables[found[1]] = true
	}
	fields := m.Input().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); f.IsList() {
			p.lists[f.TextName()] = true
		}
	}
}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := p.refusal(r); why != "" {
		writeError(w, http.StatusBadRequest, string(pay.InvalidRequest), why)
		return
	}
	// The transcoder knows a content type only in the one way of writing it.
	if base, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && base == "application/json" {
		if charset, given := params["charset"]; !given || strings.EqualFold(charset, "utf-8") {
			r.Header.Set("Content-Type", base)
		}
	}
	p.next.ServeHTTP(w, r)
}

// refusal is why a request does not say each thing once; empty: it does.
func (p *plain) refusal(r *http.Request) string {
	if strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") {
		return "the path must not have an encoded slash"
	}
	query := r.URL.Query()
	if r.Method == http.MethodPost && len(query) > 0 {
		return "a POST has all its fields in the body and the path; the query must be empty"
	}
	seen := map[string]bool{}
	for given, values := range query {
		name := snake(given)
		switch {
		case p.variables[name]:
			return fmt.Sprintf("%s stands in the path; the query must not have it", name)
		case seen[name] || len(values) > 1 && !p.lists[name]:
			return fmt.Sprintf("%s must be given once", name)
		}
		seen[name] = true
	}
	return ""
}

// snake is a field's name as it is documented, from either way of writing it.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
