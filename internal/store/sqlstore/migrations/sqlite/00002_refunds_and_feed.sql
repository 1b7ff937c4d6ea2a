-- +goose Up
CREATE TABLE refunds (
	id              TEXT    NOT NULL PRIMARY KEY,
	payment         TEXT    NOT NULL REFERENCES payments (id),
	session         TEXT    NOT NULL,
	environment     TEXT    NOT NULL CHECK (environment IN ('sandbox', 'production')),
	game            TEXT    NOT NULL,
	user_id         TEXT    NOT NULL,
	status          TEXT    NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'cancelled')),
	amount          INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 2147483647),
	currency        TEXT    NOT NULL,
	reason          TEXT    NOT NULL,
	reference       TEXT    NOT NULL,
	failure_code    TEXT    NOT NULL,
	failure_message TEXT    NOT NULL,
	created_at      INTEGER NOT NULL,
	succeeded_at    INTEGER NOT NULL CHECK (succeeded_at = 0 OR succeeded_at >= created_at),
	failed_at       INTEGER NOT NULL,
	cancelled_at    INTEGER NOT NULL,
	version         INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_of_all ON refunds (environment, id);
CREATE INDEX refunds_of_all_status ON refunds (environment, status, id);
CREATE INDEX refunds_of_game ON refunds (environment, game, id);
CREATE INDEX refunds_of_game_status ON refunds (environment, game, status, id);
CREATE INDEX refunds_of_payment ON refunds (payment, id);
CREATE INDEX refunds_pending ON refunds (id) WHERE status = 'pending';

-- Whoever writes a refund, in whatever way: the payment's sums follow, and more than was
-- paid is refused. Only a payment that took money can have one. Each trigger sees to its
-- own part, since an INSERT OR IGNORE would have the checks of columns passed over in silence.
ALTER TABLE payments ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0
	CHECK (reserved BETWEEN refunded AND amount AND (reserved = 0 OR status IN ('succeeded', 'refunded')));

-- A refund that is there already is never written over, not by an INSERT OR REPLACE either.
-- +goose StatementBegin
CREATE TRIGGER refunds_once BEFORE INSERT ON refunds BEGIN
	SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM refunds WHERE id = NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER refunds_added AFTER INSERT ON refunds BEGIN
	SELECT RAISE(ABORT, 'only what was paid can be refunded, and only once')
	WHERE NOT EXISTS (SELECT 1 FROM payments WHERE id = NEW.payment AND status IN ('succeeded', 'refunded')
		AND currency = NEW.currency AND session = NEW.session
		AND reserved + iif(NEW.status IN ('pending', 'succeeded'), NEW.amount, 0) <= amount);
	UPDATE payments SET
		reserved = reserved + iif(NEW.status IN ('pending', 'succeeded'), NEW.amount, 0),
		refunded = refunded + iif(NEW.status = 'succeeded', NEW.amount, 0)
	WHERE id = NEW.payment;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER refunds_moved AFTER UPDATE ON refunds BEGIN
	SELECT RAISE(ABORT, 'a refund that has ended, and what it is of, stay as they are')
	WHERE OLD.status <> 'pending' OR NEW.id <> OLD.id OR NEW.payment <> OLD.payment OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency;
	UPDATE payments SET
		reserved = reserved - iif(NEW.status IN ('failed', 'cancelled'), NEW.amount, 0),
		refunded = refunded + iif(NEW.status = 'succeeded', NEW.amount, 0)
	WHERE id = NEW.payment;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER refunds_stay BEFORE DELETE ON refunds BEGIN
	SELECT RAISE(ABORT, 'refunds are kept for ever');
END;
-- +goose StatementEnd

-- The sums are those of the refunds, whoever writes them, and what was paid stays as it
-- is. No other update of a payment names these columns, so no other pays for this.
-- +goose StatementBegin
CREATE TRIGGER payments_sums AFTER UPDATE OF amount, currency, refunded, reserved ON payments BEGIN
	SELECT RAISE(ABORT, 'what was paid stays as it is, and the sums of its refunds are theirs')
	WHERE NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency
		OR (NEW.reserved, NEW.refunded) <> (
			SELECT COALESCE(SUM(iif(status IN ('pending', 'succeeded'), amount, 0)), 0), COALESCE(SUM(iif(status = 'succeeded', amount, 0)), 0)
			FROM refunds WHERE payment = NEW.id);
END;
-- +goose StatementEnd

-- The feed: by id, and in order for each game. Both grow at one end.
ALTER TABLE events ADD COLUMN refund TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX events_by_id ON events (id);
CREATE INDEX events_of_game ON events (environment, game, position);
