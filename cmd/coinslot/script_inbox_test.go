package main

import (
	"html"
	"io"
	"net/http"
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	newestEvent = regexp.MustCompile(`href="(/dev/inbox/[0-9a-f-]{36})"`)
	shownBlock  = regexp.MustCompile(`(?s)<code id="([a-z]+)">(.*?)</code>`)
)

// copied BLOCK FILE: writes what is copied of a block of the newest webhook in the inbox.
func copied(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "copied BLOCK FILE")
	read := func(path string) string {
		res, err := http.Get(ts.Getenv("URL") + path)
		ts.Check(err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		ts.Check(err)
		return string(text)
	}
	newest := newestEvent.FindStringSubmatch(read("/dev/inbox"))
	if newest == nil {
		ts.Fatalf("the inbox is empty")
	}
	for _, block := range shownBlock.FindAllStringSubmatch(read(newest[1]), -1) {
		if block[1] == args[0] {
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(html.UnescapeString(block[2])), 0o600))
			return
		}
	}
	ts.Fatalf("there is no %s", args[0])
}
