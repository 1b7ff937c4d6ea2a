package rpc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestTheClockIsMovedByTheOperatorOnly(t *testing.T) {
	l := openLine(t, func(o *installation.Options) { o.SandboxClock = true })
	ask := func(method, body, token string) answer {
		return l.send(t, http.MethodPost, "/admin.v1.AdminService/"+method, body, "Authorization", "Bearer "+token)
	}
	for _, tt := range []struct {
		name, body, token string
		status            int
		message           string
	}{
		{"a game server's key", `{"by":"60s"}`, l.key, 401, ""},
		{"nothing said", `{}`, coinslottest.AdminToken, 400, `by is required`},
		{"no time", `{"by":"0s"}`, coinslottest.AdminToken, 400, `by must be more than 0 and at most 3650 days, got 0s`},
		{"back", `{"by":"-1s"}`, coinslottest.AdminToken, 400, `by must be more than 0 and at most 3650 days, got -1s`},
		{"more than a duration can be", `{"by":"315576000000s"}`, coinslottest.AdminToken, 400, `by must be more than 0 and at most 3650 days`},
	} {
		got := ask("AdvanceClock", tt.body, tt.token)
		if got.status != tt.status || !strings.HasPrefix(got.message, tt.message) {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
		}
	}
	if got := ask("AdvanceClock", `{"by":"90000s"}`, coinslottest.AdminToken); got.status != 200 || !strings.Contains(got.body, `"ahead":"90000s"`) || strings.Contains(got.body, "left") {
		t.Errorf("25 hours: %d %s", got.status, got.body)
	}
	if got := ask("GetClock", `{}`, coinslottest.AdminToken); got.status != 200 || !strings.Contains(got.body, `"ahead":"90000s"`) {
		t.Errorf("GetClock: %d %s", got.status, got.body)
	}
}

func TestAClockThatCannotBeMovedSaysSo(t *testing.T) {
	l := openLine(t)
	got := l.send(t, http.MethodPost, "/admin.v1.AdminService/AdvanceClock", `{"by":"60s"}`, "Authorization", "Bearer "+coinslottest.AdminToken)
	if got.status != 400 || got.code != "clock_is_fixed" || !strings.Contains(got.body, `"code":"failed_precondition"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
