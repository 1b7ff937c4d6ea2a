package contract

import (
	"encoding/hex"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
)

// What every message of pay.v1 is in binary, every field set, one line for each of its
// fields: number, wire type, name, value, and the bytes in hex after the last colon.
// Clients that were built long ago send and expect these bytes for ever.
//
// `go test ./test/contract -update` adds messages and fields that are new, and nothing
// else: who wants to change what is there has to delete its lines by hand, and to know why.

const goldenFile = "testdata/golden.txt"

var update = flag.Bool("update", false, "add new messages and fields to "+goldenFile)

func TestBinaryMessagesAreTheGoldenBytes(t *testing.T) {
	golden, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	ours := render(t)
	if !*update {
		if diff := cmp.Diff(string(golden), ours); diff != "" {
			t.Errorf("what is new is added by -update; what is there never changes (-golden +ours):\n%s", diff)
		}
		return
	}
	if lost := changed(string(golden), ours); len(lost) > 0 {
		t.Fatalf("these lines would change; %s is left as it is:\n%s", goldenFile, strings.Join(lost, "\n"))
	}
	if err := os.WriteFile(goldenFile, []byte(ours), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestGoldenBytesAreReadAsWhatTheyWereWrittenFrom(t *testing.T) {
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	golden := decodeHex(t, string(raw))
	for m := range goldenMessages(t) {
		name := string(m.Descriptor().Name())
		t.Run(name, func(t *testing.T) {
			bytes, ok := golden[name]
			if !ok {
				t.Fatal("has no golden bytes")
			}
			delete(golden, name)
			got := m.New()
			if err := proto.Unmarshal(bytes, got.Interface()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(filled(m).Interface(), got.Interface(), protocmp.Transform()); diff != "" {
				t.Errorf("-written +read:\n%s", diff)
			}
			for _, path := range unset(got, "") {
				t.Errorf("%s is not set", path)
			}
		})
	}
	for name := range golden {
		t.Errorf("%s has golden bytes, but is no message", name)
	}
}

func TestUpdateAddsAndNeverChanges(t *testing.T) {
	const old = "Item\n  1 LEN price: 0a02\n    1 VARINT amount 5: 0805\n"
	for ours, want := range map[string][]string{
		old: nil,
		"Item\n  1 LEN price: 0a04\n    1 VARINT amount 5: 0805\n    2 VARINT digits 2: 1002\n":      nil, // a field more
		"Alone\nItem\n  1 LEN price: 0a02\n    1 VARINT amount 5: 0805\n  3 VARINT n 7: 1807\nTax\n": nil,
		"Item\n  1 LEN price: 0a02\n    2 VARINT amount 5: 1005\n":                                   {"Item: 1 LEN price: 1 VARINT amount 5: 0805"}, // moved
		"Item\n  1 LEN price: 0a02\n    1 VARINT total 5: 0805\n":                                    {"Item: 1 LEN price: 1 VARINT amount 5: 0805"}, // renamed
		"Item\n  2 LEN price: 1202\n    1 VARINT amount 5: 0805\n":                                   {"Item: 1 LEN price", "Item: 1 LEN price: 1 VARINT amount 5: 0805"},
		"Item\n": {"Item: 1 LEN price", "Item: 1 LEN price: 1 VARINT amount 5: 0805"}, // removed
		"":       {"Item", "Item: 1 LEN price", "Item: 1 LEN price: 1 VARINT amount 5: 0805"},
	} {
		if diff := cmp.Diff(want, changed(old, ours)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", ours, diff)
		}
	}
}

// goldenMessages yields every message of pay.v1, as the generated code has it.
func goldenMessages(t *testing.T) func(yield func(protoreflect.MessageType) bool) {
	return func(yield func(protoreflect.MessageType) bool) {
		for _, file := range files {
			for d := range each(file.Messages()) {
				m, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
				if err != nil {
					t.Fatal(err)
				}
				if !yield(m) {
					return
				}
			}
		}
	}
}

// filled is a message with every field set, each to a value that follows from the path
// of names that leads to it: no two fields of a message have the same.
func filled(m protoreflect.MessageType) protoreflect.Message {
	out := m.New()
	fill(out, "")
	return out
}

func fill(m protoreflect.Message, path string) {
	for f := range each(m.Descriptor().Fields()) {
		at := path + string(f.Name())
		switch {
		case f.IsMap():
			entries := m.Mutable(f).Map()
			for _, n := range []string{"[0]", "[1]"} {
				entries.Set(scalar(f.MapKey(), at+n+".key").MapKey(), value(entries.NewValue, f.MapValue(), at+n+".value"))
			}
		case f.IsList():
			elements := m.Mutable(f).List()
			for _, n := range []string{"[0]", "[1]"} {
				elements.Append(value(elements.NewElement, f, at+n))
			}
		default:
			m.Set(f, value(func() protoreflect.Value { return m.NewField(f) }, f, at))
		}
	}
}

func value(empty func() protoreflect.Value, f protoreflect.FieldDescriptor, path string) protoreflect.Value {
	if f.Message() == nil {
		return scalar(f, path)
	}
	v := empty()
	fill(v.Message(), path+".")
	return v
}

// scalar derives a value from a path. Numbers are below a thousand million, which the
// nanoseconds of a time have to be.
func scalar(f protoreflect.FieldDescriptor, path string) protoreflect.Value {
	h := fnv.New32a()
	_, _ = h.Write([]byte(path))
	number := 1 + h.Sum32()%999_999_999
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(path)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(number))
	}
	panic(fmt.Sprintf("no golden value for %s, a %s: add its kind here", f.FullName(), f.Kind()))
}

// unset lists the fields that are not set, in messages within messages too.
func unset(m protoreflect.Message, path string) (paths []string) {
	for f := range each(m.Descriptor().Fields()) {
		at := path + string(f.Name())
		switch {
		case !m.Has(f):
			paths = append(paths, at)
		case f.IsMap() || f.Message() == nil:
		case f.IsList():
			for i := range m.Get(f).List().Len() {
				paths = append(paths, unset(m.Get(f).List().Get(i).Message(), at+".")...)
			}
		default:
			paths = append(paths, unset(m.Get(f).Message(), at+".")...)
		}
	}
	return paths
}

// render is the golden file of the messages as they are now.
func render(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for m := range goldenMessages(t) {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(filled(m).Interface())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, m.Descriptor().Name())
		renderFields(&b, raw, m.Descriptor(), "  ")
	}
	return b.String()
}

// renderFields goes by the bytes; of the descriptor it takes names, and what is a message.
func renderFields(b *strings.Builder, raw []byte, in protoreflect.MessageDescriptor, indent string) {
	for len(raw) > 0 {
		number, kind, tag := protowire.ConsumeTag(raw)
		field := in.Fields().ByNumber(number)
		whole := tag + protowire.ConsumeFieldValue(number, kind, raw[tag:])
		switch kind {
		case protowire.VarintType:
			v, _ := protowire.ConsumeVarint(raw[tag:])
			fmt.Fprintf(b, "%s%d VARINT %s %d: %x\n", indent, number, field.Name(), v, raw[:whole])
		case protowire.BytesType:
			v, _ := protowire.ConsumeBytes(raw[tag:])
			if field.Message() == nil {
				fmt.Fprintf(b, "%s%d LEN %s %q: %x\n", indent, number, field.Name(), v, raw[:whole])
				break
			}
			fmt.Fprintf(b, "%s%d LEN %s: %x\n", indent, number, field.Name(), raw[:whole-len(v)])
			renderFields(b, v, field.Message(), indent+"  ")
		default:
			panic(fmt.Sprintf("no rendering of wire type %d, which %s has: add it here", kind, field.FullName()))
		}
		raw = raw[whole:]
	}
}

// decodeHex reads the bytes of each message out of a golden file.
func decodeHex(t *testing.T, golden string) map[string][]byte {
	t.Helper()
	messages, name := map[string][]byte{}, ""
	for line := range strings.Lines(golden) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, " ") {
			name = line
			messages[name] = []byte{}
			continue
		}
		raw, err := hex.DecodeString(line[strings.LastIndex(line, " ")+1:])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		messages[name] = append(messages[name], raw...)
	}
	return messages
}

// changed lists what of an old golden file a new one does not have. The length of a
// message within a message is left out: it grows with its fields.
func changed(old, ours string) (lost []string) {
	has := map[string]int{}
	for _, line := range located(ours) {
		has[line]++
	}
	for _, line := range located(old) {
		if has[line]--; has[line] < 0 {
			lost = append(lost, line)
		}
	}
	return lost
}

// located is each line of a golden file after the ones that it is indented below.
func located(golden string) (lines []string) {
	var path []string
	for line := range strings.Lines(golden) {
		text := strings.TrimSpace(line)
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / len("  ")
		if head, _, message := strings.Cut(text, ": "); message && strings.Count(head, " ") == 2 && strings.Contains(head, " LEN ") {
			text = head // a message's own line has no value
		}
		path = append(path[:depth], text)
		lines = append(lines, strings.Join(path, ": "))
	}
	return lines
}
