package wirejson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/typepb"
	"pgregory.net/rapid"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/rpc/wirejson"
)

// documented is the JSON of the contract, said once more, so that a change of it is noticed.
var documented = struct {
	write protojson.MarshalOptions
	read  protojson.UnmarshalOptions
}{
	protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true},
	protojson.UnmarshalOptions{DiscardUnknown: true},
}

// contract is every message of the contract, by name.
func contract() (all []protoreflect.MessageType) {
	in := map[protoreflect.FullName]bool{
		payv1.File_pay_v1_payment_proto.Package(): true, adminv1.File_admin_v1_admin_proto.Package(): true,
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := 0; in[f.Package()] && i < f.Messages().Len(); i++ {
			found, err := protoregistry.GlobalTypes.FindMessageByName(f.Messages().Get(i).FullName())
			if err != nil {
				panic(err)
			}
			all = append(all, found)
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MessageType) int {
		return strings.Compare(string(a.Descriptor().FullName()), string(b.Descriptor().FullName()))
	})
	return all
}

// subjects are the contract's messages, and foreign ones that have all that the
// contract has not: other kinds, enums, extensions, required fields, no end.
func subjects() []protoreflect.MessageType {
	all := contract()
	for _, m := range []proto.Message{
		&status.Status{}, &structpb.Struct{}, &fieldmaskpb.FieldMask{}, &timestamppb.Timestamp{}, &typepb.Type{},
		&descriptorpb.FileDescriptorProto{}, &descriptorpb.UninterpretedOption{},
	} {
		all = append(all, m.ProtoReflect().Type())
	}
	for i := range strange.Messages().Len() {
		all = append(all, dynamicpb.NewMessageType(strange.Messages().Get(i)))
	}
	return all
}

// agreeOnWriting checks one message against protojson.
func agreeOnWriting(t rapid.TB, m proto.Message) {
	t.Helper()
	want, wantErr := documented.write.Marshal(m)
	got, err := wirejson.MarshalAppend([]byte("before"), m)
	if !sameError(err, wantErr) {
		t.Fatalf("%T{%v}: the error is %v, but protojson's %v", m, m, err, wantErr)
	}
	if err != nil {
		return
	}
	compact := bytes.NewBufferString("before")
	if err := json.Compact(compact, want); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, compact.Bytes()) {
		t.Fatalf("%T:\n  wrote %s\nprotojson %s", m, got, compact.Bytes())
	}
}

// agreeOnReading checks one text against protojson.
func agreeOnReading(t rapid.TB, kind protoreflect.MessageType, text []byte) {
	t.Helper()
	want, got := kind.New().Interface(), kind.New().Interface()
	wantErr := documented.read.Unmarshal(text, want)
	err := wirejson.Unmarshal(text, got)
	if !sameError(err, wantErr) {
		t.Fatalf("%T from %q: the error is %v, but protojson's %v", got, text, err, wantErr)
	}
	if err == nil && !proto.Equal(got, want) {
		t.Fatalf("%T from %q:\n  read as %v\nprotojson %v", got, text, got, want)
	}
}

func sameError(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error() && errors.Is(a, proto.Error) == errors.Is(b, proto.Error)
}

// words are texts of which something could go wrong.
var words = []string{
	"", "a", "500 Gems", `"`, `\`, "/", "<&>", "\x00", "\x1f", "\x7f", "\b\f\n\r\t", "Épée", "日本語", "😀", "\u2028\u2029", "\ufffd", "\ufeff",
	"null", "{}", strings.Repeat("x", 200), strings.Repeat("é", 200),
}

// wrong are texts that are no text.
var wrong = []string{"\xff", "a\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80"}

// drawMessage makes any message: not only those that Coinslot would make.
func drawMessage(t *rapid.T, kind protoreflect.MessageType, depth int) protoreflect.Message {
	m := kind.New()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Message() != nil && depth == 0 || !rapid.Bool().Draw(t, "set "+string(f.Name())) {
			continue
		}
		switch {
		case f.IsMap():
			entries := m.Mutable(f).Map()
			for range rapid.OneOf(rapid.IntRange(0, 3), rapid.SampledFrom([]int{32, 33})).Draw(t, "entries") {
				key := drawScalar(t, f.MapKey()).MapKey()
				if f.MapValue().Message() == nil {
					entries.Set(key, drawScalar(t, f.MapValue()))
				} else {
					entries.Set(key, fill(t, entries.NewValue(), depth-1))
				}
			}
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(0, 3).Draw(t, "elements") {
				if f.Message() == nil {
					list.Append(drawScalar(t, f))
				} else {
					list.Append(fill(t, list.NewElement(), depth-1))
				}
			}
		case f.Message() != nil:
			m.Set(f, fill(t, m.NewField(f), depth-1))
		default:
			m.Set(f, drawScalar(t, f))
		}
	}
	return m
}

func fill(t *rapid.T, v protoreflect.Value, depth int) protoreflect.Value {
	return protoreflect.ValueOfMessage(drawMessage(t, v.Message().Type(), depth))
}

func drawScalar(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		if rapid.IntRange(0, 99).Draw(t, "wrong") == 99 {
			return protoreflect.ValueOfString(rapid.SampledFrom(wrong).Draw(t, "text"))
		}
		return protoreflect.ValueOfString(rapid.OneOf(rapid.SampledFrom(words), rapid.String()).Draw(t, "text"))
	case protoreflect.Int32Kind: // nanoseconds among them
		return protoreflect.ValueOfInt32(rapid.OneOf(
			rapid.Int32(), rapid.Int32Range(0, 999), rapid.Map(rapid.Int32Range(-999, 999), func(n int32) int32 { return n * 1_000_000 }),
		).Draw(t, "int32"))
	case protoreflect.Int64Kind: // seconds among them
		return protoreflect.ValueOfInt64(rapid.OneOf(
			rapid.Int64Range(-62135596801, 253402300800), rapid.Int64Range(-315576000001, 315576000001), rapid.Int64(),
		).Draw(t, "int64"))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Draw(t, "float64"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.Int32Range(0, 20).Draw(t, "enum")))
	}
	panic("no " + f.Kind().String() + " is drawn yet")
}

const (
	deepest  = 3
	perCheck = 10 // messages, as there are so many kinds of them
)

func drawAny(t *rapid.T) (protoreflect.MessageType, proto.Message) {
	kind := rapid.SampledFrom(subjects()).Draw(t, "message")
	return kind, drawMessage(t, kind, deepest).Interface()
}

func TestWritesAsProtojson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range perCheck {
			_, m := drawAny(t)
			agreeOnWriting(t, m)
		}
	})
}

func TestReadsAsProtojson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range perCheck {
			readsAsProtojson(t)
		}
	})
}

// readsAsProtojson reads what protojson wrote, spoilt in a few places.
func readsAsProtojson(t *rapid.T) {
	kind, m := drawAny(t)
	write := documented.write
	write.UseProtoNames = rapid.Bool().Draw(t, "names as in the contract")
	write.EmitUnpopulated = rapid.Bool().Draw(t, "with null")
	if rapid.Bool().Draw(t, "indented") {
		write.Indent = "\t"
	}
	text, err := write.Marshal(m)
	if err != nil {
		text = []byte("{}")
	}
	agreeOnReading(t, kind, text)
	for range rapid.IntRange(1, 3).Draw(t, "spoilt") {
		text = spoil(t, text)
		agreeOnReading(t, kind, text)
	}
}

// spoil puts something else in the place of a piece of JSON, which is often a whole token.
func spoil(t *rapid.T, text []byte) []byte {
	ends := []int{0, len(text)}
	for i, c := range text {
		if strings.IndexByte(`{}[],:"`, c) >= 0 {
			ends = append(ends, i, i+1)
		}
	}
	at := rapid.OneOf(rapid.SampledFrom(ends), rapid.IntRange(0, len(text)))
	from, to := at.Draw(t, "from"), at.Draw(t, "to")
	if rapid.Bool().Draw(t, "only put in") || to < from {
		to = from
	} else if to > from+40 {
		to = from + 1
	}
	instead := rapid.SampledFrom(pieces).Draw(t, "instead")
	return append(append(bytes.Clone(text[:from]), instead...), text[to:]...)
}

// Every text is tried on every message: what is odd in one is unknown in another.
func TestReadsHostileTextsAsProtojson(t *testing.T) {
	for _, kind := range subjects() {
		for _, text := range texts {
			agreeOnReading(t, kind, []byte(text))
		}
	}
}

// FuzzWrite has messages of all kinds, from their form on the wire.
func FuzzWrite(f *testing.F) {
	all := subjects()
	for _, m := range examples() {
		wire, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, indexOf(all, m))
	}
	f.Fuzz(func(t *testing.T, wire []byte, which uint8) {
		m := all[int(which)%len(all)].New().Interface()
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(wire, m) == nil {
			agreeOnWriting(t, m)
		}
	})
}

// FuzzRead has texts for messages of all kinds.
func FuzzRead(f *testing.F) {
	all := subjects()
	for _, text := range texts {
		f.Add(text, indexOf(all, &payv1.CreateSessionRequest{}))
	}
	for _, m := range examples() {
		text, err := documented.write.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), indexOf(all, m))
	}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		agreeOnReading(t, all[int(which)%len(all)], []byte(text))
	})
}

// examples are an empty message of each kind, and full ones of some.
func examples() (all []proto.Message) {
	for _, kind := range contract() {
		all = append(all, kind.New().Interface())
	}
	return slices.AppendSeq(all, maps.Values(benchmarked()))
}

func indexOf(all []protoreflect.MessageType, m proto.Message) uint8 {
	return uint8(slices.Index(all, m.ProtoReflect().Type()))
}

func TestWritesTimesAsProtojson(t *testing.T) {
	for _, seconds := range []int64{
		0, 1, -1, 59, 951782400, -62135596800, -62135596801, 253402300799, 253402300800, 315576000000, 315576000001, -315576000000, -315576000001,
	} {
		for _, nanos := range []int32{0, 1, 10, 999, 1000, 120_000, 1_000_000, 30_000_000, 100_000_000, 999_999_999, 1_000_000_000} {
			for _, n := range []int32{nanos, -nanos} {
				agreeOnWriting(t, &payv1.CreateSessionRequest{ExpiresIn: &durationpb.Duration{Seconds: seconds, Nanos: n}})
				agreeOnWriting(t, &adminv1.CreateKeyRequest{ExpiresAt: &timestamppb.Timestamp{Seconds: seconds, Nanos: n}})
			}
		}
	}
}

func TestWritesEmptyMessagesAsProtojson(t *testing.T) {
	for _, kind := range subjects() {
		agreeOnWriting(t, kind.New().Interface())
		agreeOnWriting(t, kind.Zero().Interface())
	}
	agreeOnWriting(t, nil)
	agreeOnWriting(t, &payv1.ListSessionsResponse{Sessions: []*payv1.Session{nil}})
}

// The same message is written alike each time, whatever its map makes of it.
func TestWritingIsStable(t *testing.T) {
	m := orderOfAPlayer()
	first, err := wirejson.MarshalAppend(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := wirejson.MarshalAppend(nil, proto.Clone(m))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("written as %s, then as %s, %v", first, again, err)
		}
	}
}
