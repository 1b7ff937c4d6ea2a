package protocols

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// post makes a Connect JSON call as curl would, and returns the answer as it came.
func (s *shop) post(t *testing.T, method, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.plain.URL+"/pay.v1.PaymentService/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	res, err := s.plain.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s of %q, %v: %s", res.Status, res.Header.Get("Content-Type"), err, got)
	}
	return string(got)
}

// fields are the names in a JSON object, sorted.
func fields(t *testing.T, object string, path ...string) []string {
	t.Helper()
	at := map[string]any{}
	if err := json.Unmarshal([]byte(object), &at); err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		at = at[name].(map[string]any)
	}
	var names []string
	for name := range at {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestTheDocumentedJSON(t *testing.T) {
	s := openShop(t)
	t.Run("writes snake_case and leaves out what is absent", s.writesSnakeCase)
	t.Run("writes empty lists, zero and false", s.writesZeroValues)
	t.Run("writes times in UTC with a Z", s.writesTimes)
	t.Run("reads either case and ignores unknown fields", s.readsEitherCase)
}

func (s *shop) writesSnakeCase(t *testing.T) {
	got := s.post(t, "CreateSession", `{"game_id":"space_shooter","user_id":"p","item":{"title":"Coin","price":5,"currency":"JPY"},"return_url":"a://b"}`)
	if diff := cmp.Diff([]string{"id", "session", "url"}, fields(t, got)); diff != "" {
		t.Error(diff)
	}
	pending := []string{"created_at", "environment", "expires_at", "game_id", "id", "item", "return_url", "status", "url", "user_id"}
	if diff := cmp.Diff(pending, fields(t, got, "session")); diff != "" {
		t.Error(diff)
	}
	// JPY has no minor digits, and that is told: 0 is written.
	if diff := cmp.Diff([]string{"currency", "exponent", "price", "title"}, fields(t, got, "session", "item")); diff != "" {
		t.Error(diff)
	}
}

func (s *shop) writesZeroValues(t *testing.T) {
	for method, list := range map[string]string{"ListSessions": "sessions", "ListPayments": "payments"} {
		var got map[string]any
		if err := json.Unmarshal([]byte(s.post(t, method, `{"game_id":"space_shooter","user_id":"nobody"}`)), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{list: []any{}, "total": 0.0, "has_more": false}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
	}
}

func (s *shop) writesTimes(t *testing.T) {
	done := s.buy(t, s.key, "space_shooter", "p")
	got := s.post(t, "GetSession", `{"id":"`+string(done.Session.ID)+`"}`)
	var told struct {
		CreatedAt string `json:"created_at"`
		PaidAt    string `json:"paid_at"`
	}
	if err := json.Unmarshal([]byte(got), &told); err != nil {
		t.Fatal(err)
	}
	utc := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
	if !utc.MatchString(told.CreatedAt) || !utc.MatchString(told.PaidAt) {
		t.Errorf("the times are %q and %q", told.CreatedAt, told.PaidAt)
	}
}

func (s *shop) readsEitherCase(t *testing.T) {
	for _, body := range []string{
		`{"gameId":"space_shooter","userId":"p","item":{"title":"Coin","price":5,"currency":"USD"},"returnUrl":"a://b","expiresIn":"90s"}`,
		`{"game_id":"space_shooter","userId":"p","item":{"title":"Coin","price":5,"currency":"USD","colour":"gold"},"return_url":"a://b","walletEnabled":true,"new":{"x":[1]}}`,
	} {
		if got := s.post(t, "CreateSession", body); !strings.Contains(got, `"sess_`) {
			t.Errorf("%s was answered %s", body, got)
		}
	}
}
