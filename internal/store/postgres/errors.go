package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coinslot/coinslot/internal/store"
)

// The codes of errors that mean something to us.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	divisionByZero       = "22012" // how the database says that an assumption was wrong
	readOnly             = "25006" // it is a standby
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	completionUnknown    = "40003" // distributed engines say so of a COMMIT
	resolutionUnknown    = "08007"
)

// codeOf is the code with which the database refused a statement; empty where it is not
// the database that says so.
func codeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// again says whether the same transaction may well pass when it is run once more.
func again(code string) bool { return code == serializationFailure || code == deadlockDetected }

// unknown says whether an error leaves it open what became of a statement, as it is when no
// answer came.
func unknown(code string) bool {
	return code == "" || code == completionUnknown || code == resolutionUnknown
}

// outOfReach says whether an error is about the database rather than about the statement:
// it cannot be reached, is starting, stopping, full, overloaded or a standby.
func outOfReach(err error) bool {
	code := codeOf(err)
	if unknown(code) {
		return true
	}
	switch code {
	case readOnly, lockNotAvailable:
		return true
	}
	switch code[:2] {
	case "08", "53", "57", "58", "XX":
		return true
	}
	return again(code) // it was tried again often enough
}

// failure says what an error of the database is to a caller.
func failure(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%s: %w", what, err)
	case outOfReach(err):
		return fmt.Errorf("%s: %w: %w", what, store.ErrUnavailable, secretless{err})
	}
	return fmt.Errorf("%s: %w", what, secretless{err})
}

// secretless is an error as it may be logged: the driver's own text of a failed connection
// names the user and the database, which is of use, and in some versions the password.
type secretless struct{ error }

func (e secretless) Error() string {
	text := e.error.Error()
	if at := strings.Index(text, "://"); at >= 0 {
		return text[:at] + "://…"
	}
	return text
}

func (e secretless) Unwrap() error { return e.error }

// A commit that waits for a synchronous standby until it may wait no longer is told as a
// success, with a warning that it may be lost with this server. The words of the warning
// are in the server's language, its severity is not.
const warning = "WARNING"

// noteWarning keeps that the server warned of something.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == warning {
		c.CustomData()[warning] = true
	}
}

// warned says whether it has, since it was asked last.
func warned(c *pgx.Conn) bool {
	_, did := c.PgConn().CustomData()[warning]
	delete(c.PgConn().CustomData(), warning)
	return did
}

// unwanted is ctx's error where that is why a connection was not had.
func unwanted(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return failure("connect to the database", err)
}
