//go:build !unix

package postgres

import "github.com/jackc/pgx/v5"

// stirred cannot look here: a connection that broke is noticed when it is used, or, once it
// was idle for a second, by asking first.
func stirred(*pgx.Conn) bool { return false }
