package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var settingsCases = []testCase{
	{"every field of a game comes back, new and changed", func(w *world) {
		g := pay.Game{ID: "chess", Name: "Chess", Attempts: 3, Capture: pay.CaptureManual, SessionTTL: time.Hour,
			ConfirmURL:    "https://chess.example/confirm",
			ConfirmSecret: []pay.SealedSecret{{Sealed: []byte{0, 255}}, {Sealed: []byte{1}, ExpiresAt: w.tick()}},
			ReturnSchemes: []string{"chess", "https"}, ReturnHosts: []string{"example.com"}, Currencies: []pay.Currency{"USD"},
			Logo: "https://chess.example/logo.png", Accent: "#ffcc00", SupportURL: "mailto:help@chess.example",
			EmbedOrigins: []string{"https://chess.example", "http://localhost:3000"},
			CreatedAt:    w.tick(), UpdatedAt: w.tick()}
		w.configure(func(s store.Settings) error { return s.CreateGame(g) })
		w.games(g)
		g = pay.Game{ID: "chess", CreatedAt: g.CreatedAt, UpdatedAt: w.tick()}.WithDefaults()
		w.configure(func(s store.Settings) error { return s.UpdateGame(g) })
		w.games(g)
	}},
	{"a picture comes back whose bytes were put beside a setting, and is kept once", func(w *world) {
		img := pay.Image{Name: "0123.png", Type: "image/png", Data: []byte{0x89, 'P', 'N', 'G', 0}}
		g := pay.Game{ID: "chess", Logo: "stored:0123.png"}.WithDefaults()
		w.configure(func(s store.Settings) error {
			w.must(s.PutImage(img))
			w.must(s.CreateGame(g))
			return s.PutImage(img)
		})
		w.wants(w.store.Configure(w.Context(), func(s store.Settings) error {
			w.must(s.PutImage(pay.Image{Name: "4567.png", Type: "image/png", Data: []byte{1}}))
			return errMine
		}), errMine)
		w.games(g)
		w.view(func(r store.Reader) {
			got, err := r.Image(img.Name)
			w.must(err)
			w.same("image", got, img)
			_, err = r.Image("4567.png")
			w.wants(err, store.ErrNotFound)
		})
	}},
	{"every field of a key comes back, new and changed", func(w *world) {
		k := pay.Key{ID: "key_1", Hash: pay.KeyHash{1, 31: 3}, Hint: "wxyz", Environment: pay.Production, Game: "chess", ReadOnly: true,
			Label: "shop", CreatedAt: w.tick(), ExpiresAt: w.tick(), RevokedAt: w.tick(), LastUsedAt: w.tick()}
		w.configure(func(s store.Settings) error { return s.CreateKey(k) })
		w.keys(k)
		k = pay.Key{ID: "key_1", Hash: pay.KeyHash{2}, Environment: pay.Sandbox, CreatedAt: k.CreatedAt}
		w.configure(func(s store.Settings) error { return s.UpdateKey(k) })
		w.keys(k)
	}},
	{"every field of an endpoint comes back, new and changed", func(w *world) {
		e := pay.Endpoint{ID: "we_1", Environment: pay.Production, Game: "chess", URL: "https://example.com/hook",
			Types: []pay.EventType{pay.SessionPaidEvent}, Description: "shop", Enabled: true, FailingSince: w.tick(),
			Secrets:   []pay.SealedSecret{{Sealed: []byte{0, 255}}, {Sealed: []byte{1}, ExpiresAt: w.tick()}},
			CreatedAt: w.tick(), UpdatedAt: w.tick()}
		w.configure(func(s store.Settings) error { return s.CreateEndpoint(e) })
		w.endpoints(e)
		e = pay.Endpoint{ID: "we_1", Environment: pay.Sandbox, Game: "go", URL: "http://localhost", Disabled: "by hand", CreatedAt: e.CreatedAt}
		w.configure(func(s store.Settings) error { return s.UpdateEndpoint(e) })
		w.endpoints(e)
	}},
	{"keys and endpoints are listed oldest first", func(w *world) {
		var keys []pay.Key
		var endpoints []pay.Endpoint
		for range 3 {
			now := w.tick()
			keys = append(keys, pay.Key{ID: pay.NewKeyID(now, w.entropy()), Hash: pay.KeyHash(make([]byte, 32)), Environment: pay.Sandbox, CreatedAt: now})
			keys[len(keys)-1].Hash[0] = byte(len(keys))
			endpoints = append(endpoints, pay.Endpoint{ID: pay.NewEndpointID(now, w.entropy()), Environment: pay.Sandbox, CreatedAt: now})
		}
		w.configure(func(s store.Settings) error {
			for i := range keys {
				w.must(s.CreateKey(keys[len(keys)-1-i]))
				w.must(s.CreateEndpoint(endpoints[len(keys)-1-i]))
			}
			return nil
		})
		w.keys(keys...)
		w.endpoints(endpoints...)
	}},
	{"an id that is taken is a conflict, and changes nothing", func(w *world) {
		g := pay.Game{ID: "chess"}.WithDefaults()
		k, e := pay.Key{ID: "key_1", Environment: pay.Sandbox}, pay.Endpoint{ID: "we_1", Environment: pay.Sandbox}
		w.configure(func(s store.Settings) error {
			w.must(s.CreateGame(g))
			w.must(s.CreateKey(k))
			return s.CreateEndpoint(e)
		})
		w.configure(func(s store.Settings) error {
			other := g
			other.Name = "other"
			w.wants(s.CreateGame(other), store.ErrConflict)
			w.wants(s.CreateKey(pay.Key{ID: k.ID, Hash: pay.KeyHash{7}, Environment: pay.Production}), store.ErrConflict)
			w.wants(s.CreateEndpoint(pay.Endpoint{ID: e.ID, Environment: pay.Production}), store.ErrConflict)
			return nil
		})
		w.games(g)
		w.keys(k)
		w.endpoints(e)
	}},
	{"what is not there cannot be changed or deleted", func(w *world) {
		w.configure(func(s store.Settings) error {
			w.wants(s.UpdateGame(pay.Game{ID: "chess"}.WithDefaults()), store.ErrNotFound)
			w.wants(s.UpdateKey(pay.Key{ID: "key_1", Environment: pay.Sandbox}), store.ErrNotFound)
			w.wants(s.UpdateEndpoint(pay.Endpoint{ID: "we_1", Environment: pay.Sandbox}), store.ErrNotFound)
			w.wants(s.DeleteEndpoint("we_1"), store.ErrNotFound)
			return nil
		})
	}},
	{"Configure sees its own writes and undoes them after an error", func(w *world) {
		g := pay.Game{ID: "chess"}.WithDefaults()
		w.wants(w.store.Configure(w.Context(), func(s store.Settings) error {
			w.must(s.CreateGame(g))
			got, err := s.Game(g.ID)
			w.must(err)
			w.same("game", got, g)
			return errMine
		}), errMine)
		w.games()
	}},
	{"Configures run one after the other", func(w *world) {
		const callers = 20
		w.configure(func(s store.Settings) error { return s.CreateGame(pay.Game{ID: "chess", Name: "0"}.WithDefaults()) })
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				err := w.store.Configure(context.Background(), func(s store.Settings) error {
					g, err := s.Game("chess")
					if err != nil {
						return err
					}
					var n int
					if _, err := fmt.Sscan(g.Name, &n); err != nil {
						return err
					}
					g.Name = fmt.Sprint(n + 1)
					return s.UpdateGame(g)
				})
				if err != nil {
					w.Error(err)
				}
			})
		}
		all.Wait()
		w.games(pay.Game{ID: "chess", Name: fmt.Sprint(callers)}.WithDefaults())
	}},
}

func (w *world) games(want ...pay.Game) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.Games()
		w.must(err)
		w.same("games", got, want)
		for _, g := range want {
			one, err := r.Game(g.ID)
			w.must(err)
			w.same("game", one, g)
		}
	})
}

func (w *world) keys(want ...pay.Key) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.Keys()
		w.must(err)
		w.same("keys", got, want)
		for _, k := range want {
			one, err := r.Key(k.ID)
			w.must(err)
			w.same("key", one, k)
		}
	})
}

func (w *world) endpoints(want ...pay.Endpoint) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.Endpoints()
		w.must(err)
		w.same("endpoints", got, want)
		for _, e := range want {
			one, err := r.Endpoint(e.ID)
			w.must(err)
			w.same("endpoint", one, e)
		}
	})
}
