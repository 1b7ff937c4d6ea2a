package rest

import (
	"connectrpc.com/vanguard"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/rpc/wirejson"
)

func documentedJSON(types vanguard.TypeResolver) vanguard.Codec {
	write, read := wirejson.Write, wirejson.Read
	write.Resolver, read.Resolver = types, types
	return jsonCodec{&vanguard.JSONCodec{MarshalOptions: write, UnmarshalOptions: read}}
}

// jsonCodec is the JSON of the RPC handlers, and refuses what it cannot read in the
// documented words. What only query parameters need is vanguard's.
type jsonCodec struct{ *vanguard.JSONCodec }

func (jsonCodec) MarshalAppend(to []byte, m proto.Message) ([]byte, error) {
	return wirejson.MarshalAppend(to, m)
}

// MarshalAppendField writes the one field that is the whole answer: an entity or a list.
func (c jsonCodec) MarshalAppendField(to []byte, m proto.Message, f protoreflect.FieldDescriptor) ([]byte, error) {
	switch {
	case f.Message() == nil || f.IsMap():
		return c.JSONCodec.MarshalAppendField(to, m, f)
	case !f.IsList():
		return wirejson.MarshalAppend(to, m.ProtoReflect().Get(f).Message().Interface())
	}
	to = append(to, '[')
	for i, list := 0, m.ProtoReflect().Get(f).List(); i < list.Len(); i++ {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = wirejson.MarshalAppend(to, list.Get(i).Message().Interface()); err != nil {
			return nil, err
		}
	}
	return append(to, ']'), nil
}

func (jsonCodec) Unmarshal(data []byte, m proto.Message) error {
	if err := wirejson.Unmarshal(data, m); err != nil {
		return rpc.Undecodable(m, err)
	}
	return nil
}
