package wirejson_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// strange is what a contract may say and ours never does.
var strange = func() protoreflect.FileDescriptor {
	const field = `field { name: "%s" json_name: "%s" number: %d label: LABEL_%s type: TYPE_STRING }`
	text := &strings.Builder{}
	fmt.Fprint(text, `name: "strange.proto" syntax: "proto2" message_type { name: "Named" `) // fields that go by the names of others
	for i, name := range []string{"id", "item", "title"} {
		fmt.Fprintf(text, field, name, []string{"item", "title", "unknown"}[i], i+1, "OPTIONAL")
	}
	fmt.Fprint(text, `} message_type { name: "Wide" `) // more fields than are read here
	for i := range 70 {
		name := fmt.Sprintf("f%d", i)
		fmt.Fprintf(text, field, name, name, i+1, "OPTIONAL")
	}
	fmt.Fprint(text, `} message_type { name: "Demanding" `)
	fmt.Fprintf(text, field, "id", "id", 1, "REQUIRED")
	fmt.Fprint(text, `} message_type { name: "Extended" extension_range { start: 100 end: 200 } } `)
	fmt.Fprint(text, `extension { name: "more" number: 100 label: LABEL_OPTIONAL type: TYPE_STRING extendee: ".Extended" } `)
	fmt.Fprint(text, `message_type { name: "Endless" field { name: "item" json_name: "item" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".Endless" } }`)
	said := &descriptorpb.FileDescriptorProto{}
	if err := prototext.Unmarshal([]byte(text.String()), said); err != nil {
		panic(err)
	}
	file, err := protodesc.NewFile(said, nil)
	if err != nil {
		panic(err)
	}
	return file
}()

func TestWritesExtensionsAsProtojson(t *testing.T) {
	m := dynamicpb.NewMessage(strange.Messages().ByName("Extended"))
	m.Set(dynamicpb.NewExtensionType(strange.Extensions().Get(0)).TypeDescriptor(), protoreflect.ValueOfString("a"))
	agreeOnWriting(t, m)
	if text, err := documented.write.Marshal(m); err != nil || !strings.Contains(string(text), "more") {
		t.Errorf("the extension is not even there: %s, %v", text, err)
	}
}

func TestCountsDepthAsProtojson(t *testing.T) {
	endless := dynamicpb.NewMessageType(strange.Messages().ByName("Endless"))
	for _, depth := range []int{1, 9_999, 10_000, 10_001} {
		agreeOnReading(t, endless, []byte(strings.Repeat(`{"item":`, depth-1)+"{}"+strings.Repeat("}", depth-1)))
	}
	deep := endless.New()
	for m, i := deep, 0; i < 100; i++ {
		m = m.Mutable(endless.Descriptor().Fields().Get(0)).Message()
	}
	agreeOnWriting(t, deep.Interface())
	if proto.Size(deep.Interface()) == 0 {
		t.Error("it is not even deep")
	}
}
