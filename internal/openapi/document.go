// Package openapi writes the OpenAPI document of the REST paths: paths, schemas and
// prose from the contract in proto/, enumerations and bounds from the domain, and
// examples from the transcripts. It runs when code is generated and is no part of the
// server, which serves what was written.
//
// It must not import what is generated: it runs while that is being replaced.
package openapi

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI 3.1 document, as far as this one needs it.
type Document struct {
	OpenAPI    string                `yaml:"openapi"`
	Info       Info                  `yaml:"info"`
	Servers    []Server              `yaml:"servers"`
	Security   []map[string][]string `yaml:"security"`
	Tags       []Tag                 `yaml:"tags"`
	Paths      Map[*PathItem]        `yaml:"paths"`
	Components Components            `yaml:"components"`
}

// Info says what the API is.
type Info struct {
	Title       string  `yaml:"title"`
	Version     string  `yaml:"version"`
	Summary     string  `yaml:"summary"`
	Description string  `yaml:"description"`
	Contact     Contact `yaml:"contact"`
	License     License `yaml:"license"`
}

// Contact is whom to ask.
type Contact struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
}

// License is the licence, by its SPDX identifier.
type License struct {
	Name       string `yaml:"name"`
	Identifier string `yaml:"identifier"`
}

// Server is where the API is.
type Server struct {
	URL         string `yaml:"url"`
	Description string `yaml:"description"`
}

// Tag is a service.
type Tag struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
}

// PathItem is what a path can be asked.
type PathItem struct {
	Get  *Operation `yaml:"get,omitempty"`
	Post *Operation `yaml:"post,omitempty"`
}

// Operation is one method of a service.
type Operation struct {
	Tags        []string       `yaml:"tags"`
	ID          string         `yaml:"operationId"`
	Summary     string         `yaml:"summary"`
	Description string         `yaml:"description,omitempty"`
	Parameters  []*Parameter   `yaml:"parameters,omitempty"`
	RequestBody *RequestBody   `yaml:"requestBody,omitempty"`
	Responses   Map[*Response] `yaml:"responses"`
}

// Parameter is a parameter of a request, or a reference to one.
type Parameter struct {
	Ref         string    `yaml:"$ref,omitempty"`
	Name        string    `yaml:"name,omitempty"`
	In          string    `yaml:"in,omitempty"`
	Required    bool      `yaml:"required,omitempty"`
	Description string    `yaml:"description,omitempty"`
	Schema      *Schema   `yaml:"schema,omitempty"`
	Example     yaml.Node `yaml:"example,omitempty"`
}

// RequestBody is the body of a request.
type RequestBody struct {
	Description string          `yaml:"description,omitempty"`
	Required    bool            `yaml:"required,omitempty"`
	Content     Map[*MediaType] `yaml:"content"`
}

// MediaType is a body in one format.
type MediaType struct {
	Schema   *Schema       `yaml:"schema"`
	Examples Map[*Example] `yaml:"examples,omitempty"`
}

// Example is one body, as it was sent or answered.
type Example struct {
	Summary string    `yaml:"summary,omitempty"`
	Value   yaml.Node `yaml:"value"`
}

// Response is an answer, or a reference to one.
type Response struct {
	Ref         string          `yaml:"$ref,omitempty"`
	Description string          `yaml:"description,omitempty"`
	Codes       []string        `yaml:"x-codes,omitempty,flow"`
	Headers     Map[*Header]    `yaml:"headers,omitempty"`
	Content     Map[*MediaType] `yaml:"content,omitempty"`
}

// Header is a header of an answer, or a reference to one.
type Header struct {
	Ref         string  `yaml:"$ref,omitempty"`
	Description string  `yaml:"description,omitempty"`
	Required    bool    `yaml:"required,omitempty"`
	Schema      *Schema `yaml:"schema,omitempty"`
}

// Schema is a JSON Schema.
type Schema struct {
	Ref                  string       `yaml:"$ref,omitempty"`
	Type                 string       `yaml:"type,omitempty"`
	Format               string       `yaml:"format,omitempty"`
	Description          string       `yaml:"description,omitempty"`
	Deprecated           bool         `yaml:"deprecated,omitempty"`
	Enum                 []string     `yaml:"enum,omitempty,flow"`
	Default              *int64       `yaml:"default,omitempty"`
	Minimum              *int64       `yaml:"minimum,omitempty"`
	Maximum              *int64       `yaml:"maximum,omitempty"`
	MinLength            *int         `yaml:"minLength,omitempty"`
	MaxLength            *int         `yaml:"maxLength,omitempty"`
	Pattern              string       `yaml:"pattern,omitempty"`
	Items                *Schema      `yaml:"items,omitempty"`
	MaxItems             *int         `yaml:"maxItems,omitempty"`
	Required             []string     `yaml:"required,omitempty,flow"`
	Properties           Map[*Schema] `yaml:"properties,omitempty"`
	MaxProperties        *int         `yaml:"maxProperties,omitempty"`
	PropertyNames        *Schema      `yaml:"propertyNames,omitempty"`
	AdditionalProperties *Schema      `yaml:"additionalProperties,omitempty"`
	Examples             []string     `yaml:"examples,omitempty,flow"`
}

// Components is what is referred to.
type Components struct {
	SecuritySchemes Map[*SecurityScheme] `yaml:"securitySchemes"`
	Parameters      Map[*Parameter]      `yaml:"parameters"`
	Headers         Map[*Header]         `yaml:"headers"`
	Responses       Map[*Response]       `yaml:"responses"`
	Schemas         Map[*Schema]         `yaml:"schemas"`
}

// SecurityScheme is how a caller shows who it is.
type SecurityScheme struct {
	Type         string `yaml:"type"`
	Scheme       string `yaml:"scheme"`
	BearerFormat string `yaml:"bearerFormat"`
	Description  string `yaml:"description"`
}

// YAML is the document's text.
func (d *Document) YAML() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# Code generated by protoc-gen-openapi from proto/ and test/transcripts. DO NOT EDIT.\n")
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return out.Bytes(), e.Close()
}

// Map is a mapping that keeps the order in which its keys were set.
type Map[V any] struct {
	keys   []string
	values map[string]V
}

// Set adds a value, or replaces the one that is there.
func (m *Map[V]) Set(key string, value V) {
	if m.values == nil {
		m.values = map[string]V{}
	}
	if _, there := m.values[key]; !there {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// Get is the value of a key, or V's zero value.
func (m *Map[V]) Get(key string) V { return m.values[key] }

// Has says whether the key is set.
func (m *Map[V]) Has(key string) bool {
	_, there := m.values[key]
	return there
}

// Sort puts the keys in order.
func (m *Map[V]) Sort() { slices.Sort(m.keys) }

// IsZero implements yaml.IsZeroer.
func (m Map[V]) IsZero() bool { return len(m.keys) == 0 }

// MarshalYAML implements yaml.Marshaler.
func (m Map[V]) MarshalYAML() (any, error) {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range m.keys {
		var k, v yaml.Node
		k.SetString(key)
		if err := v.Encode(m.values[key]); err != nil {
			return nil, err
		}
		out.Content = append(out.Content, &k, &v)
	}
	return out, nil
}

// jsonNode is JSON as YAML that keeps the order of its keys.
func jsonNode(text string) (yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return yaml.Node{}, err
	}
	value := *document.Content[0]
	unquote(&value)
	return value, nil
}

// unquote has the encoder choose how a value looks. Empty collections stay as JSON
// writes them, since YAML has no other way.
func unquote(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		unquote(c)
	}
}
