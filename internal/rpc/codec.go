package rpc

import (
	"context"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc/wirejson"
)

// The documented JSON, for those who need protojson itself.
var (
	WriteJSON = wirejson.Write
	ReadJSON  = wirejson.Read
)

// codecs are what Connect reads and writes messages with.
func codecs() connect.HandlerOption {
	return connect.WithHandlerOptions(
		connect.WithCodec(binaryCodec{}),
		connect.WithCodec(jsonCodec{"json"}),
		connect.WithCodec(jsonCodec{"json; charset=utf-8"}),
	)
}

type jsonCodec struct{ name string }

func (c jsonCodec) Name() string { return c.name }

func (jsonCodec) Marshal(m any) ([]byte, error) {
	return wirejson.MarshalAppend(nil, m.(proto.Message))
}

func (jsonCodec) MarshalAppend(to []byte, m any) ([]byte, error) {
	return wirejson.MarshalAppend(to, m.(proto.Message))
}

func (c jsonCodec) MarshalStable(m any) ([]byte, error) { return c.Marshal(m) }

func (jsonCodec) IsBinary() bool { return false }

func (jsonCodec) Unmarshal(data []byte, m any) error {
	msg := m.(proto.Message)
	if err := wirejson.Unmarshal(data, msg); err != nil {
		markUndecodable(msg, notJSON(msg, err))
	}
	return nil
}

type binaryCodec struct{}

func (binaryCodec) Name() string { return "proto" }

func (binaryCodec) Marshal(m any) ([]byte, error) { return proto.Marshal(m.(proto.Message)) }

func (binaryCodec) MarshalAppend(to []byte, m any) ([]byte, error) {
	return proto.MarshalOptions{}.MarshalAppend(to, m.(proto.Message))
}

func (binaryCodec) MarshalStable(m any) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m.(proto.Message))
}

func (binaryCodec) IsBinary() bool { return true }

// Unmarshal drops unknown fields, as JSON does, so that one request is the same
// message whichever way it came.
func (binaryCodec) Unmarshal(data []byte, m any) error {
	msg := m.(proto.Message)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, msg); err != nil {
		markUndecodable(msg, "the body must be a protobuf message "+string(msg.ProtoReflect().Descriptor().FullName())+": "+plain(err))
	}
	return nil
}

// undecodableField is a number that no schema can use: protobuf keeps 19000 to
// 19999 for implementations.
const undecodableField = 19999

// markUndecodable empties a message and notes in it why it could not be read. Were
// the codec to fail instead, Connect would answer by itself, without the
// documented code and before any interceptor.
func markUndecodable(m proto.Message, why string) {
	proto.Reset(m)
	raw := protowire.AppendTag(nil, undecodableField, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendString(raw, why))
}

// checkDecoded is the refusal of a message that could not be read.
func checkDecoded(m proto.Message) error {
	raw := m.ProtoReflect().GetUnknown()
	number, _, n := protowire.ConsumeTag(raw)
	if n < 0 || number != undecodableField {
		return nil
	}
	why, _ := protowire.ConsumeString(raw[n:])
	return &pay.Error{Code: pay.InvalidRequest, Message: why}
}

// textsChecked calls next unless a text of the message is refused. The public services
// check each of theirs by itself.
func textsChecked(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if err := checkTexts(req.Any().(proto.Message)); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// checkTexts refuses a text with a NUL, which PostgreSQL cannot compare with any.
func checkTexts(m proto.Message) (err error) {
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Kind() == protoreflect.StringKind && f.Cardinality() != protoreflect.Repeated && strings.ContainsRune(v.String(), 0) {
			err = pay.RefuseField(pay.InvalidRequest, string(f.Name()), "%s must not have a NUL in it", f.Name())
		}
		return err == nil
	})
	return err
}

// Undecodable is the refusal of a body that is not the JSON of m, for callers that
// decode by themselves.
func Undecodable(m proto.Message, err error) error {
	return refusal(&pay.Error{Code: pay.InvalidRequest, Message: notJSON(m, err)})
}

func notJSON(m proto.Message, err error) string {
	why := plain(err)
	if strings.Contains(why, "for int32 field") {
		why += "; whole numbers only, and amounts in minor units: 4.99 dollars are 499"
	}
	return "the body must be a JSON object of " + string(m.ProtoReflect().Descriptor().FullName()) + ": " + why
}

// plain is a decoder's error without its prefix, in which protobuf-go mixes
// ordinary and non-breaking spaces on purpose.
func plain(err error) string {
	text := strings.ReplaceAll(fmt.Sprint(err), "\u00a0", " ")
	return strings.TrimSpace(strings.TrimPrefix(text, "proto:"))
}
