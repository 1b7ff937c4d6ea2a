package coinslot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// The client is held to the contract: whatever that has, this has.

var contract = []protoreflect.FileDescriptor{
	payv1.File_pay_v1_common_proto, payv1.File_pay_v1_payment_proto,
	payv1.File_pay_v1_refund_proto, payv1.File_pay_v1_event_proto,
}

type method struct {
	path  string
	keyed bool // changes something and, called again, would change it again
}

func methods() (all []method) {
	for _, file := range contract {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				level := m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
				all = append(all, method{
					path:  "/" + string(s.FullName()) + "/" + string(m.Name()),
					keyed: level == descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN && !m.IsStreamingServer(),
				})
			}
		}
	}
	return all
}

// unwrapped are the answers of which the client returns the one thing that is in them.
var unwrapped = map[string]bool{
	"CreateSessionResponse": true, "GetSessionResponse": true, "CancelSessionResponse": true,
	"GetPaymentResponse": true, "CompletePaymentResponse": true, "CancelPaymentResponse": true,
	"CreateRefundResponse": true, "GetRefundResponse": true, "GetEventResponse": true,
	"WatchSessionResponse": true,
}

func TestEveryMessageHasAName(t *testing.T) {
	aliased := map[string]bool{}
	for _, spec := range declared[*ast.TypeSpec](t, "messages.go") {
		if of, ok := spec.Type.(*ast.SelectorExpr); ok && spec.Assign.IsValid() {
			aliased[of.Sel.Name] = true
		}
	}
	for _, file := range contract {
		for i := range file.Messages().Len() {
			if name := string(file.Messages().Get(i).Name()); aliased[name] == unwrapped[name] {
				t.Errorf("%s is not named in messages.go, or is although it is unwrapped", name)
			}
		}
	}
}

// untold are the codes of package pay that no game server gets: they are the operator's,
// the payment page's, or told under another name.
var untold = map[string]bool{"request_too_large": true, "invalid_setting": true, "invalid_card": true, "not_found": true, "already_exists": true, "clock_is_fixed": true}

// clients are the codes that the client makes itself, where no server of ours has answered.
var clients = map[string]bool{"not_found": true, "unknown": true, "canceled": true}

func TestTheCodesAreTheServers(t *testing.T) {
	mine := constants(t, "codes.go", "")
	theirs := constants(t, "../../internal/pay/*.go", "Code")
	maps.Copy(theirs, constants(t, "../../internal/pay/*.go", "FailureCode"))
	documented := documentedCodes(t)
	if len(theirs) < 40 || len(documented) < 30 {
		t.Fatalf("found %d codes of the server and %d that are documented", len(theirs), len(documented))
	}
	for code := range theirs {
		if !mine[code] && !untold[code] {
			t.Errorf("there is no constant for %s, which the server says", code)
		}
	}
	for code := range documented {
		if !mine[code] {
			t.Errorf("there is no constant for %s, which proto/pay/v1 documents", code)
		}
	}
	for code := range mine {
		if !clients[code] && !theirs[code] && !documented[code] {
			t.Errorf("there is a constant for %s, which no server says", code)
		}
	}
}

// constants are the texts of those that files declare with a type, or without one.
func constants(t *testing.T, pattern, kind string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, spec := range declared[*ast.ValueSpec](t, pattern) {
		named := ""
		if of, ok := spec.Type.(*ast.Ident); ok {
			named = of.Name
		}
		for _, value := range spec.Values {
			if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING && named == kind {
				word, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[word] = true
			}
		}
	}
	return found
}

// declared are the declarations of one kind in files.
func declared[Spec ast.Node](t *testing.T, pattern string) (specs []Spec) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(Spec); ok {
				specs = append(specs, spec)
			}
			return true
		})
	}
	return specs
}

// documentedCodes are those that the contract names after "Errors:" and of all methods.
func documentedCodes(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob("../../proto/pay/v1/*.proto")
	if err != nil {
		t.Fatal(err)
	}
	paragraph := regexp.MustCompile(`(?s)(?:Errors:|fails? with|may fail with).*?(?:\n\s*//\n|\n\s*[^/\s])`)
	code := regexp.MustCompile("`([a-z]+(?:_[a-z]+)*)`")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paragraph.FindAllString(string(text), -1) {
			for _, word := range code.FindAllStringSubmatch(p, -1) {
				found[word[1]] = true
			}
		}
	}
	return found
}
