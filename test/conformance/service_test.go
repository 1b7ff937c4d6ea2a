package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/coinslot/coinslot/internal/rpc"
)

// contract is what the suite's own sources say that its service is.
type contract struct {
	service protoreflect.ServiceDescriptor
}

const suitePackage = "connectrpc.conformance.v1."

// load reads a contract, and makes it known as generated code would.
func load(file string) (contract, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return contract{}, err
	}
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &files); err != nil {
		return contract{}, err
	}
	for _, f := range files.File { // each after those that it imports
		if _, err := protoregistry.GlobalFiles.FindFileByPath(f.GetName()); err == nil {
			continue
		}
		known, err := protodesc.NewFile(f, protoregistry.GlobalFiles)
		if err == nil {
			err = protoregistry.GlobalFiles.RegisterFile(known)
		}
		for i := 0; err == nil && i < known.Messages().Len(); i++ {
			err = register(known.Messages().Get(i))
		}
		if err != nil {
			return contract{}, err
		}
	}
	service, err := protoregistry.GlobalFiles.FindDescriptorByName(suitePackage + "ConformanceService")
	if err != nil {
		return contract{}, err
	}
	return contract{service.(protoreflect.ServiceDescriptor)}, nil
}

// register makes a message and those inside it known, for an Any to hold them.
func register(m protoreflect.MessageDescriptor) error {
	err := protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(m))
	for i := 0; err == nil && i < m.Messages().Len(); i++ {
		err = register(m.Messages().Get(i))
	}
	return err
}

func (c contract) message(name protoreflect.Name) *dynamicpb.Message {
	found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(suitePackage + name))
	if err != nil {
		panic(err)
	}
	return found.New().(*dynamicpb.Message)
}

// procedures answers those of the service's methods that are of the kinds we have.
func (c contract) procedures(options connect.HandlerOption) http.Handler {
	mux := http.NewServeMux()
	for name, serve := range map[protoreflect.Name]func(procedure) *connect.Handler{
		"Unary": procedure.unary, "IdempotentUnary": procedure.unary, "ServerStream": procedure.serverStream, "Unimplemented": procedure.unimplemented,
	} {
		p := procedure{c, c.service.Methods().ByName(name), options}
		mux.Handle(p.path(), serve(p))
	}
	return mux
}

// procedure is one method of the service.
type procedure struct {
	contract
	protoreflect.MethodDescriptor
	options connect.HandlerOption
}

func (p procedure) path() string { return fmt.Sprintf("/%s/%s", p.service.FullName(), p.Name()) }

// handlerOptions are ours, and what generated code would say of the method.
func (p procedure) handlerOptions() connect.HandlerOption {
	level := p.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
	return connect.WithHandlerOptions(p.options, connect.WithSchema(p.MethodDescriptor),
		connect.WithIdempotency(connect.IdempotencyLevel(level)),
		connect.WithRequestInitializer(func(_ connect.Spec, m any) error {
			*m.(*dynamicpb.Message) = *dynamicpb.NewMessage(p.Input())
			return nil
		}))
}

func (p procedure) unimplemented() *connect.Handler {
	return connect.NewUnaryHandler(p.path(), func(context.Context, *connect.Request[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
		return nil, rpc.Told{Err: connect.NewError(connect.CodeUnimplemented, errors.New("not implemented"))}
	}, p.handlerOptions())
}

func (p procedure) unary() *connect.Handler {
	return connect.NewUnaryHandler(p.path(), func(ctx context.Context, req *connect.Request[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
		wanted := get(req.Msg, "response_definition").Message()
		heard := p.heard(ctx, req)
		if err := wait(ctx, wanted); err != nil {
			return nil, err
		}
		if has(wanted, "error") {
			err := told(get(wanted, "error").Message(), heard)
			addHeaders(err.Meta(), wanted, "response_headers")
			addHeaders(err.Meta(), wanted, "response_trailers")
			return nil, rpc.Told{Err: err}
		}
		answer := p.answer(get(wanted, "response_data").Bytes(), heard)
		res := connect.NewResponse(answer)
		addHeaders(res.Header(), wanted, "response_headers")
		addHeaders(res.Trailer(), wanted, "response_trailers")
		return res, nil
	}, p.handlerOptions())
}

func (p procedure) serverStream() *connect.Handler {
	return connect.NewServerStreamHandler(p.path(), func(ctx context.Context, req *connect.Request[dynamicpb.Message], stream *connect.ServerStream[dynamicpb.Message]) error {
		wanted := get(req.Msg, "response_definition").Message()
		heard := p.heard(ctx, req)
		addHeaders(stream.ResponseHeader(), wanted, "response_headers")
		addHeaders(stream.ResponseTrailer(), wanted, "response_trailers")
		data := get(wanted, "response_data").List()
		if data.Len() > 0 {
			if err := stream.Send(nil); err != nil { // the headers, before any wait
				return err
			}
		}
		for i := range data.Len() {
			if err := wait(ctx, wanted); err != nil {
				return err
			}
			if err := stream.Send(p.answer(data.Get(i).Bytes(), heard)); err != nil {
				return err
			}
			heard = nil // only the first answer repeats the request
		}
		if has(wanted, "error") {
			return rpc.Told{Err: told(get(wanted, "error").Message(), heard)}
		}
		return nil
	}, p.handlerOptions())
}

// answer is a response with data, and if heard is not nil, with what was heard.
func (p procedure) answer(data []byte, heard protoreflect.Message) *dynamicpb.Message {
	m := dynamicpb.NewMessage(p.Output())
	payload := inside(m, "payload")
	set(payload, "data", data)
	if heard != nil {
		payload.Set(payload.Descriptor().Fields().ByName("request_info"), protoreflect.ValueOfMessage(heard))
	}
	return m
}

// heard is what reached the handler, for the suite to compare with what it sent.
func (p procedure) heard(ctx context.Context, req *connect.Request[dynamicpb.Message]) protoreflect.Message {
	info := p.message("ConformancePayload").NewField(p.message("ConformancePayload").Descriptor().Fields().ByName("request_info")).Message()
	keepHeaders(info, "request_headers", req.Header())
	if deadline, ok := ctx.Deadline(); ok {
		set(info, "timeout_ms", time.Until(deadline).Milliseconds())
	}
	raw, err := proto.Marshal(req.Msg)
	if err != nil {
		panic(err)
	}
	request := more(info, "requests")
	set(request, "type_url", "type.googleapis.com/"+string(p.Input().FullName()))
	set(request, "value", raw)
	if query := req.Peer().Query; len(query) > 0 {
		keepHeaders(inside(info, "connect_get_info"), "query_params", http.Header(url.Values(query)))
	}
	return info
}

// told makes the error that a request asks for. heard, if it is not nil, is one of its details.
func told(wanted, heard protoreflect.Message) *connect.Error {
	err := connect.NewError(connect.Code(get(wanted, "code").Enum()), errors.New(get(wanted, "message").String()))
	add := func(m protoreflect.Message) {
		detail, failed := connect.NewErrorDetail(m.Interface())
		if failed != nil {
			panic(failed)
		}
		err.AddDetail(detail)
	}
	for detail := range messages(wanted, "details") {
		add(unpacked(detail))
	}
	if heard != nil {
		add(heard)
	}
	return err
}

// unpacked is what an Any holds.
func unpacked(a protoreflect.Message) protoreflect.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByURL(get(a, "type_url").String())
	if err != nil {
		panic(err)
	}
	m := kind.New()
	if err := proto.Unmarshal(get(a, "value").Bytes(), m.Interface()); err != nil {
		panic(err)
	}
	return m
}

// wait waits for as long as a request asks before each answer, past its deadline too:
// who is told of the deadline is then never a race between server and client.
func wait(ctx context.Context, wanted protoreflect.Message) error {
	<-time.After(time.Duration(get(wanted, "response_delay_ms").Uint()) * time.Millisecond)
	return ctx.Err()
}

func addHeaders(to http.Header, wanted protoreflect.Message, field protoreflect.Name) {
	for header := range messages(wanted, field) {
		values := get(header, "value").List()
		for i := range values.Len() {
			to.Add(get(header, "name").String(), values.Get(i).String())
		}
	}
}

func keepHeaders(in protoreflect.Message, field protoreflect.Name, from http.Header) {
	for name, values := range from {
		header := more(in, field)
		set(header, "name", name)
		list := header.Mutable(header.Descriptor().Fields().ByName("value")).List()
		for _, v := range values {
			list.Append(protoreflect.ValueOfString(v))
		}
	}
}

// messages are those in a list.
func messages(in protoreflect.Message, field protoreflect.Name) iter.Seq[protoreflect.Message] {
	return func(yield func(protoreflect.Message) bool) {
		list := get(in, field).List()
		for i := range list.Len() {
			if !yield(list.Get(i).Message()) {
				return
			}
		}
	}
}
