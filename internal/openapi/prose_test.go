package openapi

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/compiler/protogen"
)

func TestMethodProseSplitsAComment(t *testing.T) {
	m := &protogen.Method{GoName: "GetThing", Comments: protogen.CommentSet{Leading: ` GetThing returns one
 thing, such as v1.2 of it. It costs nothing.

 A second paragraph.

 Errors: ` + "`invalid_id`, `not_found` while\n there is none." + `
`}}
	summary, description, codes := methodProse(m)
	if want := "Returns one thing, such as v1.2 of it"; summary != want {
		t.Errorf("the summary is %q, want %q", summary, want)
	}
	want := "It costs nothing.\n\nA second paragraph.\n\nErrors: `invalid_id`, `not_found` while there is none."
	if diff := cmp.Diff(want, description); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"invalid_id", "not_found"}, codes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	only := &protogen.Method{GoName: "GetThing", Comments: protogen.CommentSet{Leading: " GetThing returns one thing.\n"}}
	if summary, description, _ := methodProse(only); summary != "Returns one thing" || description != "" {
		t.Errorf("one sentence became %q and %q", summary, description)
	}
}

func TestAboutDropsTheName(t *testing.T) {
	for comment, want := range map[protogen.Comments]string{
		" Tax is the part that is tax.\n":   "The part that is tax.",
		" Tax says how much.\n":             "Says how much.",
		" How much of it is tax.\n\n More.": "How much of it is tax.\n\nMore.",
	} {
		if got := about("Tax", comment); got != want {
			t.Errorf("%q became %q, want %q", comment, got, want)
		}
	}
}

func TestFactsOfFieldsThatAreNotThereAreRefused(t *testing.T) {
	if err := checkFacts(nil); err == nil {
		t.Error("facts of no field at all pass")
	}
}
