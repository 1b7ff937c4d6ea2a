package wirejson

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// What falls to protojson is right all the same, only slower: so nothing else would
// tell that a new field has brought a whole message there.
func TestTheContractIsOrdinary(t *testing.T) {
	of := payv1.File_pay_v1_payment_proto.Package() // game servers' calls; the operator's are few
	protoregistry.GlobalFiles.RangeFilesByPackage(of, func(f protoreflect.FileDescriptor) bool {
		for i := range f.Messages().Len() {
			if m := f.Messages().Get(i); planOf(m) == nil {
				t.Errorf("%s is left to protojson: give the kind of its newest field a form", m.FullName())
			}
		}
		return true
	})
	for _, m := range []proto.Message{&structpb.Struct{}, &timestamppb.Timestamp{}} {
		if planOf(m.ProtoReflect().Descriptor()) != nil {
			t.Errorf("%T has a plan, but has a JSON of its own", m)
		}
	}
}

func TestOrdinaryMessagesAreNotLeftToProtojson(t *testing.T) {
	for _, tt := range []struct {
		m    proto.Message
		text string
	}{
		{&payv1.GetSessionStatusRequest{}, `{"id":"sess_1"}`},
		{&payv1.ListSessionsRequest{}, " {\n\t\"gameId\": \"arcade\", \"limit\": 50, \"offset\": 0, \"cursor\": null }\n"},
		{&payv1.CreateSessionRequest{}, `{"game_id":"a","user_id":"日本語","item":{"title":"Coin","price":499,"currency":"USD"},"return_url":"a://b",` +
			`"wallet_enabled":true,"metadata":{"offer_id":"x","values":{"a":"1","b":"2"}},"expires_in":"900s","locale":null}`},
		{&adminv1.CreateWebhookEndpointRequest{}, `{"game_id":"a","events":["session.paid","payment.failed"]}`},
	} {
		p := planOf(tt.m.ProtoReflect().Descriptor())
		wire, ok := p.wire([]byte(tt.text))
		if !ok {
			t.Errorf("%T is not read: %s", tt.m, tt.text)
			continue
		}
		if err := proto.Unmarshal(wire, tt.m); err != nil {
			t.Error(err)
		}
		if _, ok := p.append(nil, tt.m.ProtoReflect()); !ok {
			t.Errorf("%v is not written", tt.m)
		}
	}
}
