package openapi

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// generator makes one document.
type generator struct {
	document *Document
	schemas  schemas
	examples []Exchange
}

// New writes the document of all methods that have a REST path. Its examples are the
// exchanges of files whose name begins with rest.
func New(files []*protogen.File, exchanges []Exchange) (*Document, error) {
	if err := checkFacts(files); err != nil {
		return nil, err
	}
	g := &generator{document: frame(), schemas: schemas{answers: map[protoreflect.FullName]bool{}}}
	for _, x := range exchanges {
		if strings.HasPrefix(x.Position, "rest") && x.Comment != "" && x.Header.Get(replayed) == "" {
			g.examples = append(g.examples, x)
		}
	}
	var methods []method
	for _, f := range files {
		for _, s := range f.Services {
			some, err := methodsOf(s)
			if err != nil {
				return nil, err
			}
			if len(some) > 0 {
				g.document.Tags = append(g.document.Tags, Tag{s.GoName, about(s.GoName, s.Comments.Leading)})
			}
			methods = append(methods, some...)
		}
	}
	return g.document, g.write(methods)
}

func (g *generator) write(methods []method) error {
	for _, m := range methods {
		g.schemas.note(m.Output)
	}
	for _, m := range methods {
		if err := g.operation(m); err != nil {
			return err
		}
	}
	var err error
	if g.document.Components.Responses, err = g.generalResponses(); err != nil {
		return err
	}
	g.document.Components.Schemas = g.schemas.all
	g.document.Components.Schemas.Set(errorAnswer, &Schema{
		Type: "object", Description: "What every refusal looks like.", Required: []string{"error"},
		Properties: one("error", &Schema{Ref: "#/components/schemas/Error", Description: "What is wrong."}),
	})
	if !g.document.Components.Schemas.Has("Error") {
		return fmt.Errorf("no message refers to Error")
	}
	return nil
}

// checkFacts refuses facts of fields that are not there.
func checkFacts(files []*protogen.File) error {
	there := map[protoreflect.FullName]bool{}
	for _, f := range files {
		for _, m := range f.Messages {
			for _, field := range m.Fields {
				there[field.Desc.FullName()] = true
			}
		}
	}
	for _, name := range fullNames() {
		if !there[name] {
			return fmt.Errorf("something is said of %s, which is no field", name)
		}
	}
	return nil
}

// one is a mapping with one key.
func one[V any](key string, value V) (m Map[V]) {
	m.Set(key, value)
	return m
}
