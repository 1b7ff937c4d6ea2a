package sqlstore

import (
	"errors"
	"unicode/utf8"

	"github.com/coinslot/coinslot/internal/store"
)

// The books of the sandbox provider, where several servers share them. Beside SQLite they
// are a file of their own.

var (
	selectBook = concurrent(`SELECT value FROM ledger WHERE key = $1`)
	saveBook   = concurrent(`INSERT INTO ledger (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`)
	beginBook  = concurrent(`INSERT INTO ledger (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`)
	swapBook   = concurrent(`UPDATE ledger SET value = $3 WHERE key = $1 AND value = $2`)
	deleteBook = concurrent(`DELETE FROM ledger WHERE key = $1`)
	bookKeys   = concurrent(`SELECT key FROM ledger WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3`)
)

// BookKeys lists the first keys that begin with a prefix, at most so many, in order.
func BookKeys(q Querier, prefix string, most int) ([]string, error) {
	return all(q, func(c *columns) (string, error) { return c.text(), nil }, bookKeys, prefix, prefix+string(utf8.MaxRune), int64(most))
}

// DeleteBook forgets an entry.
func DeleteBook(q Querier, key string) error {
	_, err := q.Exec(deleteBook, key)
	return err
}

// LoadBook reads an entry; nil where there is none.
func LoadBook(q Querier, key string) ([]byte, error) {
	value, err := one(q, func(c *columns) ([]byte, error) { return blob(c.bytes()), nil }, selectBook, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// SaveBook keeps an entry in place of what was there.
func SaveBook(q Querier, key string, value []byte) error {
	_, err := q.Exec(saveBook, key, blob(value))
	return err
}

// SwapBook keeps an entry if what is there is still what it was, and says whether it is.
func SwapBook(q Querier, key string, was, value []byte) (bool, error) {
	if was == nil {
		rows, err := q.Exec(beginBook, key, blob(value))
		return rows == 1, err
	}
	rows, err := q.Exec(swapBook, key, was, blob(value))
	return rows == 1, err
}

var (
	claimMasterKey  = concurrent(`INSERT INTO engine (name, value) VALUES ('` + NoteMasterKey + `', $1) ON CONFLICT DO NOTHING`)
	selectMasterKey = concurrent(`SELECT value FROM engine WHERE name = '` + NoteMasterKey + `'`)
)

// SameMasterKey notes by what the master key is told from others, where nobody has yet,
// and says whether it is the one that was noted. A copy notes the key of its source when it
// begins, so the note is waited for first, and then it is seen whether a copy made it.
func SameMasterKey(q Querier, mark int64) (bool, error) {
	if _, err := q.Exec(claimMasterKey, mark); err != nil {
		return false, err
	}
	if err := RefuseHalfCopied(q); err != nil {
		return false, err
	}
	noted, err := one(q, readInteger, selectMasterKey)
	return noted == mark, err
}
