package rpc

import (
	"strings"
	"testing"
	"unicode/utf8"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// hostileBodies are seeds: bodies that a decoder could trip over.
var hostileBodies = []string{
	``, `{}`, `null`, `[]`, `{"game_id":`, `{"game_id":1}`, `{"item":{"price":"499"}}`, `{"item":{"price":4.99}}`,
	`{"item":{"price":1e3}}`, `{"item":{"price":2147483648}}`, `{"expires_in":"x"}`, `{"expires_in":"-1s"}`,
	`{"game_id":"a","gameId":"b"}`, `{"unknown":{"deep":[1,2,{"x":null}]}}`, "{\"game_id\":\"\xff\"}", "{\"\xff\":1}",
	`{"game_id":"\ud800"}`, `{"game_id":"\u0000"}`, `{"metadata":{"values":{"a":"1","a":"2"}}}`,
	strings.Repeat(`{"item":`, 100), strings.Repeat("[", 100), `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	"\x0a\x01\xff", "\x0a\xff\xff\xff\xff\x0f", "\x0a\x05ab", "\x1b\x1b\x1b", strings.Repeat("\x1a\x80\x01", 20),
}

// forged is a binary message that says of itself that it could not be read.
func forged(why string) []byte {
	raw := protowire.AppendTag(nil, undecodableField, protowire.BytesType)
	return protowire.AppendString(raw, why)
}

// FuzzDecode checks that a body is either the message that it says it is, or refused
// in the documented form; and that it cannot make itself look refused, or not.
func FuzzDecode(f *testing.F) {
	for _, body := range append(hostileBodies, string(forged("I am unreadable"))) {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, json bool) {
		codec, decode := connect.Codec(binaryCodec{}), proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal
		if json {
			codec, decode = jsonCodec{"json"}, ReadJSON.Unmarshal
		}
		want := &payv1.CreateSessionRequest{}
		wrong := decode(body, want)
		got := &payv1.CreateSessionRequest{}
		if err := codec.Unmarshal(body, got); err != nil {
			t.Fatalf("the codec failed, so Connect answers in words of its own: %v", err)
		}
		refused := checkDecoded(got)
		if (refused != nil) != (wrong != nil) {
			t.Fatalf("refused with %v, but decoding says %v", refused, wrong)
		}
		if wrong == nil {
			if !proto.Equal(want, got) {
				t.Errorf("read as %v, want %v", got, want)
			}
			return
		}
		if pay.CodeOf(refused) != pay.InvalidRequest || got.GetGameId() != "" || got.Item != nil {
			t.Errorf("refused with %v, and the message holds %v", refused, got)
		}
		told := refusal(refused.(*pay.Error))
		if len(told.Details()) != 1 || !utf8.ValidString(told.Message()) || strings.Contains(told.Message(), "proto:") {
			t.Errorf("told as %q with %d details", told.Message(), len(told.Details()))
		}
	})
}

func TestAnUnreadableMessageCannotBeForged(t *testing.T) {
	var inItem []byte // where it would not be looked for, but must not stay either
	inItem = protowire.AppendTag(inItem, 3, protowire.BytesType)
	inItem = protowire.AppendBytes(inItem, forged("I am unreadable"))
	for _, body := range [][]byte{forged("I am unreadable"), forged(""), inItem} {
		m := &payv1.CreateSessionRequest{}
		if err := (binaryCodec{}).Unmarshal(body, m); err != nil {
			t.Fatal(err)
		}
		if err := checkDecoded(m); err != nil || len(m.ProtoReflect().GetUnknown())+len(m.GetItem().ProtoReflect().GetUnknown()) != 0 {
			t.Errorf("a message that forges the mark is read as %v, refused with %v", m, err)
		}
	}
}

func TestNestingHasABound(t *testing.T) {
	const deep = 2_000_000
	for name, body := range map[string]string{
		"lists":           strings.Repeat("[", deep),
		"objects":         `{"unknown":` + strings.Repeat(`{"a":`, deep) + strings.Repeat("}", deep) + "}",
		"lists of lists":  `{"unknown":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + "}",
		"items of items":  strings.Repeat(`{"item":`, deep),
		"values of lists": `{"metadata":{"values":` + strings.Repeat("[", deep),
	} {
		m := &payv1.CreateSessionRequest{}
		if err := (jsonCodec{"json"}).Unmarshal([]byte(body), m); err != nil {
			t.Fatal(err)
		}
		if err := checkDecoded(m); pay.CodeOf(err) != pay.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSONAndBinaryOfOneRequestAreTheSameMessage(t *testing.T) {
	asked := &payv1.CreateSessionRequest{
		GameId: "arcade", Item: &payv1.Item{Title: "Coin", Price: 1, Image: proto.String("")},
		Metadata: &payv1.SessionMetadata{Values: map[string]string{"b": "2", "a": "1"}},
	}
	text, err := jsonCodec{"json"}.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := binaryCodec{}.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	binary = append(binary, forged("a field of a later version")...)
	fromText, fromBinary := &payv1.CreateSessionRequest{}, &payv1.CreateSessionRequest{}
	if err := (jsonCodec{"json"}).Unmarshal(text, fromText); err != nil {
		t.Fatal(err)
	}
	if err := (binaryCodec{}).Unmarshal(binary, fromBinary); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(fromText, fromBinary) || !proto.Equal(asked, fromText) {
		t.Errorf("JSON gives %v, binary %v", fromText, fromBinary)
	}
}

func TestAnOperatorsTextWithANULIsRefusedByItsName(t *testing.T) {
	err := checkTexts(&adminv1.CreateKeyRequest{GameId: "a\x00b"})
	if pay.CodeOf(err) != pay.InvalidRequest || fieldOf(err) != "game_id" {
		t.Errorf("got %v", err)
	}
	if err := checkTexts(&adminv1.CreateKeyRequest{GameId: "arcade", Label: "CI"}); err != nil {
		t.Error(err)
	}
}
