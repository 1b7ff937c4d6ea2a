package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/coinslot/coinslot/internal/store"
)

// pieceSize is about how long the pieces are in which a database is copied.
const pieceSize = 256 << 10

var (
	_ store.Copier = (*Store)(nil)
	_ store.Copier = (*Ledger)(nil)
)

// Copy is store.Copier's. Readers and writers go on meanwhile. What is written during it
// stays in the log, which can only be copied back beyond the snapshot once that is let go of.
func (s *Store) Copy(ctx context.Context, take func([]byte, int64) error) error {
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.give(c)
	return c.copyOut(ctx, take)
}

// Copy is store.Copier's. It has a connection of its own, so that nobody waits for it.
func (l *Ledger) Copy(ctx context.Context, take func([]byte, int64) error) error {
	return copyFile(ctx, l.path, take)
}

// copyFile copies a database that this process holds the lock of. SQLite opens it itself:
// it knows which of its locks a file that it closes would drop.
func copyFile(ctx context.Context, path string, take func([]byte, int64) error) (err error) {
	c, err := connect(path, readerPragmas...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	return c.copyOut(ctx, take)
}

// CopyStopped copies a database that no server has open, and brings nothing up to date in it.
func CopyStopped(ctx context.Context, path string, take func(piece []byte, whole int64) error) error {
	path, held, err := lockStopped(path)
	if err != nil {
		return err
	}
	return errors.Join(copyFile(ctx, path, take), unlock(held))
}

// copyOut passes on the pages as they stood at one moment: those of one transaction that
// only reads, so that the copy is as consistent as any answer.
func (c *conn) copyOut(ctx context.Context, take func([]byte, int64) error) (err error) {
	if err := c.run("BEGIN"); err != nil {
		return unavailable("begin copying", c.failed(err))
	}
	defer func() {
		if endErr := c.run("COMMIT"); endErr != nil {
			err = errors.Join(err, unavailable("end copying", c.failed(endErr)))
		}
	}()
	var pages, size int64
	err = c.rows(ctx, `SELECT page_count, page_size FROM pragma_page_count(), pragma_page_size()`, func(row []driver.Value) error {
		pages, size = row[0].(int64), row[1].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	var (
		piece = make([]byte, 0, pieceSize+size)
		next  = int64(1)
	)
	err = c.rows(ctx, `SELECT pgno, data FROM sqlite_dbpage ORDER BY pgno`, func(row []driver.Value) error {
		page, ok := row[1].([]byte)
		if row[0] != next || !ok || int64(len(page)) != size {
			return fmt.Errorf("copy page %d: SQLite gave page %v of %d bytes", next, row[0], len(page))
		}
		next++
		piece = append(piece, page...)
		if len(piece) < pieceSize {
			return nil
		}
		err := take(piece, pages*size)
		piece = piece[:0]
		return err
	})
	if err == nil && next-1 != pages {
		err = fmt.Errorf("SQLite gave %d pages of %d", next-1, pages)
	}
	if err == nil && len(piece) > 0 {
		err = take(piece, pages*size)
	}
	return err
}

// rows runs a statement that is SQLite's alone, and calls each for every row of its answer.
// It ends when ctx does.
func (c *conn) rows(ctx context.Context, sql string, each func([]driver.Value) error, args ...driver.NamedValue) (err error) {
	s, err := c.raw.Prepare(sql)
	if err != nil {
		return c.failed(err)
	}
	defer s.Close()
	found, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return c.interrupted(ctx, err)
	}
	defer found.Close()
	values := make([]driver.Value, len(found.Columns()))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := found.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.interrupted(ctx, err)
		}
		if err := each(values); err != nil {
			return err
		}
	}
}

// interrupted tells an end that was asked for from trouble.
func (c *conn) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.failed(err)
}
