-- +goose Up
ALTER TABLE payments ADD COLUMN action_url TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (action_url = '' OR status = 'processing');
ALTER TABLE payments ADD COLUMN late TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (late IN ('', 'owed', 'returned', 'kept') AND (late = '' OR status IN ('failed', 'cancelled')));
ALTER TABLE payments ADD COLUMN late_at BIGINT NOT NULL DEFAULT 0 CHECK ((late = '') = (late_at = 0));
CREATE INDEX payments_owed ON payments (id) WHERE late = 'owed';
CREATE INDEX payments_late ON payments (id) WHERE late <> '';
