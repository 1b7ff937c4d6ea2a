package server_test

import (
	"net/http"
	"testing"

	"github.com/coinslot/coinslot/gen/openapi"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestTheOpenAPIDocumentIsServedToEverybody(t *testing.T) {
	i := coinslottest.Start(t)
	got := ask(t, i, "GET", "/openapi.yaml", "Origin", "https://viewer.example")
	if got.Code != http.StatusOK || got.Body.String() != string(openapi.Document) || got.Body.Len() == 0 {
		t.Errorf("it answers %d and %d bytes, want the %d of the document", got.Code, got.Body.Len(), len(openapi.Document))
	}
	for name, want := range map[string]string{
		"Content-Type": "application/yaml", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache",
	} {
		if v := got.Header().Get(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if head := ask(t, i, "HEAD", "/openapi.yaml"); head.Code != http.StatusOK || head.Body.Len() != 0 {
		t.Errorf("HEAD answers %d and %d bytes", head.Code, head.Body.Len())
	}
	again := ask(t, i, "GET", "/openapi.yaml", "If-None-Match", got.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("who has it already is answered %d and %d bytes", again.Code, again.Body.Len())
	}
}
