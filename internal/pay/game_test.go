package pay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestDefaultsOfAGame(t *testing.T) {
	want := pay.Game{ID: "g", Name: "g", Attempts: 1, Capture: pay.CaptureAutomatic, SessionTTL: 24 * time.Hour}
	if diff := cmp.Diff(want, pay.Game{ID: "g"}.WithDefaults()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	own := pay.Game{ID: "g", Name: "Game", Attempts: 10, Capture: pay.CaptureManual, SessionTTL: time.Minute}
	if diff := cmp.Diff(own, own.WithDefaults()); diff != "" {
		t.Errorf("defaults replace what the operator chose (-want +got):\n%s", diff)
	}
	if err := want.Check(); err != nil {
		t.Errorf("the defaults are out of bounds: %v", err)
	}
}

// gameSlips breaks every rule of a game's settings, in the order in which they are checked.
var gameSlips = []struct {
	rule  string
	spoil func(*pay.Game)
	field string
}{
	{"id is missing", func(g *pay.Game) { g.ID = "" }, "id"},
	{"too many attempts", func(g *pay.Game) { g.Attempts = 11 }, "payment_attempts"},
	{"unknown capture", func(g *pay.Game) { g.Capture = "later" }, "capture"},
	{"session_ttl is too long", func(g *pay.Game) { g.SessionTTL = 30*24*time.Hour + 1 }, "session_ttl"},
	{"confirm_url without a host", func(g *pay.Game) { g.ConfirmURL = "https://" }, "confirm_url"},
	{"unknown currency", func(g *pay.Game) { g.Currencies = []pay.Currency{"USD", "usd"} }, "currencies"},
	{"refused scheme", func(g *pay.Game) { g.ReturnSchemes = []string{"mygame", "javascript"} }, "return_url_schemes"},
	{"host that is a URL", func(g *pay.Game) { g.ReturnHosts = []string{"https://example.com"} }, "return_url_hosts"},
	{"logo over http", func(g *pay.Game) { g.Logo = "http://example.com/logo.png" }, "logo"},
	{"colour by its name", func(g *pay.Game) { g.Accent = "red" }, "accent_color"},
	{"support by telephone", func(g *pay.Game) { g.SupportURL = "tel:+4930123" }, "support_url"},
	{"every origin", func(g *pay.Game) { g.EmbedOrigins = []string{"*"} }, "embed_origins"},
	{"name is missing", func(g *pay.Game) { g.Name = "" }, "name"},
}

func TestTheFirstBrokenRuleOfAGameIsTheOneThatIsTold(t *testing.T) {
	for i, first := range gameSlips {
		bad := spaceShooter
		for _, s := range gameSlips[i:] {
			s.spoil(&bad)
		}
		wantRefusal(t, bad.Check(), pay.InvalidSetting, first.field)
	}
}

func TestBoundsOfAGamesSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(*pay.Game)
		good bool
	}{
		"an id of 64 characters":      {func(g *pay.Game) { g.ID = pay.GameID(strings.Repeat("a", 64)) }, true},
		"an id of 65 characters":      {func(g *pay.Game) { g.ID = pay.GameID(strings.Repeat("a", 65)) }, false},
		"an id of a digit":            {func(g *pay.Game) { g.ID = "0" }, true},
		"an id with _ and -":          {func(g *pay.Game) { g.ID = "a_-" }, true},
		"an id that begins with _":    {func(g *pay.Game) { g.ID = "_a" }, false},
		"an id in upper case":         {func(g *pay.Game) { g.ID = "Chess" }, false},
		"an id with a line break":     {func(g *pay.Game) { g.ID = "chess\n" }, false},
		"no attempt":                  {func(g *pay.Game) { g.Attempts = 0 }, false},
		"ten attempts":                {func(g *pay.Game) { g.Attempts = 10 }, true},
		"a session of a minute":       {func(g *pay.Game) { g.SessionTTL = time.Minute }, true},
		"a session of less":           {func(g *pay.Game) { g.SessionTTL = time.Minute - 1 }, false},
		"a session of 30 days":        {func(g *pay.Game) { g.SessionTTL = 30 * 24 * time.Hour }, true},
		"a name of 100 characters":    {func(g *pay.Game) { g.Name = strings.Repeat("ä", 100) }, true},
		"a name of 101 characters":    {func(g *pay.Game) { g.Name = strings.Repeat("ä", 101) }, false},
		"a name that is not UTF-8":    {func(g *pay.Game) { g.Name = "\xff" }, false},
		"schemes":                     {func(g *pay.Game) { g.ReturnSchemes = []string{"https", "com.example.game", "fb1", "a+b-c.d"} }, true},
		"a scheme in upper case":      {func(g *pay.Game) { g.ReturnSchemes = []string{"MyGame"} }, false},
		"an empty scheme":             {func(g *pay.Game) { g.ReturnSchemes = []string{""} }, false},
		"a scheme with its colon":     {func(g *pay.Game) { g.ReturnSchemes = []string{"mygame:"} }, false},
		"a scheme with a tab":         {func(g *pay.Game) { g.ReturnSchemes = []string{"java\tscript"} }, false},
		"a scheme that no URI has":    {func(g *pay.Game) { g.ReturnSchemes = []string{"my_game"} }, false},
		"a scheme that opens windows": {func(g *pay.Game) { g.ReturnSchemes = []string{"ms-settings"} }, false},
		"hosts": {func(g *pay.Game) {
			g.ReturnHosts = []string{"example.com", "localhost", "127.0.0.1", "münchen.example"}
		}, true},
		"a host with a port":                {func(g *pay.Game) { g.ReturnHosts = []string{"example.com:80"} }, false},
		"a host in upper case":              {func(g *pay.Game) { g.ReturnHosts = []string{"Example.com"} }, false},
		"an empty host":                     {func(g *pay.Game) { g.ReturnHosts = []string{""} }, false},
		"a host with a user":                {func(g *pay.Game) { g.ReturnHosts = []string{"me@example.com"} }, false},
		"a confirm_url":                     {func(g *pay.Game) { g.ConfirmURL = "https://game.example:8443/confirm?token=x" }, true},
		"a confirm_url of http":             {func(g *pay.Game) { g.ConfirmURL = "http://localhost:3000/confirm" }, true},
		"a confirm_url with manual capture": {func(g *pay.Game) { g.ConfirmURL, g.Capture = "https://game.example", pay.CaptureManual }, false},
		"a confirm_url of another scheme":   {func(g *pay.Game) { g.ConfirmURL = "mygame://confirm" }, false},
		"a confirm_url that is relative":    {func(g *pay.Game) { g.ConfirmURL = "/confirm" }, false},
		"a confirm_url without a scheme":    {func(g *pay.Game) { g.ConfirmURL = "game.example/confirm" }, false},
		"a confirm_url with a password":     {func(g *pay.Game) { g.ConfirmURL = "https://me:pw@game.example" }, false},
		"a confirm_url with a line break":   {func(g *pay.Game) { g.ConfirmURL = "https://game.example/\n" }, false},
		"every currency":                    {func(g *pay.Game) { g.Currencies = pay.Currencies() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := spaceShooter
			tt.set(&g)
			if err := g.Check(); (err == nil) != tt.good {
				t.Errorf("accepted should be %v: %v", tt.good, err)
			}
		})
	}
}

func TestWhichCurrenciesAGameAccepts(t *testing.T) {
	if !spaceShooter.Accepts("USD") || !spaceShooter.Accepts("KWD") {
		t.Error("a game without a list refuses a currency")
	}
	if g := (pay.Game{Currencies: []pay.Currency{"EUR", "USD"}}); !g.Accepts("USD") || g.Accepts("KWD") {
		t.Error("a game's list does not decide")
	}
}
