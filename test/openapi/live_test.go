package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// caller asks an installation as the document's examples say.
type caller struct {
	d        document
	url, key string
}

// call makes a caller of an installation with the games that the examples sell for.
func call(t *testing.T, i *coinslottest.Installation, url string) caller {
	t.Helper()
	for _, id := range []pay.GameID{"space_shooter", "chess"} {
		if _, err := i.Gateway.CreateGame(t.Context(), pay.Game{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	return caller{read(t), url, newKey(t, i, pay.Key{})}
}

// newKey makes a sandbox key for all games.
func newKey(t *testing.T, i *coinslottest.Installation, k pay.Key) string {
	t.Helper()
	k.Environment = pay.Sandbox
	_, text, err := i.Gateway.CreateKey(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sent is a request about to be sent.
type sent struct {
	verb, target string
	header       http.Header
	body         []byte
}

// example is a method's request, made of the document's examples of what it must have.
func (c caller) example(t *testing.T, verb, path string, op *openapi3.Operation) sent {
	t.Helper()
	query := url.Values{}
	for _, p := range op.Parameters {
		value := fmt.Sprint(p.Value.Example)
		switch {
		case p.Value.In == "path":
			path = strings.Replace(path, "{"+p.Value.Name+"}", value, 1)
		case p.Value.In == "query" && p.Value.Required:
			query.Set(p.Value.Name, value)
		}
	}
	s := sent{verb: verb, target: path, header: http.Header{"Authorization": {"Bearer " + c.key}}}
	if len(query) > 0 {
		s.target += "?" + query.Encode()
	}
	if op.RequestBody != nil {
		s.header.Set("Content-Type", "application/json")
		s.body = []byte("{}")
		examples := op.RequestBody.Value.Content["application/json"].Examples
		for _, name := range slices.Sorted(maps.Keys(examples))[:min(1, len(examples))] {
			body, err := json.Marshal(examples[name].Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.body = body
		}
	}
	return s
}

// ask sends a request, and holds the answer to the document and to the status that it
// should have.
func (c caller) ask(t *testing.T, s sent, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), s.verb, c.url+s.target, bytes.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = s.header
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Errorf("%s %s answers %d, want %d: %s", s.verb, s.target, res.StatusCode, want, body)
	}
	// The document knows paths, not where this installation is.
	asked, err := http.NewRequest(s.verb, s.target, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, known := c.d.knows(asked)
	if !known {
		t.Fatalf("%s %s is not documented", s.verb, s.target)
	}
	if err := checkAnswer(in, res.StatusCode, res.Header, body); err != nil {
		t.Errorf("%s %s: %v", s.verb, s.target, err)
	}
}

// A trouble is what makes methods refuse for a reason that is not their own.
type trouble struct {
	name   string
	status int
	edit   func(*sent)
	posts  bool // only requests with a body can meet it
}

// meet has every method that documents the trouble's status meet it.
func (c caller) meet(t *testing.T, x trouble) {
	t.Helper()
	asked := 0
	c.d.operations(func(verb, path string, op *openapi3.Operation) {
		if op.Responses.Status(x.status) == nil || x.posts && verb != http.MethodPost {
			return
		}
		asked++
		s := c.example(t, verb, path, op)
		x.edit(&s)
		c.ask(t, s, x.status)
	})
	if asked == 0 {
		t.Errorf("no method documents %d", x.status)
	}
}

func TestRefusalsThatMethodsShare(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	c := call(t, shop.Installation, shop.URL)
	reader := newKey(t, shop.Installation, pay.Key{ReadOnly: true})
	for _, x := range []trouble{
		{"no key", http.StatusUnauthorized, func(s *sent) { s.header.Del("Authorization") }, false},
		{"a key that may only read", http.StatusForbidden, func(s *sent) { s.header.Set("Authorization", "Bearer "+reader) }, false},
		{"a body that is no JSON", http.StatusUnsupportedMediaType, func(s *sent) { s.header.Set("Content-Type", "text/plain") }, false},
		{"a store that breaks", http.StatusInternalServerError, func(*sent) { shop.Faults.Fail(errors.New("the disk is on fire")) }, false},
		{"a store that is away", http.StatusServiceUnavailable, func(*sent) { shop.Faults.Fail(store.ErrUnavailable) }, false},
	} {
		t.Run(x.name, func(t *testing.T) { c.meet(t, x) })
		shop.Faults.Mend()
	}
}

func TestWhatIsTooLargeIsRefusedAsDocumented(t *testing.T) {
	i := coinslottest.Start(t)
	c := call(t, i, i.Listen(t))
	c.meet(t, trouble{"", http.StatusTooManyRequests, func(s *sent) {
		s.body = bytes.Repeat([]byte(" "), rpc.MostMessageBytes+1)
	}, true})
}

func TestTheRateOfCallsIsLimitedAsDocumented(t *testing.T) {
	i := coinslottest.Start(t, func(o *installation.Options) { o.RateLimit = 0.001 })
	c := call(t, i, i.Listen(t))
	coinslottest.Ask(t, c.key, http.MethodGet, c.url+"/v1/sessions?game_id=space_shooter", "")
	c.meet(t, trouble{"", http.StatusTooManyRequests, func(*sent) {}, false})
}
