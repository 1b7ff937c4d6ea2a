// Package torture kills a server again and again while it is used, and then asks
// whether everything it had promised is true.
//
// A run has these parts:
//
//   - the real binary, in a process of its own on one data directory, or in several on one
//     PostgreSQL, which then has a standby;
//   - a crowd of game servers and players that call it, and write each call and
//     what they heard down in one history;
//   - a receiver of webhooks that writes down all it gets;
//   - the nemesis, which ends the server without warning, or stops it, or its database;
//   - the truth, read once the dust has settled: from the API, from the database,
//     and from the books of the sandbox's payment provider: a file of their own, or on
//     PostgreSQL a table;
//   - the checkers, pure functions of all that, one for each promise.
//
// A history holds three kinds of outcome. Acknowledged: the caller was told that it
// is done, so it must be there for ever. Refused: the caller was told that it is
// not. Unknown: the caller was told nothing, so it may have been done or not; but
// never twice, and never half.
//
// The seed fixes what the crowd asks for and when the nemesis strikes, but not how the
// machine schedules it: a failure comes back with its seed often, not always.
package torture
