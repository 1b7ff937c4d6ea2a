package rpc

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	document "github.com/coinslot/coinslot/gen/openapi"
	"github.com/coinslot/coinslot/internal/openapi"
	"github.com/coinslot/coinslot/internal/pay"
)

// operators are the codes that no caller of pay.v1 sees, by method at least.
var operators = []pay.Code{pay.InvalidSetting, pay.InvalidCard, pay.NotFound, pay.AlreadyExists, pay.ClockIsFixed}

// What writes the OpenAPI document cannot ask the table of errors, since it runs while
// generated code is being replaced. So it has its own idea of each status.
func TestTheOpenAPIDocumentHasTheCodesAndStatusesOfTheTable(t *testing.T) {
	documented := map[pay.Code]bool{}
	for _, line := range regexp.MustCompile(`x-codes: \[(.*)\]`).FindAllStringSubmatch(string(document.Document), -1) {
		for code := range strings.SplitSeq(line[1], ", ") {
			documented[pay.Code(code)] = true
		}
	}
	for _, code := range slices.Sorted(maps.Keys(documented)) {
		if _, ok := statuses[code]; !ok {
			t.Errorf("%s is documented, but not in the table", code)
		}
	}
	for code, s := range statuses {
		if slices.Contains(operators, code) || s.name != "" {
			continue
		}
		if !documented[code] {
			t.Errorf("no method documents %s", code)
		}
		if got, want := openapi.StatusOf(string(code)), httpStatus(t, s.rpc); got != want {
			t.Errorf("%s is documented as %d, but answered as %d", code, got, want)
		}
	}
}

// httpStatus is how Connect tells an RPC code over HTTP.
func httpStatus(t *testing.T, code connect.Code) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if err := connect.NewErrorWriter().Write(w, r, connect.NewError(code, nil)); err != nil {
		t.Fatal(err)
	}
	return w.Code
}
