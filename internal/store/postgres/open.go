// Package postgres keeps Coinslot's state in a PostgreSQL database that any number of
// servers share: the pool of connections, transactions that cost few round trips, and
// how the servers learn of what others wrote.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// What a connection is told unless the URL says otherwise.
const (
	mostConnections  = 20
	connectTimeout   = 5 * time.Second
	statementTimeout = 10 * time.Second
	lockTimeout      = 5 * time.Second
	idleTimeout      = 15 * time.Second // within a transaction

	// answerTimeout is when a server that says nothing at all is given up. It is more than
	// a statement may take.
	answerTimeout = 20 * time.Second

	// idleUnasked is for how long a connection may be idle and be used again without asking
	// whether the server is still there.
	idleUnasked = time.Second

	// oldestServer is the oldest major version that this was tried with.
	oldestServer = 15
)

// Options of a store. The zero value is the one to use.
type Options struct {
	// Logger gets what only the operator can act on. Nothing is logged where it is nil.
	Logger *slog.Logger

	// Alone says that no other process uses the database, so that none has to be told of
	// anything or asked for news. It is for tests under a fake clock, in which days pass.
	Alone bool

	// AsItIs changes nothing: it refuses a database of another schema with SchemaError, rather
	// than bring it up to date, and does no work in the background.
	AsItIs bool

	// Counted is called with the number of statements for each round trip. It may be nil.
	Counted func(statements int)
}

// Open connects to the database that a URL such as postgres://user@host/name names, and
// brings its schema up to date. Any number of processes can have it open.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	if !o.AsItIs {
		if _, err := migrate(ctx, config.ConnConfig); err != nil {
			return nil, err
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := newStore(pool, o)
	if o.AsItIs {
		v, err := versions(ctx, pool)
		if err == nil && v.Has != v.Knows {
			err = &SchemaError{v.Has, v.Knows}
		}
		if err != nil {
			pool.Close()
			return nil, err
		}
	}
	err = s.read(ctx, func(q *run) error {
		if err := sqlstore.RefuseHalfCopied(q); err != nil {
			return err
		}
		return s.frontier.Resume(q)
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	if !o.AsItIs {
		s.begin()
	}
	return s, nil
}

// parse reads the URL. It never repeats it in an error: there may be a password in it.
func parse(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil || strings.ContainsAny(config.ConnConfig.Host, "@#") { // of a password that was not escaped
		return nil, errors.New("the database must be a URL such as postgres://user:password@host:5432/name; " +
			"its user, host, port, name or one of its parameters cannot be understood, or a character of the password must be escaped, such as @ by %40")
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = mostConnections
	}
	// After the server was away each connection of the pool is broken: that is not to be
	// found out by a caller each.
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > idleUnasked || stirred(p.Conn)
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    "coinslot",
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
		"default_transaction_isolation":       "read committed",
		"jit":                                 "off", // to compile a statement takes longer than any of ours
	} {
		if c.RuntimeParams[name] == "" {
			c.RuntimeParams[name] = value
		}
	}
	if c.ValidateConnect == nil {
		// A standby is no place to write to: of several hosts the primary is looked for.
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	c.OnNotice = noteWarning
	return config, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// checkVersion refuses servers that are too old to be sure of.
func checkVersion(ctx context.Context, c *pgx.Conn) error {
	major, _, _ := strings.Cut(c.PgConn().ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(strings.Fields(major + " ")[0]); err == nil && n < oldestServer {
		return fmt.Errorf("the database is PostgreSQL %s: %d or later is needed", c.PgConn().ParameterStatus("server_version"), oldestServer)
	}
	return ctx.Err()
}

var _ store.Store = (*Store)(nil)
