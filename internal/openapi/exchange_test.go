package openapi

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const transcript = `# What this file is about.

game arcade
----

# An order, with
# a comment of two lines.
rest POST /v1/sessions key=reader idempotency=once
{"game_id":"arcade"}
----
200
Idempotent-Replayed: true
{
  "id": "sess_1"
}

call GetSession
{"id":"sess_1"}
----
200
{"session": {}}

rest GET /v1/sessions/sess_1/status query=(a=b&cursor=cursor_1)
----
404
{
  "error": {
    "code": "session_not_found",
    "message": "it is: gone"
  }
}
`

func TestReadTranscriptsFindsEveryRESTExchange(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rest.txt"), []byte(transcript), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTranscripts(dir)
	if err != nil {
		t.Fatal(err)
	}
	session, cursor := realistic("sess_1"), realistic("cursor_1")
	want := []Exchange{{
		Position: "rest.txt:8", Comment: "An order, with a comment of two lines.",
		Verb: "POST", Path: "/v1/sessions", Key: "reader", IdempotencyKey: "once", Body: `{"game_id":"arcade"}` + "\n",
		Status: 200, Header: http.Header{"Idempotent-Replayed": {"true"}}, Answer: "{\n  \"id\": \"" + session + "\"\n}\n",
	}, {
		Position: "rest.txt:23", Verb: "GET", Path: "/v1/sessions/" + session + "/status", Query: "a=b&cursor=" + cursor, Key: "sandbox",
		Status: 404, Header: http.Header{}, Answer: "{\n  \"error\": {\n    \"code\": \"session_not_found\",\n    \"message\": \"it is: gone\"\n  }\n}\n",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadTranscriptsRefusesWhatIsNone(t *testing.T) {
	if _, err := ReadTranscripts(t.TempDir()); err == nil {
		t.Error("a directory without transcripts passes")
	}
	for _, text := range []string{"rest POST\n----\n200\n", "rest GET /v1/sessions\n----\nfine\n"} {
		if _, err := parseTranscript("x.txt", text); err == nil || !strings.HasPrefix(err.Error(), "x.txt:1: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNamesBecomeIdsThatLookReal(t *testing.T) {
	for name, want := range map[string]string{
		"sess_1":  "sess_03e6ljtc0254of95rmd8lep92uj1sheo",
		"event_1": "00dc6acf-ac00-7",
		"key_1":   "key_1", // no answer has one
	} {
		if got := realistic(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s became %s, want %s", name, got, want)
		}
	}
	if realistic("sess_1") == realistic("sess_2") || realistic("sess_1 sess_1") != realistic("sess_1")+" "+realistic("sess_1") {
		t.Error("a name is not always the same id, or two names are")
	}
}
