package openapi

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/cockroachdb/datadriven"

	"github.com/coinslot/coinslot/internal/pay"
)

// Exchange is a REST request of a transcript and its answer. Where the transcript has
// names, such as sess_1, there are ids that look like real ones.
type Exchange struct {
	Position string // file:line
	Comment  string // what stands above it in the transcript, as one line

	Verb, Path, Query string
	Key               string // the name of the API key that it shows
	IdempotencyKey    string
	Body              string

	Status int
	Header http.Header // as far as transcripts show it
	Answer string
}

// ReadTranscripts reads every REST exchange of the transcripts in a directory, in the
// order of the files' names.
func ReadTranscripts(dir string) ([]Exchange, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no transcripts in %s: %w", dir, err)
	}
	var all []Exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		some, err := parseTranscript(filepath.Base(file), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// parseTranscript reads a file of directives: comment, directive, input, "----",
// answer, an empty line.
func parseTranscript(name, text string) ([]Exchange, error) {
	var all []Exchange
	var comment []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "#"):
			comment = append(comment, strings.TrimSpace(line[1:]))
			continue
		case line == "":
			comment = nil
			continue
		}
		position := fmt.Sprintf("%s:%d", name, i+1)
		input, i2 := until(lines, i+1, "----")
		answer, i3 := until(lines, i2+1, "")
		i = i3
		if strings.HasPrefix(line, "rest ") {
			x, err := newExchange(line, input, answer)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", position, err)
			}
			x.Position, x.Comment = position, strings.Join(comment, " ")
			all = append(all, x)
		}
		comment = nil
	}
	return all, nil
}

// until is the lines from one on up to the next that is end, and where that is.
func until(lines []string, from int, end string) (text string, at int) {
	for at = from; at < len(lines) && lines[at] != end; at++ {
		text += lines[at] + "\n"
	}
	return text, at
}

func newExchange(directive, input, answer string) (Exchange, error) {
	_, args, err := datadriven.ParseLine(realistic(directive))
	if err != nil || len(args) < 2 {
		return Exchange{}, fmt.Errorf("%q is no request: %w", directive, err)
	}
	x := Exchange{Verb: args[0].Key, Path: args[1].Key, Key: "sandbox", Body: realistic(input), Header: http.Header{}}
	for _, a := range args[2:] {
		value := strings.Join(a.Vals, ",")
		switch a.Key {
		case "query":
			x.Query = value
		case "key":
			x.Key = value
		case "idempotency":
			x.IdempotencyKey = value
		}
	}
	status, rest, _ := strings.Cut(realistic(answer), "\n")
	if x.Status, err = strconv.Atoi(status); err != nil {
		return Exchange{}, fmt.Errorf("%q is no status", status)
	}
	for {
		line, after, _ := strings.Cut(rest, "\n")
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.ContainsAny(name, " \"{[") {
			break
		}
		x.Header.Set(name, value)
		rest = after
	}
	x.Answer = rest
	return x, nil
}

var (
	named   = regexp.MustCompile(`\b(sess|pay|ref|event|cursor)_[0-9]+\b`)
	idText  = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
	aCursor = "cursor=…"
)

// idBytes is how long an id is before it is written as text.
const idBytes = 20

// realistic puts an id of the right shape wherever a transcript has a name, always the
// same one for the same name.
func realistic(text string) string {
	text = strings.ReplaceAll(text, aCursor, "cursor=cursor_0")
	return named.ReplaceAllStringFunc(text, func(name string) string {
		sum := sha256.Sum256([]byte(name))
		kind, _, _ := strings.Cut(name, "_")
		switch kind {
		case "event":
			sum[6], sum[8] = sum[6]&0x0f|0x70, sum[8]&0x3f|0x80 // version 7
			return pay.FormatUUID([16]byte(begin(sum[:16])))
		case "cursor":
			return base64.RawURLEncoding.EncodeToString(sum[:idBytes+6])
		}
		return kind + "_" + idText.EncodeToString(begin(sum[:idBytes]))
	})
}

// begin begins an id with the time, as real ones do: 2000-01-01, when transcripts play.
func begin(id []byte) []byte {
	copy(id, []byte{0x00, 0xdc, 0x6a, 0xcf, 0xac, 0x00})
	return id
}
