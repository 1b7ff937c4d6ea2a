-- +goose Up
ALTER TABLE games ADD COLUMN confirm_url TEXT NOT NULL DEFAULT '';
ALTER TABLE games ADD COLUMN confirm_secrets TEXT NOT NULL DEFAULT ''; -- JSON list
ALTER TABLE sessions ADD COLUMN confirm INTEGER NOT NULL DEFAULT 0 CHECK (confirm IN (0, 1));
ALTER TABLE payments ADD COLUMN asking INTEGER NOT NULL DEFAULT 0 CHECK (asking IN (0, 1));
CREATE INDEX payments_asked ON payments (id) WHERE status = 'authorized' AND asking = 1;

ALTER TABLE endpoints ADD COLUMN failing_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN earlier INTEGER NOT NULL DEFAULT 0 CHECK (earlier BETWEEN 0 AND attempts);
ALTER TABLE deliveries ADD COLUMN again INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1)); -- wanted again while it is leased
CREATE INDEX deliveries_exhausted ON deliveries (endpoint, id) WHERE status = 'exhausted';

CREATE TABLE consumers (
	environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game        TEXT    NOT NULL,
	name        TEXT    NOT NULL,
	position    INTEGER NOT NULL,
	cursor      TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	PRIMARY KEY (environment, game, name)
) STRICT, WITHOUT ROWID;
