package config

import "path/filepath"

// Care is what the commands are told that look after what is kept, whether or not a server
// runs on it.
type Care struct {
	Admin
	named Serve // its Database; empty: in the data directory
}

// CareFlags declares the flags of such a command.
func CareFlags(f *Flags) *Care {
	c := &Care{Admin: Admin{Data: DefaultData}}
	c.dataFlags(f)
	c.serverFlag(f)
	return c
}

// DoctorFlags declares those of a command that can look into every database.
func DoctorFlags(f *Flags) *Care {
	c := &Care{Admin: Admin{Data: DefaultData}}
	c.databaseFlags(f, "FILE|URL", "its SQLite database, by default coinslot.db in the data directory, or postgres://user@host/name")
	c.serverFlag(f)
	return c
}

// StoppedFlags declares those of a command that is only for what no server runs on.
func StoppedFlags(f *Flags) *Care {
	c := &Care{Admin: Admin{Data: DefaultData}}
	c.dataFlags(f)
	return c
}

// dataFlags declares the flags that say where all is kept.
func (c *Care) dataFlags(f *Flags) {
	c.databaseFlags(f, "FILE", "its SQLite database, by default coinslot.db in the data directory")
}

func (c *Care) databaseFlags(f *Flags, value, usage string) {
	f.Setting("data", "DIR", "the server's data directory", checked(&c.Data, notEmpty))
	f.Setting("database", value, usage, Reader{Read: c.named.readDatabase, Secret: true})
}

func (c *Care) serverFlag(f *Flags) {
	f.settingFrom("COINSLOT_URL", "server", "URL", "the server's URL, where it runs elsewhere; its token must be in COINSLOT_ADMIN_TOKEN", Reader{Read: baseURL(&c.URL)})
}

// Postgres says whether the database is PostgreSQL.
func (c *Care) Postgres() bool { return c.named.Postgres() }

// Database is the database's file.
func (c *Care) Database() string {
	if c.named.Database != "" {
		return c.named.Database
	}
	return filepath.Join(c.Data, "coinslot.db")
}
