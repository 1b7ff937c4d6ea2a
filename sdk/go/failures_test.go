package coinslot_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

// failureFile is what all clients are tested with.
type failureFile struct {
	Bodies map[string]struct{ Type, Text string }

	Failures []failure
}

type failure struct {
	Name       string
	Happens    string
	Status     int
	Body       string
	Headers    map[string]string
	Code       string
	Retried    bool
	RetryAfter *int64 `json:"retry_after"`
}

const shortTimeout = 300 * time.Millisecond

func TestFailures(t *testing.T) {
	text, err := os.ReadFile("../failures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file failureFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Failures) < 50 {
		t.Fatalf("there are only %d failures", len(file.Failures))
	}
	for _, f := range file.Failures {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel() // most of them wait
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if agent := r.UserAgent(); !strings.HasPrefix(agent, "coinslot-go/") {
					t.Errorf("the request is by %q", agent)
				}
				f.answer(w, r, file.Bodies[f.Body].Type, file.Bodies[f.Body].Text)
			}))
			defer server.Close()
			opts := []coinslot.Option{coinslot.WithBaseURL(server.URL), coinslot.WithRetries(1)}
			switch f.Happens {
			case "nobody":
				server.Close()
				dialled := func(*http.Request) (*url.URL, error) { requests.Add(1); return nil, nil }
				opts = append(opts, coinslot.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: dialled}}))
			case "silence", "drip":
				opts = append(opts, coinslot.WithTimeout(shortTimeout))
			}
			_, err := newClient(t, "sk_sandbox_abc", opts...).Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: "sess_1"})
			f.check(t, err, requests.Load())
		})
	}
}

// answer does what happens to a request.
func (f failure) answer(w http.ResponseWriter, r *http.Request, kind, text string) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch f.Happens {
	case "break":
		panic(http.ErrAbortHandler)
	case "cut", "drip":
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "{")
		for f.Happens == "drip" && http.NewResponseController(w).Flush() == nil && r.Context().Err() == nil {
			select {
			case <-time.After(shortTimeout / 3):
				_, _ = io.WriteString(w, " ")
			case <-r.Context().Done():
			}
		}
		panic(http.ErrAbortHandler)
	case "silence":
		<-r.Context().Done()
		return
	}
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, text)
}

// check holds the error to the row.
func (f failure) check(t *testing.T, err error, requests int32) {
	t.Helper()
	var failed *coinslot.Error
	if !errors.As(err, &failed) {
		t.Fatalf("the error is %v", err)
	}
	var want time.Duration
	if f.RetryAfter != nil {
		want = time.Duration(*f.RetryAfter) * time.Second
	}
	if failed.Code != f.Code || failed.RetryAfter != want || failed.Retryable != (f.Retried || want > time.Minute) {
		t.Errorf("the error is %+v, want %s after %v", failed, f.Code, want)
	}
	if again := requests == 2; again != f.Retried || requests > 2 {
		t.Errorf("there were %d requests, want it retried: %v", requests, f.Retried)
	}
}
