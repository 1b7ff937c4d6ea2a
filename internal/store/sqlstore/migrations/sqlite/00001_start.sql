-- Times are microseconds since 1970 in UTC. Nothing is NULL: a zero or an empty
-- text stands for what is absent. Ids are texts that sort by time of creation, so
-- that the trees keyed by them grow at one end. What is read by key and has no
-- large value is WITHOUT ROWID, which saves a tree per table.

-- +goose Up
CREATE TABLE games (
	id             TEXT    NOT NULL PRIMARY KEY,
	name           TEXT    NOT NULL,
	attempts       INTEGER NOT NULL CHECK (attempts BETWEEN 1 AND 10),
	capture        TEXT    NOT NULL CHECK (capture IN ('automatic', 'manual')),
	session_ttl    INTEGER NOT NULL CHECK (session_ttl > 0),
	return_schemes TEXT    NOT NULL, -- JSON list
	return_hosts   TEXT    NOT NULL, -- JSON list
	currencies     TEXT    NOT NULL, -- JSON list
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
	id           TEXT    NOT NULL PRIMARY KEY,
	hash         BLOB    NOT NULL CHECK (length(hash) = 32),
	hint         TEXT    NOT NULL,
	environment  TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game         TEXT    NOT NULL,
	read_only    INTEGER NOT NULL CHECK (read_only IN (0, 1)),
	label        TEXT    NOT NULL,
	created_at   INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL,
	revoked_at   INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- number is the upper part of the ids of the endpoint's deliveries, so it is never used twice.
CREATE TABLE endpoints (
	number      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT CHECK (number < 8388608),
	id          TEXT    NOT NULL UNIQUE,
	environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game        TEXT    NOT NULL,
	url         TEXT    NOT NULL,
	types       TEXT    NOT NULL, -- JSON list
	description TEXT    NOT NULL,
	enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	disabled    TEXT    NOT NULL,
	secrets     TEXT    NOT NULL, -- JSON list
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
	id           TEXT    NOT NULL PRIMARY KEY,
	environment  TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game         TEXT    NOT NULL,
	user_id      TEXT    NOT NULL,
	status       TEXT    NOT NULL CHECK (status IN ('pending', 'paid', 'failed', 'cancelled', 'expired')),
	title        TEXT    NOT NULL,
	amount       INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 2147483647),
	currency     TEXT    NOT NULL,
	image        TEXT    NOT NULL,
	country      TEXT    NOT NULL,
	return_url   TEXT    NOT NULL,
	cancel_url   TEXT    NOT NULL,
	order_id     TEXT    NOT NULL,
	locale       TEXT    NOT NULL,
	metadata     TEXT    NOT NULL, -- JSON; empty: none
	attempts     INTEGER NOT NULL CHECK (attempts BETWEEN 1 AND 10),
	capture      TEXT    NOT NULL CHECK (capture IN ('automatic', 'manual')),
	payment      TEXT    NOT NULL,
	live         INTEGER NOT NULL CHECK (live IN (0, 1)),
	spent        INTEGER NOT NULL CHECK (spent BETWEEN 0 AND attempts),
	created_at   INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL CHECK (expires_at > created_at),
	paid_at      INTEGER NOT NULL CHECK (paid_at = 0 OR paid_at >= created_at),
	failed_at    INTEGER NOT NULL,
	cancelled_at INTEGER NOT NULL,
	expired_at   INTEGER NOT NULL,
	sequence     INTEGER NOT NULL,
	version      INTEGER NOT NULL CHECK (version > 0),
	CHECK (live = 0 OR status = 'pending' AND payment <> '')
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_game ON sessions (environment, game, id);
CREATE INDEX sessions_of_status ON sessions (environment, game, status, id);
CREATE INDEX sessions_of_user ON sessions (environment, game, user_id, id);
CREATE INDEX sessions_of_order ON sessions (environment, game, order_id, id) WHERE order_id <> '';
CREATE INDEX sessions_open ON sessions (expires_at) WHERE status = 'pending' AND live = 0;

CREATE TABLE payments (
	id              TEXT    NOT NULL PRIMARY KEY,
	session         TEXT    NOT NULL REFERENCES sessions (id),
	environment     TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game            TEXT    NOT NULL,
	user_id         TEXT    NOT NULL,
	status          TEXT    NOT NULL CHECK (status IN ('processing', 'authorized', 'succeeded', 'failed', 'cancelled', 'refunded')),
	amount          INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 2147483647),
	currency        TEXT    NOT NULL,
	method          TEXT    NOT NULL,
	title           TEXT    NOT NULL,
	card_brand      TEXT    NOT NULL,
	card_last4      TEXT    NOT NULL,
	reference       TEXT    NOT NULL,
	failure_code    TEXT    NOT NULL,
	failure_message TEXT    NOT NULL,
	refunded        INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND amount),
	intent          TEXT    NOT NULL CHECK (intent IN ('', 'capture', 'void')),
	created_at      INTEGER NOT NULL,
	authorized_at   INTEGER NOT NULL,
	cancelled_at    INTEGER NOT NULL,
	succeeded_at    INTEGER NOT NULL CHECK (succeeded_at = 0 OR succeeded_at >= created_at),
	failed_at       INTEGER NOT NULL,
	refunded_at     INTEGER NOT NULL,
	version         INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_of_session ON payments (session, id);
CREATE UNIQUE INDEX payments_one_live ON payments (session) WHERE status IN ('processing', 'authorized');
CREATE UNIQUE INDEX payments_one_success ON payments (session) WHERE status IN ('succeeded', 'refunded');
CREATE INDEX payments_live ON payments (status, id, created_at) WHERE status IN ('processing', 'authorized');
CREATE INDEX payments_intended ON payments (id) WHERE status = 'authorized' AND intent <> '';
CREATE INDEX payments_of_game ON payments (environment, game, id, status) WHERE status IN ('succeeded', 'refunded');
CREATE INDEX payments_of_user ON payments (environment, game, user_id, id, status) WHERE status IN ('succeeded', 'refunded');

-- position counts in the order of commits. Nothing refers to a session by a foreign
-- key from here: it would be looked up for every event, and Apply writes both.
CREATE TABLE events (
	position    INTEGER NOT NULL PRIMARY KEY CHECK (position < 1099511627776),
	id          TEXT    NOT NULL,
	type        TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	session     TEXT    NOT NULL,
	sequence    INTEGER NOT NULL,
	environment TEXT    NOT NULL,
	game        TEXT    NOT NULL,
	payment     TEXT    NOT NULL,
	payload     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_session ON events (session, sequence);

-- id is the endpoint's number * 2^40 + the event's position: an endpoint's deliveries
-- lie together in the order of their events, and the delivery of a given event to a
-- given endpoint is found without an index. due_at is 0 while it was never tried,
-- then when it is next due; under lease it is the lease's end.
CREATE TABLE deliveries (
	id       INTEGER NOT NULL PRIMARY KEY,
	endpoint INTEGER NOT NULL,
	event    INTEGER NOT NULL,
	status   TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'exhausted')),
	leased   INTEGER NOT NULL CHECK (leased IN (0, 1)),
	attempts INTEGER NOT NULL,
	since    INTEGER NOT NULL,
	due_at   INTEGER NOT NULL,
	CHECK (id = endpoint * 1099511627776 + event)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, id) WHERE status = 'pending';

CREATE TABLE attempts (
	delivery INTEGER NOT NULL,
	number   INTEGER NOT NULL CHECK (number > 0),
	at       INTEGER NOT NULL,
	duration INTEGER NOT NULL, -- microseconds
	status   INTEGER NOT NULL,
	error    TEXT    NOT NULL,
	answer   BLOB    NOT NULL,
	PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
	environment TEXT    NOT NULL,
	game        TEXT    NOT NULL,
	method      TEXT    NOT NULL,
	key         TEXT    NOT NULL,
	fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
	result      TEXT    NOT NULL,
	expires_at  INTEGER NOT NULL,
	PRIMARY KEY (environment, game, method, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_expiry ON answers (expires_at);

CREATE TABLE images (
	name TEXT NOT NULL PRIMARY KEY,
	type TEXT NOT NULL,
	data BLOB NOT NULL
) STRICT;

-- How many rows each list has, in all and from one mark to the next: see tally.go.
CREATE TABLE totals (
	environment TEXT    NOT NULL,
	game        TEXT    NOT NULL,
	list        TEXT    NOT NULL,
	total       INTEGER NOT NULL CHECK (total >= 0),
	PRIMARY KEY (environment, game, list)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
	environment TEXT    NOT NULL,
	game        TEXT    NOT NULL,
	list        TEXT    NOT NULL,
	start       TEXT    NOT NULL,
	rows        INTEGER NOT NULL CHECK (rows >= 0),
	PRIMARY KEY (environment, game, list, start)
) STRICT, WITHOUT ROWID;

-- One row that Check rewrites, to see whether the store can still write.
CREATE TABLE pulse (
	id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	beat INTEGER NOT NULL
) STRICT;
INSERT INTO pulse (id, beat) VALUES (1, 0);
