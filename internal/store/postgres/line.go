package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// line is a transaction's way to the database: a connection that is taken out of the pool
// when something is to be sent, and kept from one try to the next.
type line struct {
	pool *pgxpool.Pool
	ctx  context.Context // how long a connection is wanted; what is done on it is finished
	held *pgxpool.Conn   // nil: none yet
}

// take is the connection, which is taken out of the pool where there is none yet. Nothing
// has been sent then, so that ctx's error says that nothing has come of it.
func (l *line) take() (*pgx.Conn, error) {
	if l.held == nil {
		ctx, stop := context.WithTimeout(l.ctx, answerTimeout)
		defer stop()
		conn, err := l.pool.Acquire(ctx)
		if err != nil {
			return nil, unwanted(l.ctx, err)
		}
		l.held = conn
	}
	return l.held.Conn(), nil
}

// broken says whether the connection is of no use any more.
func (l *line) broken() bool { return l.held != nil && l.held.Conn().IsClosed() }

// release gives the connection back, without the deadline that it was used under.
func (l *line) release() {
	if l.held == nil {
		return
	}
	if !l.broken() {
		_ = l.held.Conn().PgConn().Conn().SetDeadline(time.Time{})
	}
	l.held.Release()
	l.held = nil
}
