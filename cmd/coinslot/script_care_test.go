package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands by which scripts load a server, and break what one has left.

type tradeKey struct{}

// trade is game servers that make sessions as fast as they can, until they are told to
// rest or the server goes away.
type trade struct {
	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	made []string // ids, of answers that came
	more sync.Cond
}

const traders = 4

// trade: begins to make sessions at the server at URL, and waits for the first hundred.
func startTrade(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: trade")
	}
	t := &trade{stop: make(chan struct{})}
	t.more.L = &t.mu
	url, key, body := ts.Getenv("URL"), ts.Getenv("KEY"), ts.Getenv("SESSION")
	for range traders {
		t.done.Go(func() {
			for t.goesOn() {
				id, err := makeSession(url, key, body)
				t.mu.Lock()
				if err == nil {
					t.made = append(t.made, id)
				}
				t.more.Broadcast()
				t.mu.Unlock()
			}
		})
	}
	ts.Defer(t.end)
	*ts.Value(tradeKey{}).(**trade) = t
	t.await(100)
}

func (t *trade) goesOn() bool {
	select {
	case <-t.stop:
		return false
	default:
		return true
	}
}

func (t *trade) await(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.made) < n {
		t.more.Wait()
	}
}

func (t *trade) end() {
	if t.goesOn() {
		close(t.stop)
	}
	t.done.Wait()
}

func makeSession(url, key, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/sessions", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	answer, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return "", err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(answer, &made); err != nil || made.ID == "" {
		return "", fmt.Errorf("%s: %s", res.Status, answer)
	}
	return made.ID, nil
}

// traded FILE: writes the ids of all sessions that were made so far, once a hundred more
// are than at the last time.
func traded(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "traded FILE")
	t := *ts.Value(tradeKey{}).(**trade)
	t.mu.Lock()
	so := len(t.made)
	t.mu.Unlock()
	t.await(so + 100)
	t.mu.Lock()
	defer t.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(t.made, "\n")+"\n"), 0o600))
}

// rest: no more sessions are made.
func restTrade(ts *testscript.TestScript, neg bool, args []string) {
	(*ts.Value(tradeKey{}).(**trade)).end()
}

// all-there FILE: the server at URL has every session of a file, and its events.
func allThere(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "all-there FILE")
	ids := strings.Fields(ts.ReadFile(args[0]))
	if len(ids) < 100 {
		ts.Fatalf("only %d sessions were made", len(ids))
	}
	for _, id := range ids {
		for _, path := range []string{"/v1/sessions/" + id, "/v1/events?session_id=" + id} {
			req, err := http.NewRequest(http.MethodGet, ts.Getenv("URL")+path, nil)
			ts.Check(err)
			req.Header.Set("Authorization", "Bearer "+ts.Getenv("KEY"))
			res, err := http.DefaultClient.Do(req)
			ts.Check(err)
			answer, err := io.ReadAll(res.Body)
			ts.Check(errors.Join(err, res.Body.Close()))
			if res.StatusCode != http.StatusOK || !strings.Contains(string(answer), id) {
				ts.Fatalf("%s: %s %s", path, res.Status, answer)
			}
		}
	}
}

// sql DB STATEMENT...: runs statements on a database that no server has open. What they
// say of it is enforced no more while they run.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "sql DB STATEMENT...")
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?_pragma=ignore_check_constraints(1)&_pragma=recursive_triggers(0)")
	ts.Check(err)
	defer db.Close()
	for _, statement := range args[1:] {
		result, err := db.Exec(statement)
		ts.Check(err)
		if rows, _ := result.RowsAffected(); rows == 0 && !strings.HasPrefix(statement, "DROP") && !strings.HasPrefix(statement, "CREATE") {
			ts.Fatalf("it changed nothing: %s", statement)
		}
	}
}

// spoil FILE OFFSET: overwrites 4 KiB of a file.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "spoil FILE OFFSET")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	var at int64
	_, err = fmt.Sscan(args[1], &at)
	ts.Check(err)
	_, err = f.WriteAt([]byte(strings.Repeat("\xa5", 4096)), at)
	ts.Check(errors.Join(err, f.Close()))
}
