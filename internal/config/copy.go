package config

import (
	"errors"
	"net/url"
	"strings"
)

// Copy is from where all is copied, and to where.
type Copy struct {
	From      string // a data directory or a SQLite file; empty: Data
	Data      string // empty: none was named
	To        string // the URL of a PostgreSQL database
	MasterKey string // the text of a key file; empty: the one in the data directory
}

const needsURL = "must be the URL of a PostgreSQL database such as postgres://user@host:5432/name, or postgres, with the URL in COINSLOT_DATABASE"

// CopyFlags declares the flags of a copy from one engine to another. Finish must be called
// after they are parsed.
func CopyFlags(f *Flags) *Copy {
	c := &Copy{}
	f.Flag("from", "sqlite[:DIR|FILE]", "the data directory to copy from, or the database's file in it; sqlite alone is --data", Reader{Read: c.readFrom, Default: "sqlite"})
	f.Flag("to", "postgres[://URL]", "the empty database to copy to, such as postgres://user@host/name; postgres alone is the URL in COINSLOT_DATABASE", Reader{Read: c.readTo, Default: "postgres", Secret: true})
	f.Setting("data", "DIR", "the data directory, where --from does not name it; or that of secret.key and sandbox.db, where --from is a file elsewhere", Reader{Read: checked(&c.Data, notEmpty).Read, Default: DefaultData})
	return c
}

func (c *Copy) readFrom(text string) error {
	path, _ := strings.CutPrefix(text, "sqlite:")
	if text == "sqlite" {
		path = ""
	} else if path == "" || strings.Contains(path, "://") {
		return errors.New("must be sqlite, or sqlite: and a data directory or the database's file in it")
	}
	c.From = path
	return nil
}

func (c *Copy) readTo(text string) error {
	if text == "postgres" {
		c.To = ""
		return nil
	}
	scheme, _, found := strings.Cut(text, "://")
	if _, err := url.Parse(text); err != nil || !found || scheme != "postgres" && scheme != "postgresql" {
		return errors.New(needsURL)
	}
	c.To = text
	return nil
}

// Finish takes from the environment what no flag said.
func (c *Copy) Finish(env Environment) error {
	c.MasterKey, _ = env("COINSLOT_MASTER_KEY")
	if c.To != "" {
		return nil
	}
	text, _ := env("COINSLOT_DATABASE")
	if text == "" {
		return Misused("--to %s", needsURL)
	}
	if err := c.readTo(text); err != nil || c.To == "" {
		return Misused("COINSLOT_DATABASE %s", needsURL)
	}
	return nil
}
