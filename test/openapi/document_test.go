// Package openapi holds the OpenAPI document and the server together: what transcripts
// show and what the server answers is as documented, and what is documented is shown.
package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"go.yaml.in/yaml/v3"

	generated "github.com/coinslot/coinslot/gen/openapi"
)

// document is the OpenAPI document, ready to be held against requests and answers.
type document struct {
	*openapi3.T
	routes routers.Router
}

// read is the document, sealed: clients must bear fields that they do not know, but the
// server must not send any.
func read(t *testing.T) document {
	t.Helper()
	d, err := sealed()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var sealed = sync.OnceValues(func() (document, error) {
	text, err := seal(generated.Document)
	if err != nil {
		return document{}, err
	}
	whole, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return document{}, err
	}
	routes, err := legacy.NewRouter(whole)
	return document{whole, routes}, err
})

// seal has every schema that does not say which other fields there may be allow none.
func seal(text []byte) ([]byte, error) {
	var whole struct {
		Components struct {
			Schemas map[string]map[string]any
			Rest    map[string]any `yaml:",inline"`
		}
		Rest map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	for _, schema := range whole.Components.Schemas {
		if _, open := schema["additionalProperties"]; !open && schema["type"] == "object" {
			schema["additionalProperties"] = false
		}
	}
	return yaml.Marshal(whole)
}

// operations calls with each operation and where it is.
func (d document) operations(with func(verb, path string, op *openapi3.Operation)) {
	paths := d.Paths.Map()
	for _, path := range d.Paths.InMatchingOrder() {
		operations := paths[path].Operations()
		for _, verb := range []string{http.MethodGet, http.MethodPost} {
			if op := operations[verb]; op != nil {
				with(verb, path, op)
			}
		}
	}
}

// knows says whether the document has a method at the request's path.
func (d document) knows(r *http.Request) (*openapi3filter.RequestValidationInput, bool) {
	route, params, err := d.routes.FindRoute(r)
	if err != nil {
		return nil, false
	}
	return &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{
		IncludeResponseStatus: true, SkipSettingDefaults: true, RejectWhenRequestBodyNotSpecified: true,
		AuthenticationFunc: hasKey,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{"uuid": lowerCaseUUID}),
		},
	}}, true
}

var (
	key           = regexp.MustCompile(`^Bearer sk_(sandbox|production)_`)
	lowerCaseUUID = openapi3.NewRegexpFormatValidator(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

func hasKey(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if !key.MatchString(in.RequestValidationInput.Request.Header.Get("Authorization")) {
		return errors.New("there is no API key")
	}
	return nil
}

// checkRequest says what is wrong with a request.
func checkRequest(in *openapi3filter.RequestValidationInput) error {
	return openapi3filter.ValidateRequest(context.Background(), in)
}

// checkAnswer says what is wrong with an answer: its status, its headers, its body or
// the code that it gives.
func checkAnswer(in *openapi3filter.RequestValidationInput, status int, header http.Header, body []byte) error {
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header, Options: in.Options,
		Body: io.NopCloser(bytes.NewReader(body)),
	})
	if err != nil {
		return err
	}
	documented := in.Route.Operation.Responses.Status(status).Value
	for name := range header {
		if documented.Headers[name] == nil && !slices.Contains(everywhere, name) {
			return fmt.Errorf("the header %s is not documented", name)
		}
	}
	if status < http.StatusBadRequest {
		return nil
	}
	var told struct{ Error struct{ Code string } }
	if err := json.Unmarshal(body, &told); err != nil {
		return err
	}
	codes, _ := documented.Extensions["x-codes"].([]any)
	if !slices.Contains(codes, any(told.Error.Code)) {
		return fmt.Errorf("the code %s is not documented for %d", told.Error.Code, status)
	}
	return nil
}

// everywhere are the headers that HTTP itself brings along.
var everywhere = []string{"Content-Type", "Content-Length", "Date", "Vary", "Accept-Encoding", "X-Content-Type-Options"}

func TestTheDocumentIsValid(t *testing.T) {
	d := read(t)
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("it is OpenAPI %s", d.OpenAPI)
	}
	if err := d.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

// Schemas that nobody refers to would be prose about nothing.
func TestEverySchemaIsReferredTo(t *testing.T) {
	d := read(t)
	for name := range d.Components.Schemas {
		if !bytes.Contains(generated.Document, []byte("'#/components/schemas/"+name+"'")) {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	d := read(t)
	d.operations(func(verb, path string, op *openapi3.Operation) {
		if op.Summary == "" || op.OperationID == "" || len(op.Tags) != 1 {
			t.Errorf("%s %s has no summary, id or tag", verb, path)
		}
		for _, p := range op.Parameters {
			if p.Value.Description == "" {
				t.Errorf("%s %s: the parameter %s is not described", verb, path, p.Value.Name)
			}
		}
	})
	for name, schema := range d.Components.Schemas {
		if schema.Value.Description == "" {
			t.Errorf("%s is not described", name)
		}
		for field, s := range schema.Value.Properties {
			if s.Value.Description == "" {
				t.Errorf("%s.%s is not described", name, field)
			}
		}
	}
}
