package openapi

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// direction is which way a message goes: what is required of it, and what it may hold,
// differs.
type direction int

const (
	answered direction = iota
	asked
)

// schemas collects the messages that are referred to.
type schemas struct {
	answers map[protoreflect.FullName]bool // messages that are in answers
	all     Map[*Schema]
}

// note marks a message, and all that it holds, as one that is in answers.
func (s *schemas) note(m *protogen.Message) {
	if s.answers[m.Desc.FullName()] || wellKnown(m) != nil {
		return
	}
	s.answers[m.Desc.FullName()] = true
	for _, f := range m.Fields {
		if f.Message != nil && !f.Desc.IsMap() {
			s.note(f.Message)
		}
	}
}

// message refers to a message's schema, which it writes if nobody has yet. A message
// that goes both ways has a second schema for requests.
func (s *schemas) message(m *protogen.Message, d direction) (*Schema, error) {
	if known := wellKnown(m); known != nil {
		return known, nil
	}
	name := m.GoIdent.GoName
	if d == asked && s.answers[m.Desc.FullName()] {
		name += "Input"
	}
	if !s.all.Has(name) {
		s.all.Set(name, nil) // keeps its place, and ends recursion
		whole, err := s.object(m, d, nil)
		if err != nil {
			return nil, err
		}
		s.all.Set(name, whole)
	}
	return &Schema{Ref: "#/components/schemas/" + name}, nil
}

// object is the schema of a message, without some of its fields.
func (s *schemas) object(m *protogen.Message, d direction, without []string) (*Schema, error) {
	o := &Schema{Type: "object", Description: about(m.GoIdent.GoName, m.Comments.Leading)}
	if d == asked {
		o.AdditionalProperties = &Schema{} // unknown fields are ignored
	}
	for _, f := range m.Fields {
		name := string(f.Desc.Name())
		if slices.Contains(without, name) || d == asked && ignored.MatchString(prose(f.Comments.Leading)) {
			continue
		}
		field, err := s.field(f, d)
		if err != nil {
			return nil, err
		}
		o.Properties.Set(name, field)
		if isRequired(f, d) {
			o.Required = append(o.Required, name)
		}
	}
	return o, nil
}

// isRequired says whether a field must be there: in answers those without presence
// always are, in requests those are that are documented to be.
func isRequired(f *protogen.Field, d direction) bool {
	if d == asked {
		return required.MatchString(prose(f.Comments.Leading))
	}
	return !f.Desc.HasOptionalKeyword() && !sometimes[f.Desc.FullName()]
}

// field is the schema of a field as JSON has it.
func (s *schemas) field(f *protogen.Field, d direction) (*Schema, error) {
	var schema *Schema
	var err error
	switch {
	case f.Desc.IsMap():
		value, err := s.single(f.Message.Fields[1], d)
		if err != nil {
			return nil, err
		}
		schema = &Schema{Type: "object", AdditionalProperties: value}
	case f.Desc.IsList():
		items, err := s.single(f, d)
		if err != nil {
			return nil, err
		}
		schema = &Schema{Type: "array", Items: items}
	default:
		if schema, err = s.single(f, d); err != nil {
			return nil, err
		}
	}
	schema.Description = fieldProse(f)
	schema.Deprecated = f.Desc.Options().(interface{ GetDeprecated() bool }).GetDeprecated()
	return schema, tighten(schema, f)
}

func (s *schemas) single(f *protogen.Field, d direction) (*Schema, error) {
	switch f.Desc.Kind() {
	case protoreflect.MessageKind:
		return s.message(f.Message, d)
	case protoreflect.StringKind:
		return &Schema{Type: "string"}, nil
	case protoreflect.BoolKind:
		return &Schema{Type: "boolean"}, nil
	case protoreflect.Int32Kind:
		return &Schema{Type: "integer", Format: "int32"}, nil
	}
	return nil, fmt.Errorf("%s: no schema for a field of kind %s", f.Desc.FullName(), f.Desc.Kind())
}

// wellKnown is the JSON of a message that JSON writes as something else.
func wellKnown(m *protogen.Message) *Schema {
	switch m.Desc.FullName() {
	case "google.protobuf.Timestamp":
		return &Schema{Type: "string", Format: "date-time"} // RFC 3339
	case "google.protobuf.Duration":
		return &Schema{Type: "string", Pattern: `^[0-9]+(\.[0-9]{1,9})?s$`, Examples: []string{"900s"}}
	}
	return nil
}

// tighten adds what the contract's field does not say of itself.
func tighten(s *Schema, f *protogen.Field) error {
	if values, ok := enums[f.Desc.FullName()]; ok {
		told := inBackticks(prose(f.Comments.Leading))
		for _, v := range values {
			if !slices.Contains(told, v) {
				return fmt.Errorf("%s can be %q, but its comment does not say so", f.Desc.FullName(), v)
			}
		}
		s.Enum = values
	}
	if types, ok := eventTypes[f.Desc.FullName()]; ok {
		if s.Items != nil {
			s = s.Items
		}
		s.Enum = types
	}
	if bound, ok := bounds[f.Desc.FullName()]; ok {
		bound(s)
	}
	return nil
}

// fullNames are the fields that the facts speak of, so that one that is renamed is noticed.
func fullNames() []protoreflect.FullName {
	var all []protoreflect.FullName
	for name := range enums {
		all = append(all, name)
	}
	for name := range bounds {
		all = append(all, name)
	}
	for name := range eventTypes {
		all = append(all, name)
	}
	for name := range sometimes {
		all = append(all, name)
	}
	for name := range overREST {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b protoreflect.FullName) int { return strings.Compare(string(a), string(b)) })
	return slices.Compact(all)
}
