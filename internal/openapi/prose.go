package openapi

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// paragraphs are a comment's, each as one line.
func paragraphs(c protogen.Comments) []string {
	var all []string
	for part := range strings.SplitSeq(string(c), "\n\n") {
		if p := strings.Join(strings.Fields(part), " "); p != "" {
			all = append(all, p)
		}
	}
	return all
}

var (
	// A sentence ends before the next one begins.
	sentenceEnd = regexp.MustCompile(`\. [A-Z]`)
	// "Required." says what `required` says.
	requiredSentence = regexp.MustCompile(` ?\bRequired\.`)
	required         = regexp.MustCompile(`\bRequired\b`)
	ignored          = regexp.MustCompile(`\bignored in requests\b`)
	quoted           = regexp.MustCompile("`([^`]+)`")
)

// prose is a comment as Markdown.
func prose(c protogen.Comments) string { return strings.Join(paragraphs(c), "\n\n") }

// about is the comment of a service or message without its name, which stands above.
func about(name string, c protogen.Comments) string {
	text := strings.TrimPrefix(prose(c), name+" ")
	return capital(strings.TrimPrefix(text, "is "))
}

// fieldProse is a field's comment without what its schema says.
func fieldProse(f *protogen.Field) string {
	if told, ok := overREST[f.Desc.FullName()]; ok {
		return told
	}
	return requiredSentence.ReplaceAllString(prose(f.Comments.Leading), "")
}

// methodProse splits a method's comment: its first sentence without the method's name,
// the rest, and the codes of its "Errors:" paragraph.
func methodProse(m *protogen.Method) (summary, description string, codes []string) {
	all := paragraphs(m.Comments.Leading)
	if len(all) == 0 {
		return "", "", nil
	}
	first := all[0]
	if end := sentenceEnd.FindStringIndex(first); end != nil {
		summary, all[0] = first[:end[0]], first[end[0]+2:]
	} else {
		summary, all = strings.TrimSuffix(first, "."), all[1:]
	}
	summary = capital(strings.TrimPrefix(summary, m.GoName+" "))
	for _, p := range all {
		if after, ok := strings.CutPrefix(p, "Errors: "); ok {
			codes = append(codes, inBackticks(after)...)
		}
	}
	return summary, strings.Join(all, "\n\n"), codes
}

func inBackticks(text string) []string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
