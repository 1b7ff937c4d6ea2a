package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// line is a transaction's way to the database: a connection that is taken out of the pool
// when something is to be sent at the latest, and kept from one try to the next.
type line struct {
	pool *pgxpool.Pool
	held *pgxpool.Conn // nil: none yet
}

// takeFor takes the connection for a call that nothing was done for yet, so that it need
// not wait longer than it is wanted.
func (l *line) takeFor(ctx context.Context) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return unwanted(ctx, err)
	}
	l.held = conn
	return nil
}

// take is the connection, which is taken out of the pool where there is none yet. What has
// begun is finished, whoever still wants it.
func (l *line) take() (*pgx.Conn, error) {
	if l.held == nil {
		ctx, stop := context.WithTimeout(context.Background(), answerTimeout)
		defer stop()
		conn, err := l.pool.Acquire(ctx)
		if err != nil {
			return nil, failure("connect to the database", err)
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
