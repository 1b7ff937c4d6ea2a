package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// The files of a backup, by what is in them.
const (
	BackupOfStore  = "database"
	BackupOfLedger = "sandbox" // the sandbox provider's own books
)

// longestBackup bounds a backup: what is written during it makes the database's log grow.
const longestBackup = 2 * time.Hour

// Backup passes on a copy of all that is kept in files: first the store as it stood at one
// moment, then the sandbox's books of a little later, so that they know of every payment
// that the store does.
func (s *Service) Backup(ctx context.Context, take func(file string, piece []byte, whole int64) error) error {
	from, ok := s.store.(store.Copier)
	if !ok {
		return pay.Refuse(pay.InvalidSetting, "the database is not a file: back it up by the means of its server, such as pg_dump")
	}
	if !s.copying.TryLock() {
		return pay.Refuse(pay.Unavailable, "a backup is being taken already; ask again when it is done")
	}
	defer s.copying.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, longestBackup,
		pay.Refuse(pay.Unavailable, "the backup took longer than %s and was broken off; take it on the server's own machine", longestBackup))
	defer cancel()
	s.log.InfoContext(ctx, "a backup is being taken")
	err := copyOf(ctx, BackupOfStore, from, take)
	if err == nil && s.ledger != nil {
		err = copyOf(ctx, BackupOfLedger, s.ledger, take)
	}
	if err != nil {
		s.log.WarnContext(ctx, "the backup was broken off", "error", err)
		return err
	}
	s.log.InfoContext(ctx, "the backup is taken")
	return nil
}

func copyOf(ctx context.Context, file string, from store.Copier, take func(string, []byte, int64) error) error {
	err := from.Copy(ctx, func(piece []byte, whole int64) error { return take(file, piece, whole) })
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
