package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
	"github.com/coinslot/coinslot/internal/pay"
)

// What a new installation begins with, so that the first session is one command away.
var demoGame = pay.Game{ID: "space_shooter", Name: "Space Shooter"}

// firstStart registers the demo game and makes a sandbox key for it, where there is
// no game yet. Later it does nothing, and returns no key.
func firstStart(ctx context.Context, g *gateway.Service) (key string, err error) {
	games, err := g.Games(ctx)
	if err != nil || len(games) > 0 {
		return "", err
	}
	if _, err := g.CreateGame(ctx, demoGame); err != nil {
		return "", err
	}
	_, key, err = g.CreateKey(ctx, pay.Key{Environment: pay.Sandbox, Game: demoGame.ID, Label: "first start"})
	return key, err
}

// welcome is what the server says when it is ready.
type welcome struct {
	URL            string `json:"url"`
	SandboxKey     string `json:"sandbox_key,omitempty"`      // only where it was just made: it is kept as a hash
	AdminTokenFile string `json:"admin_token_file,omitempty"` // empty where the token was given
	hasInbox       bool
}

func (w welcome) write(c *console, cfg *config.Serve) error {
	if cfg.QuietStart {
		return json.NewEncoder(c.out).Encode(w)
	}
	text := laterStart
	if w.SandboxKey != "" {
		text = veryFirstStart
	}
	_, err := strings.NewReplacer(
		"{inbox}", w.inbox(), "{url}", w.URL, "{key}", w.SandboxKey, "{game}", string(demoGame.ID),
		"{me}", calledAs(os.Args[0]), "{data}", absolute(cfg.Data), "{flags}", dataFlag(cfg),
	).WriteString(c.out, text)
	if err != nil {
		return fmt.Errorf("write the welcome: %w", err)
	}
	return nil
}

// inbox says where webhooks can be seen, on a server that has such a place.
func (w welcome) inbox() string {
	if !w.hasInbox {
		return ""
	}
	return fmt.Sprintf("See the webhooks of the sandbox, signed, as they would arrive:\n\n  %s%s\n\n", w.URL, inbox.Path)
}

// dataFlag is what other commands need to find this server.
func dataFlag(cfg *config.Serve) string {
	if cfg.Data == config.DefaultData {
		return ""
	}
	return " --data " + quoted(cfg.Data)
}

// calledAs is what to type for this program: a path if it was called by one.
func calledAs(arg string) string {
	if strings.HasPrefix(arg, "./") {
		return arg
	}
	return "coinslot"
}

// quoted writes a word for a shell.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

const veryFirstStart = `
Coinslot runs at {url}, its data in {data}.
It has registered the demo game {game} and made a sandbox key for it, shown this once:

  {key}

1. Create a session:

  curl {url}/v1/sessions \
    -H 'Authorization: Bearer {key}' \
    -H 'Content-Type: application/json' \
    -d '{"game_id":"{game}","user_id":"player_42","item":{"title":"50 Gold Coins","price":499,"currency":"USD"},"return_url":"mygame://payment-complete"}'

2. Open the url in its answer and pay with the card 4242 4242 4242 4242, any date to
   come and any code. Or pay without a browser, naming the id in the answer:

  {me} sandbox pay SESSION{flags}

3. Have your game server told of what happens:

  {me} webhooks create --game {game} --environment sandbox --url http://localhost:3000/{flags}

{inbox}Everything else: {me} help. Ctrl-C stops the server.

`

const laterStart = `
Coinslot runs at {url}, its data in {data}.

Make a key for a game server:

  {me} keys create --game {game} --environment sandbox{flags}

{inbox}Everything else: {me} help. Ctrl-C stops the server.

`
