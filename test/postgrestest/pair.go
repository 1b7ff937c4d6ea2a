package postgrestest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a server and its standby, which take each other's place: each is told where
// the other one is, and what tells the standby is a file in its data.
type Pair struct {
	Primary, Standby *Server
	synchronous      bool
}

// StartPair starts a server and a standby of it. A synchronous one has whatever is
// acknowledged; while there is none, nothing is. One that is not has it a moment later.
func StartPair(t testing.TB, synchronous bool) *Pair {
	t.Helper()
	p := &Pair{synchronous: synchronous}
	for _, s := range []**Server{&p.Primary, &p.Standby} {
		var err error
		if *s, err = place(Programs(t), thenNothing); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			(*s).Kill()
			_ = os.RemoveAll((*s).dir)
		})
	}
	p.Primary.settings, p.Standby.settings = p.settings(p.Standby), p.settings(p.Primary)
	err := errors.Join(p.Primary.initialize(), p.Primary.Restart())
	if err == nil {
		err = p.Follow()
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// settings are those of a server beside another one.
func (p *Pair) settings(other *Server) []string {
	all := []string{
		"primary_conninfo=host=" + other.dir + " user=" + role + " application_name=standby",
		"wal_retrieve_retry_interval=100ms", "wal_keep_size=512MB",
	}
	if p.synchronous {
		all = append(all, "synchronous_standby_names=standby")
	}
	return all
}

// URL names both, and whoever goes by it finds the one that takes writes.
func (p *Pair) URL() string { return p.Primary.URL() + "," + p.Standby.dir }

// Promote has the standby take the place of the primary, which must have ended and does
// not come back.
func (p *Pair) Promote() error {
	if err := p.Standby.exec("postgres", "SELECT pg_promote()"); err != nil {
		return err
	}
	p.Primary, p.Standby = p.Standby, p.Primary
	return nil
}

// Follow makes a standby of what the primary has, in place of whatever was there.
func (p *Pair) Follow() error {
	if err := os.RemoveAll(p.Standby.data()); err != nil {
		return err
	}
	if err := p.Standby.run("pg_basebackup", "-h", p.Primary.dir, "-U", role, "-D", p.Standby.data(), "-c", "fast", "--no-sync", "-R"); err != nil {
		return err
	}
	if err := p.Standby.Restart(); err != nil {
		return err
	}
	return p.Await()
}

// streaming is how many standbys have all that was written until now, and go on to get it.
const streaming = `SELECT COUNT(*) FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'
	AND flush_lsn >= $1::text::pg_lsn AND (sync_state = 'sync') = $2`

// Await waits until the standby has what the primary has.
func (p *Pair) Await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, p.Primary.URL())
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	var written string
	if err := c.QueryRow(ctx, "SELECT pg_current_wal_lsn()::text").Scan(&written); err != nil {
		return err
	}
	for {
		var standbys int
		if err := c.QueryRow(ctx, streaming, written, p.synchronous).Scan(&standbys); err != nil || standbys > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("the standby does not come up with the primary")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
