package openapi

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// method is a method with a REST path.
type method struct {
	*protogen.Method
	verb, path string
	inPath     []string // the fields that are in the path
	answer     string   // the field of the output that is the answer; empty: all of it
	changes    bool     // whether it changes something
	keyed      bool     // whether that takes an idempotency key; what is idempotent by nature does not
}

var variable = regexp.MustCompile(`\{([a-z_]+)\}`)

// methodsOf are the methods of a service that have a REST path.
func methodsOf(s *protogen.Service) (all []method, err error) {
	for _, m := range s.Methods {
		one, err := methodOf(m)
		if err != nil {
			return nil, err
		}
		if one != nil {
			all = append(all, *one)
		}
	}
	return all, nil
}

// methodOf is nil for a method without a REST path.
func methodOf(m *protogen.Method) (*method, error) {
	options := m.Desc.Options().(*descriptorpb.MethodOptions)
	rule, _ := proto.GetExtension(options, annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil, nil
	}
	out := &method{Method: m, answer: rule.GetResponseBody()}
	level := options.GetIdempotencyLevel()
	out.changes = level != descriptorpb.MethodOptions_NO_SIDE_EFFECTS
	out.keyed = out.changes && level != descriptorpb.MethodOptions_IDEMPOTENT
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
	if m.keyed {
		op.Parameters = append(op.Parameters, &Parameter{Ref: "#/components/parameters/" + idempotencyKey})
	}
	return nil
}

func (g *generator) requestBody(op *Operation, m method) error {
	schema, err := g.bodySchema(m)
	if err != nil {
		return err
	}
	op.RequestBody = &RequestBody{Description: schema.Description, Required: len(schema.Required) > 0}
	if schema.Ref != "" {
		op.RequestBody.Description = about(m.Input.GoIdent.GoName, m.Input.Comments.Leading)
		op.RequestBody.Required = true
	}
	body := &MediaType{Schema: schema}
	if body.Examples, err = g.requestExamples(m); err != nil {
		return err
	}
	op.RequestBody.Content.Set(mediaType, body)
	return nil
}

// bodySchema is the schema of what is left of a request once its path is taken away.
func (g *generator) bodySchema(m method) (*Schema, error) {
	if len(m.inPath) == 0 {
		return g.schemas.message(m.Input, asked)
	}
	schema, err := g.schemas.object(m.Input, asked, m.inPath)
	if err == nil && schema.Properties.IsZero() {
		schema.Description = "An empty object, or nothing: the path says all."
	}
	return schema, err
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
	if m.keyed {
		r.headers(replayed)
	}
	if m.verb == http.MethodGet {
		r.headers(cacheControl)
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
