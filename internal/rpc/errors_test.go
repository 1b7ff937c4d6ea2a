package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// declaredCodes are the codes that package pay declares, read from its source so
// that a new one cannot be forgotten here.
func declaredCodes(t testing.TB) (codes []pay.Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../pay/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, pay.Code(text))
		}
		return true
	})
	if len(codes) == 0 {
		t.Fatal("no codes found in ../pay/errors.go")
	}
	return codes
}

func TestEveryCodeHasAStatusAndEveryStatusIsOfACode(t *testing.T) {
	declared := declaredCodes(t)
	for _, code := range declared {
		if _, ok := statuses[code]; !ok {
			t.Errorf("%s has no status", code)
		}
	}
	for code := range statuses {
		if !slices.Contains(declared, code) {
			t.Errorf("%s has a status, but package pay does not declare it", code)
		}
	}
}

func TestARefusalCarriesItsCodeAsADetail(t *testing.T) {
	for code, s := range statuses {
		name := string(code)
		if code == pay.RequestTooLarge {
			name = "invalid_request"
		}
		told := refusal(pay.Refuse(code, "because"))
		if told.Code() != s.rpc || told.Message() != "because" {
			t.Errorf("%s is told as %v", code, told)
		}
		detail, err := told.Details()[0].Value()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&payv1.Error{Code: name, Message: "because"}, detail, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
}

func TestAMessageIsBoundedAndValidUTF8(t *testing.T) {
	for _, message := range []string{"\xff\xfe", strings.Repeat("é", 1<<20), "a\xc3" + strings.Repeat("\xc3", 5000)} {
		told := refusal(pay.Refuse(pay.InvalidRequest, "%s", message))
		if m := told.Message(); !utf8.ValidString(m) || len(m) > 4<<10 {
			t.Errorf("a message of %d bytes is told in %d, valid UTF-8: %v", len(message), len(m), utf8.ValidString(m))
		}
		if len(told.Details()) != 1 {
			t.Errorf("a message of %d bytes lost its detail", len(message))
		}
	}
}

func TestWhatIsToldOfAnError(t *testing.T) {
	const secret = "SQL: sk_sandbox_secret"
	tests := []struct {
		name string
		err  error
		want connect.Code
		log  bool
	}{
		{"a refusal", fmt.Errorf("%s: %w", secret, pay.Refuse(pay.InvalidID, "id is wrong")), connect.CodeInvalidArgument, false},
		{"a caller who left", fmt.Errorf("%s: %w", secret, context.Canceled), connect.CodeCanceled, false},
		{"a deadline", fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), connect.CodeDeadlineExceeded, false},
		{"a store out of reach", fmt.Errorf("%s: %w", secret, store.ErrUnavailable), connect.CodeUnavailable, true},
		{"a row that is missing", fmt.Errorf("%s: %w", secret, store.ErrNotFound), connect.CodeInternal, true},
		{"a Connect error of ours", connect.NewError(connect.CodeNotFound, errors.New(secret)), connect.CodeInternal, true},
		{"anything else", errors.New(secret), connect.CodeInternal, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			told := OurWire(slog.New(slog.NewTextHandler(&log, nil))).tell(t.Context(), "/a/B", tt.err)
			if told.Code() != tt.want || strings.Contains(told.Error(), secret) {
				t.Errorf("told as %v", told)
			}
			if logged := strings.Contains(log.String(), secret); logged != tt.log {
				t.Errorf("logged: %q", log.String())
			}
		})
	}
}
