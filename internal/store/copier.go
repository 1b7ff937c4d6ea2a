package store

import "context"

// Copier is what can be copied while it is in use: a store that is one file, and what lies
// beside it. A database server has tools of its own for this.
type Copier interface {
	// Copy passes on, piece by piece, the bytes of a database as it stood at one moment,
	// with how long the whole is. A piece is take's only until it returns; an error of
	// take ends the copy and is returned. Nobody waits for it.
	Copy(ctx context.Context, take func(piece []byte, whole int64) error) error
}
