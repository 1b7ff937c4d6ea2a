package checkout

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"sync"
	"testing"
)

func TestPiecesAreOneGzipMember(t *testing.T) {
	long := strings.Repeat("a page of some length, with <b>names</b> that come again; ", 5000)
	for name, pieces := range map[string][]piece{
		"one":                      {{text: []byte("all of it")}},
		"nothing":                  {{}},
		"constant between changed": {{text: []byte("<style>")}, constant("body { margin: 0 }"), {text: []byte("</style>")}},
		"constant beside constant": {constant(long), constant("x"), {text: []byte(long)}},
		"empty ones":               {{text: []byte{}}, constant(""), {}},
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { checkMember(t, pieces) })
			}
			all.Wait()
		})
	}
}

// checkMember wants one member, nothing behind it, that holds what plain has.
func checkMember(t *testing.T, pieces []piece) {
	from := bytes.NewReader(gzipped(pieces))
	z, err := gzip.NewReader(from)
	if err != nil {
		t.Error(err)
		return
	}
	z.Multistream(false)
	got, err := io.ReadAll(z) // which checks the sum and the size
	if err != nil || !bytes.Equal(got, plain(pieces)) {
		t.Errorf("got %d bytes and %v, want %d", len(got), err, len(plain(pieces)))
	}
	if from.Len() != 0 {
		t.Errorf("%d bytes follow the member", from.Len())
	}
}
