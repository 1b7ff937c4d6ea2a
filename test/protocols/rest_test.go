package protocols

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// No client for the REST paths is generated. This one is a Connect client whose requests
// are made anew as the google.api.http annotations say, and whose answers are put together
// of what came: the body, and beside a list the headers. So every test that goes over all
// protocols goes over REST too.

// path is where and how a method is called by REST.
type path struct {
	verb, template string
	answer         protoreflect.Name // the field of the response that the body is; empty: all of it
}

func (p path) String() string { return p.verb + " " + p.template }

func pathOf(m protoreflect.MethodDescriptor) path {
	rule := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	answer := protoreflect.Name(rule.GetResponseBody())
	if rule.GetGet() != "" {
		return path{http.MethodGet, rule.GetGet(), answer}
	}
	return path{http.MethodPost, rule.GetPost(), answer}
}

// restTransport makes REST requests of Connect requests in JSON.
type restTransport struct{ next http.RoundTripper }

func (c restTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(r.URL.Path, "/"), "/", ".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	method := found.(protoreflect.MethodDescriptor)
	asked, err := restRequest(r, method)
	if err != nil {
		return nil, err
	}
	res, err := c.next.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	return restAnswer(res, method)
}

// restRequest puts the id into the path; the other fields are the body, or else the query.
func restRequest(r *http.Request, method protoreflect.MethodDescriptor) (*http.Request, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r.Body)
	message := kind.New()
	if err == nil {
		err = protojson.Unmarshal(raw, message.Interface())
	}
	if err != nil {
		return nil, err
	}
	to := pathOf(method)
	target := *r.URL
	target.Path = to.template
	if id := method.Input().Fields().ByName("id"); id != nil {
		target.Path = strings.ReplaceAll(to.template, "{id}", message.Get(id).String())
		message.Clear(id)
	}
	if to.verb == http.MethodGet {
		target.RawQuery = queryOf(message).Encode()
		return http.NewRequestWithContext(r.Context(), to.verb, target.String(), nil)
	}
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message.Interface())
	if err != nil {
		return nil, err
	}
	out, err := http.NewRequestWithContext(r.Context(), to.verb, target.String(), bytes.NewReader(body))
	if err == nil {
		out.Header.Set("Content-Type", "application/json")
	}
	return out, err
}

func queryOf(m protoreflect.Message) url.Values {
	query := url.Values{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !f.IsList() {
			query.Add(string(f.Name()), v.String())
			return true
		}
		for i := range v.List().Len() {
			query.Add(string(f.Name()), v.List().Get(i).String())
		}
		return true
	})
	return query
}

// restAnswer makes a Connect answer of a REST one. A refusal is a restRefusal.
func restAnswer(res *http.Response, method protoreflect.MethodDescriptor) (*http.Response, error) {
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		told := &restRefusal{status: res.StatusCode}
		if err := json.Unmarshal(body, &struct{ Error *restRefusal }{told}); err != nil {
			return nil, fmt.Errorf("%s: %s", res.Status, body)
		}
		return nil, told
	}
	if field := pathOf(method).answer; field != "" {
		if body, err = beside(method.Output(), field, body, res.Header); err != nil {
			return nil, err
		}
	}
	whole := *res
	whole.Header = res.Header.Clone()
	whole.Header.Del("Content-Length")
	whole.Body, whole.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return &whole, nil
}

// beside puts a body back into its response, with what the headers tell of a list.
func beside(response protoreflect.MessageDescriptor, field protoreflect.Name, body []byte, h http.Header) ([]byte, error) {
	whole := map[string]json.RawMessage{string(field): body}
	if total := h.Get("X-Total-Count"); total != "" {
		whole["total"] = json.RawMessage(total)
	}
	next := nextOf(h)
	cursor := next.Get("cursor")
	if told := h.Get("X-Next-Cursor"); told != "" {
		cursor = told
	}
	if response.Fields().ByName("next_cursor") != nil {
		whole["has_more"] = json.RawMessage(fmt.Sprint(next != nil))
		if cursor != "" {
			whole["next_cursor"], _ = json.Marshal(cursor) // a string
		}
	}
	return json.Marshal(whole)
}

// nextOf is the query of the Link to the next page; nil where there is none.
func nextOf(h http.Header) url.Values {
	target, ok := strings.CutSuffix(h.Get("Link"), `>; rel="next"`)
	next, err := url.Parse(strings.TrimPrefix(target, "<"))
	if !ok || err != nil {
		return nil
	}
	return next.Query()
}

// restRefusal is an error of a REST answer.
type restRefusal struct {
	status        int
	Code, Message string
}

func (r *restRefusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.Code, r.Message) }

// restStatus is the HTTP status that REST has for an RPC code.
var restStatus = map[connect.Code]int{
	connect.CodeUnauthenticated:    http.StatusUnauthorized,
	connect.CodeInvalidArgument:    http.StatusBadRequest,
	connect.CodeNotFound:           http.StatusNotFound,
	connect.CodeAlreadyExists:      http.StatusConflict,
	connect.CodeFailedPrecondition: http.StatusBadRequest,
}

// shown is what a protocol shows of an answer: REST only the field that is its body, and
// what it tells beside a list.
func (p protocol) shown(t *testing.T, m proto.Message) proto.Message {
	t.Helper()
	if !p.rest {
		return m
	}
	out := proto.Clone(m)
	var body protoreflect.Name
	for _, method := range methods() {
		if method.Output().FullName() == m.ProtoReflect().Descriptor().FullName() {
			body = pathOf(method).answer
		}
	}
	if body == "" {
		return m
	}
	out.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		switch f.Name() {
		case body, "total", "has_more", "next_cursor":
		default:
			out.ProtoReflect().Clear(f)
		}
		return true
	})
	return out
}
