package protocols

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const document = "../../docs/api.md"

var update = flag.Bool("update", false, "write the table of calls into "+document)

// cannot is the cell of a call that a protocol does not have.
const cannot = "–"

// table is what TestEveryDocumentedCallOverEveryProtocol has seen of each method over each
// protocol. A cell gets in only by a subtest that passed.
type table map[string]string

func cell(m protoreflect.MethodDescriptor, p protocol) string {
	return string(m.FullName()) + " over " + p.name
}

// named is a method as the table names it: the path for all protocols but REST, less /pay.v1.
func named(m protoreflect.MethodDescriptor) string {
	return "`" + string(m.Parent().Name()) + "/" + string(m.Name()) + "`"
}

// procedure is the path of a method for all protocols but REST.
func procedure(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

func (d table) note(t *testing.T, m protoreflect.MethodDescriptor, p protocol, verb string) {
	t.Helper()
	if t.Failed() {
		return
	}
	switch {
	case verb == cannot:
	case p.rest:
		to := pathOf(m)
		if verb != to.verb {
			t.Errorf("was called by %s, but the contract says %s", verb, to)
		}
		verb = "`" + to.String() + "`"
	case p.typeOf(m) != p.contentType:
		verb = "`" + verb + "` of `" + p.typeOf(m) + "`"
	default:
		verb = "`" + verb + "`"
	}
	d[cell(m, p)] = verb
}

// isDocumented compares the table in the documentation with what was seen.
func (d table) isDocumented(t *testing.T) {
	const begin, end = "<!-- calls: written by go test ./test/protocols -run EveryDocumentedCall -update -->\n", "<!-- end of calls -->"
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(raw), begin)
	documented, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no lines %s and %s", document, begin, end)
	}
	seen := d.render(t)
	if *update && !t.Failed() {
		if err := os.WriteFile(document, []byte(before+begin+seen+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(documented, seen); diff != "" {
		t.Errorf("%s says otherwise (-documented +seen):\n%s", document, diff)
	}
}

// render has a column for each protocol, and below what all its calls have in common a row
// for each method.
func (d table) render(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	row := func(name string, of func(protocol) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, p := range protocols {
			fmt.Fprintf(&b, " %s |", of(p))
		}
		b.WriteString("\n")
	}
	row("", func(p protocol) string { return p.name })
	row("---", func(protocol) string { return "---" })
	row("Content-Type", func(p protocol) string { return "`" + p.contentType + "`" })
	row("over", protocol.over)
	for _, m := range methods() {
		row(named(m), func(p protocol) string {
			seen, ok := d[cell(m, p)]
			if !ok {
				t.Errorf("%s was not called, or the call failed", cell(m, p))
			}
			return seen
		})
	}
	return b.String()
}

func (p protocol) over() string {
	switch {
	case p.http2 && p.secure:
		return "HTTP/2, TLS"
	case p.http2:
		return "HTTP/2"
	}
	return "HTTP/1.1"
}
