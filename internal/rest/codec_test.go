package rest

import (
	"bytes"
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// An answer that is one field of its message is the one that vanguard would write.
func TestFieldsAreWrittenAsTheTranscoderWould(t *testing.T) {
	codec := documentedJSON(protoregistry.GlobalTypes).(jsonCodec)
	session := &payv1.Session{Id: "sess_1", Item: &payv1.Item{Title: "Gems"}, Metadata: &payv1.SessionMetadata{Values: map[string]string{"b": "2", "a": "1"}}}
	for _, m := range []proto.Message{
		&payv1.ListSessionsResponse{}, &payv1.ListSessionsResponse{Sessions: []*payv1.Session{session}},
		&payv1.ListSessionsResponse{Sessions: []*payv1.Session{session, {}, session}, Total: 7, HasMore: true},
		&payv1.CreateSessionResponse{}, &payv1.CreateSessionResponse{Id: "sess_1", Session: session},
		session.Metadata, &payv1.SessionMetadata{}, &payv1.ListEventsRequest{Types: []string{"a", "b"}},
	} {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			want, err := codec.JSONCodec.MarshalAppendField(nil, proto.Clone(m), fields.Get(i))
			if err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, want); err != nil {
				t.Fatal(err)
			}
			got, err := codec.MarshalAppendField(nil, m, fields.Get(i))
			if err != nil {
				t.Fatal(err)
			}
			var ours bytes.Buffer // what is left to vanguard has protojson's white space
			if err := json.Compact(&ours, got); err != nil || ours.String() != compact.String() {
				t.Errorf("%s is written as %s, %v, want %s", fields.Get(i).FullName(), got, err, compact.String())
			}
		}
	}
}
