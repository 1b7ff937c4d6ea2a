package sqlstore

import (
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const answerColumns = `environment, game, method, key, fingerprint, result, expires_at`

var (
	selectAnswer = statement(`SELECT ` + answerColumns + ` FROM answers
		WHERE environment = $1 AND game = $2 AND method = $3 AND key = $4 AND expires_at > $5`)

	// One that has expired gives its place away; any other keeps it, and no row is changed.
	insertAnswer = statement(`INSERT INTO answers (` + answerColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (environment, game, method, key)
		DO UPDATE SET fingerprint = $5, result = $6, expires_at = $7 WHERE answers.expires_at <= $8`)

	// Answers live equally long, so those that expired lie together in the index.
	deleteAnswers = statement(`DELETE FROM answers WHERE (environment, game, method, key) IN
		(SELECT environment, game, method, key FROM answers WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`)

	selectImage = statement(`SELECT name, type, data FROM images WHERE name = $1`)

	insertImage = statement(`INSERT INTO images (name, type, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`)
)

func readAnswer(c *columns) (store.Answer, error) {
	a := store.Answer{
		Scope: store.Scope{
			Environment: pay.Environment(c.text()),
			Game:        pay.GameID(c.text()),
			Method:      c.text(),
		},
		Key: c.text(),
	}
	copy(a.Fingerprint[:], c.bytes())
	a.Result = c.text()
	a.ExpiresAt = c.time()
	return a, nil
}

// Remember is store.Tx's.
func (t *Tx) Remember(a store.Answer, now time.Time) error {
	if c, ok := t.q.(Concurrent); ok {
		c.Confirm() // that there is no answer yet: else no row is changed
	}
	return changed(t.q, "remember answer", insertAnswer,
		string(a.Scope.Environment), string(a.Scope.Game), a.Scope.Method, a.Key,
		a.Fingerprint[:], a.Result, stamp(a.ExpiresAt), stamp(now))
}

// Forget deletes answers that have expired.
func Forget(q Querier, now time.Time, most int) (int64, error) {
	return q.Exec(deleteAnswers, stamp(now), int64(most))
}

func readImage(c *columns) (pay.Image, error) {
	return pay.Image{Name: pay.ImageName(c.text()), Type: c.text(), Data: c.bytes()}, nil
}

// putImage keeps an image unless it is there already: its name is its content.
func putImage(q Querier, i pay.Image) error {
	if err := do(q, insertImage, string(i.Name), i.Type, blob(i.Data)); err != nil {
		return fmt.Errorf("insert image: %w", err)
	}
	return nil
}
