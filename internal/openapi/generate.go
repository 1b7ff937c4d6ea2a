package openapi

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
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
	g := &generator{
		document: frame(), schemas: schemas{answers: map[protoreflect.FullName]bool{}},
	}
	for _, x := range exchanges {
		if strings.HasPrefix(x.Position, "rest") && x.Comment != "" && x.Header.Get(replayed) == "" {
			g.examples = append(g.examples, x)
		}
	}
	var methods []method
	for _, f := range files {
		for _, s := range f.Services {
			before := len(methods)
			for _, m := range s.Methods {
				one, err := methodOf(m)
				if err != nil {
					return nil, err
				}
				if one != nil {
					methods = append(methods, *one)
				}
			}
			if len(methods) > before {
				g.document.Tags = append(g.document.Tags, Tag{s.GoName, about(s.GoName, s.Comments.Leading)})
			}
		}
	}
	if err := checkFacts(files); err != nil {
		return nil, err
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

// method is a method with a REST path.
type method struct {
	*protogen.Method
	verb, path string
	inPath     []string // the fields that are in the path
	body       string   // as the annotation has it
	answer     string   // the field of the output that is the answer; empty: all of it
	changes    bool     // whether it changes something
}

var variable = regexp.MustCompile(`\{([a-z_]+)\}`)

// methodOf is nil for a method without a REST path.
func methodOf(m *protogen.Method) (*method, error) {
	options := m.Desc.Options().(*descriptorpb.MethodOptions)
	rule, _ := proto.GetExtension(options, annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil, nil
	}
	out := &method{Method: m, body: rule.GetBody(), answer: rule.GetResponseBody()}
	out.changes = options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS
	switch {
	case rule.GetGet() != "" && rule.GetBody() == "":
		out.verb, out.path = http.MethodGet, rule.GetGet()
	case rule.GetPost() != "" && rule.GetBody() == "*":
		out.verb, out.path = http.MethodPost, rule.GetPost()
	default:
		return nil, fmt.Errorf("%s: only GET without a body and POST with a whole one are known here", m.Desc.FullName())
	}
	for _, v := range variable.FindAllStringSubmatch(out.path, -1) {
		out.inPath = append(out.inPath, v[1])
	}
	return out, nil
}

func (g *generator) operation(m method) error {
	summary, description, codes := methodProse(m.Method)
	op := &Operation{
		Tags: []string{m.Parent.GoName}, ID: m.GoName, Summary: summary, Description: description,
	}
	if err := g.parameters(op, m); err != nil {
		return err
	}
	if m.verb == http.MethodPost {
		if err := g.requestBody(op, m); err != nil {
			return err
		}
	}
	ok, err := g.success(m)
	if err != nil {
		return err
	}
	op.Responses.Set("200", ok)
	if err := g.refusals(op, m, codes); err != nil {
		return err
	}
	item := g.document.Paths.Get(m.path)
	if item == nil {
		item = &PathItem{}
		g.document.Paths.Set(m.path, item)
	}
	if m.verb == http.MethodGet {
		item.Get = op
	} else {
		item.Post = op
	}
	return nil
}

func (g *generator) parameters(op *Operation, m method) error {
	for _, f := range m.Input.Fields {
		name := string(f.Desc.Name())
		in := "query"
		if slices.Contains(m.inPath, name) {
			in = "path"
		} else if m.verb != http.MethodGet {
			continue
		}
		schema, err := g.schemas.field(f, asked)
		if err != nil {
			return err
		}
		p := &Parameter{Name: name, In: in, Description: schema.Description, Schema: schema, Required: isRequired(f, asked)}
		schema.Description = ""
		if err := g.exemplify(p, m); err != nil {
			return err
		}
		op.Parameters = append(op.Parameters, p)
	}
	if m.changes {
		op.Parameters = append(op.Parameters, &Parameter{Ref: "#/components/parameters/" + idempotencyKey})
	}
	return nil
}

func (g *generator) requestBody(op *Operation, m method) error {
	schema, err := g.schemas.message(m.Input, asked)
	if err != nil {
		return err
	}
	op.RequestBody = &RequestBody{Required: true, Description: about(m.Input.GoIdent.GoName, m.Input.Comments.Leading)}
	if len(m.inPath) > 0 {
		g.schemas.all.Drop(m.Input.GoIdent.GoName)
		if schema, err = g.schemas.object(m.Input, asked, m.inPath); err != nil {
			return err
		}
		if schema.Properties.IsZero() {
			op.RequestBody.Description = "An empty object: the path says all."
		}
		schema.Description = op.RequestBody.Description
	}
	body := &MediaType{Schema: schema}
	if body.Examples, err = g.requestExamples(m); err != nil {
		return err
	}
	op.RequestBody.Content.Set(mediaType, body)
	return nil
}

// success is the answer of a method that did what it was asked to.
func (g *generator) success(m method) (*Response, error) {
	r := &Response{Description: about(m.Output.GoIdent.GoName, m.Output.Comments.Leading)}
	schema, err := g.answerSchema(m, r)
	if err != nil {
		return nil, err
	}
	body := &MediaType{Schema: schema}
	if body.Examples, err = g.answerExamples(&m, http.StatusOK); err != nil {
		return nil, err
	}
	r.Content.Set(mediaType, body)
	if m.changes {
		r.headers(replayed)
	}
	r.headers(requestID)
	return r, nil
}

func (g *generator) answerSchema(m method, r *Response) (*Schema, error) {
	if m.answer == "" {
		return g.schemas.message(m.Output, answered)
	}
	for _, f := range m.Output.Fields {
		if string(f.Desc.Name()) != m.answer {
			continue
		}
		schema, err := g.schemas.field(f, answered)
		if err != nil {
			return nil, err
		}
		r.Description, schema.Description = schema.Description, ""
		if f.Desc.IsList() {
			r.pageHeaders(m.Output)
		}
		return schema, nil
	}
	return nil, fmt.Errorf("%s: the answer has no field %s", m.Desc.FullName(), m.answer)
}

// pageHeaders tell what the message of a page has beside its rows.
func (r *Response) pageHeaders(page *protogen.Message) {
	for _, f := range page.Fields {
		switch f.Desc.Name() {
		case "total":
			r.headers(totalCount)
		case "has_more":
			r.headers(link)
		case "next_cursor":
			if !f.Desc.HasOptionalKeyword() { // else it is told within the Link
				r.headers(nextCursor)
			}
		}
	}
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
