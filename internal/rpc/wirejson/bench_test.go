package wirejson_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/rpc/wirejson"
)

func orderOfAPlayer() *payv1.CreateSessionRequest {
	return &payv1.CreateSessionRequest{
		GameId: "space_shooter", UserId: "player-00001234", ReturnUrl: "https://game.example.com/shop/thanks",
		Item:    &payv1.Item{Title: "500 Gems", Price: 499, Currency: "USD", Image: proto.String("https://game.example.com/gems.png")},
		OrderId: proto.String("order-2026-000123"), Locale: proto.String("fr-CA"),
		Metadata: &payv1.SessionMetadata{OfferId: proto.String("summer"), Values: map[string]string{"campaign": "a", "shard": "eu-2"}},
	}
}

func sessionOfAPlayer() *payv1.Session {
	asked := orderOfAPlayer()
	at := timestamppb.New(time.Date(2026, 5, 1, 12, 30, 15, 123456000, time.UTC))
	return &payv1.Session{
		Id: "sess_0198c0ffee0198c0ffee0198c0ffee01", Url: "https://pay.example.com/p/sess_0198c0ffee0198c0ffee0198c0ffee01",
		Status: "created", UserId: asked.UserId, GameId: asked.GameId, Item: asked.Item, CreatedAt: at, ExpiresAt: at,
		Metadata: asked.Metadata, ReturnUrl: asked.ReturnUrl, OrderId: asked.OrderId, Environment: "sandbox",
	}
}

func benchmarked() map[string]proto.Message {
	list := &payv1.ListSessionsResponse{Total: 1000, HasMore: true, NextCursor: proto.String("c_1")}
	for range 50 {
		list.Sessions = append(list.Sessions, sessionOfAPlayer())
	}
	s := sessionOfAPlayer()
	return map[string]proto.Message{
		"CreateSessionRequest":     orderOfAPlayer(),
		"CreateSessionResponse":    &payv1.CreateSessionResponse{Id: s.Id, Url: s.Url, Session: s},
		"GetSessionStatusRequest":  &payv1.GetSessionStatusRequest{Id: s.Id},
		"GetSessionStatusResponse": &payv1.GetSessionStatusResponse{Id: s.Id, Status: s.Status},
		"ListSessionsResponse":     list,
	}
}

// BenchmarkWrite and BenchmarkRead have protojson beside ours.
func BenchmarkWrite(b *testing.B) {
	for name, m := range benchmarked() {
		for by, write := range map[string]func([]byte, proto.Message) ([]byte, error){
			"wirejson": wirejson.MarshalAppend, "protojson": documented.write.MarshalAppend,
		} {
			b.Run(name+"/"+by, func(b *testing.B) {
				var buffer []byte
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if buffer, err = write(buffer[:0], m); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(len(buffer)))
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, m := range benchmarked() {
		text, err := wirejson.MarshalAppend(nil, m)
		if err != nil {
			b.Fatal(err)
		}
		for by, read := range map[string]func([]byte, proto.Message) error{
			"wirejson": wirejson.Unmarshal, "protojson": documented.read.Unmarshal,
		} {
			b.Run(name+"/"+by, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					if err := read(text, m.ProtoReflect().New().Interface()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
