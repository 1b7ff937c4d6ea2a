package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

const benchEndpoints = 8 // enough that all workers have something to do

var benchBody = []byte(`{"id":"01978c2e-0000-7000-8000-000000000000","type":"session.created","data":{"session":"` + string(bytes.Repeat([]byte("x"), 600)) + `"}}`)

// countdown is a receiver that says when it has had n posts.
func countdown(b *testing.B, n int) (url string, all *sync.WaitGroup) {
	all = &sync.WaitGroup{}
	all.Add(n)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		all.Done()
	}))
	b.Cleanup(server.Close)
	return server.URL, all
}

// BenchmarkDelivery is a backlog on its way: claimed, signed, posted and recorded.
func BenchmarkDelivery(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "coinslot.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	events := (b.N + benchEndpoints - 1) / benchEndpoints
	url, all := countdown(b, events*benchEndpoints)
	v := vault.New([32]byte{})
	benchBacklog(b, s, v, url, events)
	client := safehttp.NewClient(safehttp.Options{AllowLoopback: true})
	relay := webhook.NewRelay(webhook.Options{Store: s, Vault: v, Client: func(pay.Environment) *http.Client { return client }})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)

	b.ReportAllocs()
	b.ResetTimer()
	go func() { ended <- relay.Run(ctx) }()
	all.Wait()
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

func benchBacklog(b *testing.B, s store.Store, v *vault.Vault, url string, events int) {
	now := pay.Clock(time.Now())
	err := s.Configure(b.Context(), func(tx store.Settings) error {
		if err := tx.CreateGame(pay.Game{ID: game, CreatedAt: now, UpdatedAt: now}.WithDefaults()); err != nil {
			return err
		}
		for i := range benchEndpoints {
			id := pay.NewEndpointID(now, pay.Entropy{byte(i)})
			sealed := webhook.NewSecrets(v).Seal(id, newSecret)
			e := pay.Endpoint{
				ID: id, Environment: pay.Sandbox, Game: game, URL: url, Enabled: true,
				Secrets: []pay.SealedSecret{{Sealed: sealed}}, CreatedAt: now, UpdatedAt: now,
			}
			if err := tx.CreateEndpoint(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range events {
		id := pay.NewSessionID(now, pay.Entropy([]byte(fmt.Sprintf("%014d", i))))
		c, err := pay.NewSession(id, pay.Sandbox, pay.Game{ID: game}.WithDefaults(), pay.Order{
			Game: game, User: "player_42", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}, ReturnURL: "mygame://done",
		}, now)
		if err != nil {
			b.Fatal(err)
		}
		c.Events[0].Payload = benchBody
		if err := s.Update(b.Context(), id, func(tx store.Tx) error { return tx.Apply(c) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBarePost is what a delivery is measured against: the same requests by the
// same client, signed, and nothing else.
func BenchmarkBarePost(b *testing.B) {
	url, _ := countdown(b, b.N)
	client := safehttp.NewClient(safehttp.Options{AllowLoopback: true})
	b.ReportAllocs()
	b.ResetTimer()
	work := make(chan struct{})
	var posters sync.WaitGroup
	for range webhook.DefaultWorkers {
		posters.Go(func() {
			for range work {
				benchPost(b, client, url)
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	posters.Wait()
}

func benchPost(b *testing.B, client *http.Client, url string) {
	header, err := webhook.Sign(webhook.Message{ID: "evt", Body: benchBody, At: time.Now(), Attempt: 1}, newSecret)
	if err != nil {
		b.Error(err)
		return
	}
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(benchBody))
	if err != nil {
		b.Error(err)
		return
	}
	request.Header = header
	answer, err := client.Do(request)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}
