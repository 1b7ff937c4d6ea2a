package wirejson

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// plan is what there is to know of a message before one comes. It is made of the
// message's descriptor when the first one comes, so a new field needs nothing here.
type plan struct {
	fields []field           // in the order of their declaration
	named  map[string]*field // by both of their names
}

type field struct {
	desc     protoreflect.FieldDescriptor
	form     form
	presence bool   // left out where it is absent
	list     bool   // of many values
	name     []byte // as it is written: quoted, with the colon
	tag      []byte // of each value on the wire
	bit      uint64 // its own among the fields of the message; 0: reading it is protojson's
	message  *plan  // of an object
}

// form is how a value looks.
type form uint8

const (
	text form = iota + 1
	integer
	truth
	object
	texts // a map of text to text
	timestamp
	duration
)

// plans holds the plan of every message that ever came, by its descriptor, and nil for
// those that are protojson's. Descriptors live as long as the program.
var plans sync.Map

// planOf is nil where a message is protojson's.
func planOf(d protoreflect.MessageDescriptor, within ...protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(d); ok {
		return p.(*plan)
	}
	if slices.Contains(within, d) {
		return nil // it has no end, so depth must be counted
	}
	p := newPlan(d, append(within, d))
	plans.Store(d, p)
	return p
}

func newPlan(d protoreflect.MessageDescriptor, within []protoreflect.MessageDescriptor) *plan {
	if d.ParentFile().Package() == "google.protobuf" || d.ExtensionRanges().Len() > 0 {
		return nil
	}
	all := d.Fields()
	p := &plan{fields: make([]field, all.Len()), named: map[string]*field{}}
	for i := range p.fields {
		f := &p.fields[i]
		if *f = newField(all.Get(i), within); f.form == 0 {
			return nil
		}
		if one := f.desc.ContainingOneof(); one == nil || one.IsSynthetic() {
			f.bit = 1 << i // 0 from the 65th on
		}
		p.named[f.desc.TextName()] = f
	}
	for i := range p.fields { // which of two fields goes by a name is settled by this one
		p.named[p.fields[i].desc.JSONName()] = &p.fields[i]
	}
	return p
}

// newField is a field without a form where it is protojson's.
func newField(d protoreflect.FieldDescriptor, within []protoreflect.MessageDescriptor) field {
	f := field{desc: d, presence: d.HasPresence(), list: d.IsList()}
	name, _ := appendText(nil, d.TextName())
	f.name = append(name, ':')
	kind := protowire.BytesType
	switch d.Kind() {
	case protoreflect.StringKind:
		f.form = text
	case protoreflect.Int32Kind:
		f.form, kind = integer, protowire.VarintType
	case protoreflect.BoolKind:
		f.form, kind = truth, protowire.VarintType
	case protoreflect.MessageKind:
		f.form, f.message = formOf(d, within)
	}
	if d.Cardinality() == protoreflect.Required {
		f.form = 0
	}
	f.tag = protowire.AppendTag(nil, d.Number(), kind)
	return f
}

func formOf(d protoreflect.FieldDescriptor, within []protoreflect.MessageDescriptor) (form, *plan) {
	switch {
	case d.IsMap() && d.MapKey().Kind() == protoreflect.StringKind && d.MapValue().Kind() == protoreflect.StringKind:
		return texts, nil
	case d.IsMap():
		return 0, nil
	case d.Message().FullName() == "google.protobuf.Timestamp":
		return timestamp, nil
	case d.Message().FullName() == "google.protobuf.Duration":
		return duration, nil
	}
	if p := planOf(d.Message(), within...); p != nil {
		return object, p
	}
	return 0, nil
}
