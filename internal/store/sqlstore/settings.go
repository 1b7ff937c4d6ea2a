package sqlstore

import (
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	gameColumns = `id, name, attempts, capture, session_ttl, return_schemes, return_hosts, currencies, confirm_url, confirm_secrets,
		logo, accent, support_url, embed_origins, created_at, updated_at`
	keyColumns      = `id, hash, hint, environment, game, read_only, label, created_at, expires_at, revoked_at, last_used_at`
	endpointColumns = `id, environment, game, url, types, description, enabled, disabled, failing_since, secrets, created_at, updated_at`
)

var (
	selectGame  = statement(`SELECT ` + gameColumns + ` FROM games WHERE id = $1`)
	selectGames = statement(`SELECT ` + gameColumns + ` FROM games ORDER BY id`)
	insertGame  = statement(`INSERT INTO games (` + gameColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING`)
	updateGame = statement(`UPDATE games SET name = $2, attempts = $3, capture = $4, session_ttl = $5,
		return_schemes = $6, return_hosts = $7, currencies = $8, confirm_url = $9, confirm_secrets = $10,
		logo = $11, accent = $12, support_url = $13, embed_origins = $14, created_at = $15, updated_at = $16 WHERE id = $1`)

	selectKey  = statement(`SELECT ` + keyColumns + ` FROM keys WHERE id = $1`)
	selectKeys = statement(`SELECT ` + keyColumns + ` FROM keys ORDER BY id`)
	insertKey  = statement(`INSERT INTO keys (` + keyColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`)
	updateKey = statement(`UPDATE keys SET hash = $2, hint = $3, environment = $4, game = $5, read_only = $6,
		label = $7, created_at = $8, expires_at = $9, revoked_at = $10, last_used_at = $11 WHERE id = $1`)

	selectEndpoint  = statement(`SELECT ` + endpointColumns + ` FROM endpoints WHERE id = $1`)
	selectEndpoints = statement(`SELECT ` + endpointColumns + ` FROM endpoints ORDER BY id`)
	insertEndpoint  = statement(`INSERT INTO endpoints (` + endpointColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`)
	updateEndpoint = statement(`UPDATE endpoints SET environment = $2, game = $3, url = $4, types = $5,
		description = $6, enabled = $7, disabled = $8, failing_since = $9, secrets = $10, created_at = $11, updated_at = $12 WHERE id = $1`)
	selectNumber   = statement(`SELECT number FROM endpoints WHERE id = $1`)
	deleteEndpoint = statement(`DELETE FROM endpoints WHERE number = $1`)
)

// Settings is store.Settings on one transaction.
type Settings struct {
	Reader
	batch *Batch
}

var _ store.Settings = Settings{}

// NewSettings is one closure's view of the transaction.
func NewSettings(q Querier, b *Batch) Settings {
	return Settings{Reader: Reader{q: q, tally: &b.tally}, batch: b}
}

func readGame(c *columns) (pay.Game, error) {
	g := pay.Game{
		ID:            pay.GameID(c.text()),
		Name:          c.text(),
		Attempts:      int(c.integer()),
		Capture:       pay.CaptureMode(c.text()),
		SessionTTL:    time.Duration(c.integer()) * time.Microsecond,
		ReturnSchemes: list[string](c),
		ReturnHosts:   list[string](c),
		Currencies:    list[pay.Currency](c),
		ConfirmURL:    c.text(),
		ConfirmSecret: c.secrets(),
		Logo:          pay.ImageRef(c.text()),
		Accent:        c.text(),
		SupportURL:    c.text(),
		EmbedOrigins:  list[string](c),
		CreatedAt:     c.time(),
		UpdatedAt:     c.time(),
	}
	return g, c.err
}

func gameArgs(g pay.Game) []any {
	return []any{
		string(g.ID), g.Name, int64(g.Attempts), string(g.Capture), g.SessionTTL.Microseconds(),
		listText(g.ReturnSchemes), listText(g.ReturnHosts), listText(g.Currencies),
		g.ConfirmURL, secretsText(g.ConfirmSecret),
		string(g.Logo), g.Accent, g.SupportURL, listText(g.EmbedOrigins), stamp(g.CreatedAt), stamp(g.UpdatedAt),
	}
}

func readKey(c *columns) (pay.Key, error) {
	k := pay.Key{ID: pay.KeyID(c.text())}
	copy(k.Hash[:], c.bytes())
	k.Hint = c.text()
	k.Environment = pay.Environment(c.text())
	k.Game = pay.GameID(c.text())
	k.ReadOnly = c.flag()
	k.Label = c.text()
	k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.LastUsedAt = c.time(), c.time(), c.time(), c.time()
	return k, nil
}

func keyArgs(k pay.Key) []any {
	return []any{
		string(k.ID), k.Hash[:], k.Hint, string(k.Environment), string(k.Game), bit(k.ReadOnly), k.Label,
		stamp(k.CreatedAt), stamp(k.ExpiresAt), stamp(k.RevokedAt), stamp(k.LastUsedAt),
	}
}

// secret is a pay.SealedSecret as it is stored.
type secret struct {
	Sealed    []byte `json:"sealed"`
	ExpiresAt int64  `json:"expires_at"`
}

func readEndpoint(c *columns) (pay.Endpoint, error) {
	e := pay.Endpoint{
		ID:          pay.EndpointID(c.text()),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		URL:         c.text(),
		Types:       list[pay.EventType](c),
		Description: c.text(),
		Enabled:     c.flag(),
		Disabled:    c.text(),
	}
	e.FailingSince = c.time()
	e.Secrets = c.secrets()
	e.CreatedAt, e.UpdatedAt = c.time(), c.time()
	return e, c.err
}

func (c *columns) secrets() (read []pay.SealedSecret) {
	for _, s := range list[secret](c) {
		read = append(read, pay.SealedSecret{Sealed: s.Sealed, ExpiresAt: readTime(s.ExpiresAt)})
	}
	return read
}

// secretsText is what secrets reads.
func secretsText(all []pay.SealedSecret) string {
	var secrets []secret
	for _, s := range all {
		secrets = append(secrets, secret{s.Sealed, stamp(s.ExpiresAt)})
	}
	return listText(secrets)
}

func endpointArgs(e pay.Endpoint) []any {
	return []any{
		string(e.ID), string(e.Environment), string(e.Game), e.URL, listText(e.Types), e.Description,
		bit(e.Enabled), e.Disabled, stamp(e.FailingSince), secretsText(e.Secrets), stamp(e.CreatedAt), stamp(e.UpdatedAt),
	}
}

// touched wants exactly one row to have been changed: none means that it is not there.
func touched(q Querier, what string, s *Statement, args ...any) error {
	done, err := q.Change(s, args...)
	if err == nil && !done {
		err = store.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// CreateGame is store.Settings'.
func (s Settings) CreateGame(g pay.Game) error {
	return changed(s.q, "create game", insertGame, gameArgs(g)...)
}

// UpdateGame is store.Settings'.
func (s Settings) UpdateGame(g pay.Game) error {
	return touched(s.q, "update game", updateGame, gameArgs(g)...)
}

// PutImage is store.Settings'.
func (s Settings) PutImage(i pay.Image) error { return putImage(s.q, i) }

// CreateKey is store.Settings'.
func (s Settings) CreateKey(k pay.Key) error {
	return changed(s.q, "create key", insertKey, keyArgs(k)...)
}

// UpdateKey is store.Settings'.
func (s Settings) UpdateKey(k pay.Key) error {
	return touched(s.q, "update key", updateKey, keyArgs(k)...)
}

// CreateEndpoint is store.Settings'.
func (s Settings) CreateEndpoint(e pay.Endpoint) error {
	return changed(s.q, "create endpoint", insertEndpoint, endpointArgs(e)...)
}

// UpdateEndpoint is store.Settings'.
func (s Settings) UpdateEndpoint(e pay.Endpoint) error {
	return touched(s.q, "update endpoint", updateEndpoint, endpointArgs(e)...)
}

// DeleteEndpoint is store.Settings'.
func (s Settings) DeleteEndpoint(id pay.EndpointID) error {
	number, err := one(s.q, readInteger, selectNumber, string(id))
	if err != nil {
		return fmt.Errorf("delete endpoint: %w", err)
	}
	first, last := deliveryID(number, 0), deliveryID(number+1, 0)
	for _, remove := range []*Statement{deleteAttempts, deleteDeliveries} {
		if _, err := s.q.Exec(remove, first, last); err != nil {
			return fmt.Errorf("delete endpoint's deliveries: %w", err)
		}
	}
	return touched(s.q, "delete endpoint", deleteEndpoint, number)
}
