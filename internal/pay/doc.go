// Package pay is the domain of Coinslot: sessions, payments, money and events,
// their states, and the decisions that move them from one state to the next.
//
// Everything here is pure. A decision is a function of the state, the command and
// the time; it returns a Change or an *Error and touches nothing. Ids and time are
// arguments. The package imports only the standard library and does no I/O.
package pay

import "time"

// Precision is the resolution of every time that Coinslot keeps: a microsecond,
// as fine as PostgreSQL stores and as an int64 holds for 292,000 years.
const Precision = time.Microsecond

// Clock truncates a time to Precision in UTC, so that a time reads the same
// before and after it was stored.
func Clock(t time.Time) time.Time { return t.UTC().Truncate(Precision) }
