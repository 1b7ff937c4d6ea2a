package openapi

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mostExamples is how many of one body are shown.
const mostExamples = 4

// of says whether an exchange is of a method.
func (x Exchange) of(m method) bool {
	return x.Verb == m.verb && pathPattern(m.path).MatchString(x.Path)
}

func pathPattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + variable.ReplaceAllString(path, "([^/]+)") + "$")
}

// requestExamples are the bodies that were taken.
func (g *generator) requestExamples(m method) (all Map[*Example], err error) {
	for _, x := range g.examples {
		if !x.of(m) || x.Status != http.StatusOK || strings.TrimSpace(x.Body) == "" {
			continue
		}
		if err := addExample(&all, x.title(), x.Comment, x.Body); err != nil {
			return all, err
		}
	}
	return all, nil
}

// answerExamples are the answers of a status, of a refusal one for each code: those of a
// method, or of all where it is nil.
func (g *generator) answerExamples(m *method, status int) (all Map[*Example], err error) {
	for _, x := range g.examples {
		if m != nil && !x.of(*m) || x.Status != status {
			continue
		}
		if err := addExample(&all, x.title(), x.Comment, x.Answer); err != nil {
			return all, err
		}
	}
	return all, nil
}

func addExample(to *Map[*Example], name, summary, body string) error {
	if to.Has(name) || len(to.keys) == mostExamples {
		return nil
	}
	value, err := jsonNode(body)
	if err != nil {
		return err
	}
	to.Set(name, &Example{Summary: summary, Value: value})
	return nil
}

var (
	errorCode = regexp.MustCompile(`"code": "([a-z_]+)"`)
	notWord   = regexp.MustCompile(`[^a-z0-9]+`)
)

// title is a name for an exchange: the code of a refusal, else the beginning of its comment.
func (x Exchange) title() string {
	if code := errorCode.FindStringSubmatch(x.Answer); code != nil && x.Status != http.StatusOK {
		return code[1]
	}
	first, _, _ := strings.Cut(x.Comment, ".")
	return strings.Trim(notWord.ReplaceAllString(strings.ToLower(first), "_"), "_")
}

// exemplify gives a parameter the first value that was taken.
func (g *generator) exemplify(p *Parameter, m method) error {
	for _, x := range g.examples {
		if !x.of(m) || x.Status != http.StatusOK {
			continue
		}
		values, err := x.values(p, m)
		if err != nil {
			return err
		}
		if len(values) > 0 {
			return p.setExample(values)
		}
	}
	return nil
}

// values are what an exchange's request had for a parameter.
func (x Exchange) values(p *Parameter, m method) ([]string, error) {
	if p.In == "path" {
		found := pathPattern(m.path).FindStringSubmatch(x.Path)
		for i, name := range m.inPath {
			if name == p.Name {
				return found[i+1 : i+2], nil
			}
		}
		return nil, nil
	}
	query, err := url.ParseQuery(x.Query)
	return query[p.Name], err
}

func (p *Parameter) setExample(values []string) error {
	switch p.Schema.Type {
	case "array":
		return p.Example.Encode(values)
	case "integer":
		n, err := strconv.Atoi(values[0])
		if err != nil {
			return err
		}
		return p.Example.Encode(n)
	case "boolean":
		return p.Example.Encode(values[0] == "true")
	}
	p.Example = yaml.Node{}
	p.Example.SetString(values[0])
	return nil
}
