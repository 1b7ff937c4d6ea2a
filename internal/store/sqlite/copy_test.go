package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// shop sells and charges as fast as the store allows, each sale in three transactions.
type shop struct {
	*testing.T
	store store.Store
	made  atomic.Int64
}

func (s *shop) sell(ctx context.Context) (pay.SessionID, error) {
	n := s.made.Add(1)
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	entropy := pay.Entropy{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	c, err := pay.NewSession(pay.NewSessionID(now, entropy), pay.Sandbox, pay.Game{ID: "chess", Attempts: 3}.WithDefaults(), pay.Order{
		Game: "chess", User: "ann", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}, ReturnURL: "chess://done",
	}, now)
	if err != nil {
		return "", err
	}
	id := c.Session.ID
	err = s.write(ctx, id, func(pay.Session, store.Reader) (pay.Change, error) { return c, nil })
	if err == nil {
		err = s.write(ctx, id, func(on pay.Session, _ store.Reader) (pay.Change, error) {
			return on.StartPayment(pay.NewPaymentID(now, entropy), pay.MethodCard, pay.CardHint{}, now)
		})
	}
	if err == nil {
		err = s.write(ctx, id, func(on pay.Session, r store.Reader) (pay.Change, error) {
			p, err := r.Payment(on.Payment)
			return on.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, now), err
		})
	}
	return id, err
}

func (s *shop) write(ctx context.Context, id pay.SessionID, decide func(pay.Session, store.Reader) (pay.Change, error)) error {
	return s.store.Update(ctx, id, func(tx store.Tx) error {
		on, err := tx.Session(id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		c, err := decide(on, tx)
		if err != nil {
			return err
		}
		row := *c.Session // Apply raises the version, and this may run again
		c.Session = &row
		return tx.Apply(c)
	})
}

// copyTo takes a copy into a file.
func copyTo(t *testing.T, from store.Copier, path string, during func()) {
	t.Helper()
	var file bytes.Buffer
	err := from.Copy(t.Context(), func(piece []byte, whole int64) error {
		if file.Write(piece); int64(file.Len()) > whole {
			return fmt.Errorf("%d bytes of %d", file.Len(), whole)
		}
		during()
		return nil
	})
	if err == nil {
		err = os.WriteFile(path, file.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sellers is how many sell at the same time. Each can have begun one sale before a copy
// that it is told of during it.
const sellers = 4

func TestACopyUnderConcurrentWritesIsOneSnapshot(t *testing.T) {
	t.Parallel()
	live := open(t, sqlite.Options{})
	s := &shop{T: t, store: live}
	var before []pay.SessionID
	for range 300 {
		id, err := s.sell(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, id)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	defer writers.Wait()
	defer stop()
	sold := make(chan pay.SessionID)
	for range sellers {
		writers.Go(func() {
			for ctx.Err() == nil {
				id, err := s.sell(ctx)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
					stop()
					return
				}
				select {
				case sold <- id:
				default:
				}
			}
		})
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	for range 3 {
		pieces := 0
		copyTo(t, live.(store.Copier), path, func() {
			pieces++
			for range 10 { // others write between any two pieces
				select {
				case id := <-sold:
					before = append(before, id)
				case <-ctx.Done():
				}
			}
		})
		if pieces < 2 {
			t.Fatalf("the copy came in %d pieces: nothing could be written between them", pieces)
		}
		during := before[len(before)-10*(pieces-1):]
		before = before[:len(before)-10*pieces]
		examine(t, path, before, during)
		before = append(before, during...)
	}
}

// examine wants a copy to be sound and every session in it to be as its events tell: those
// of before it are there, and those that were begun and sold while it was taken are not.
func examine(t *testing.T, path string, wanted, later []pay.SessionID) {
	t.Helper()
	b, err := sqlite.OpenBackup(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	facts, err := b.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = b.View(func(r store.Reader) error {
		for _, id := range wanted {
			if _, err := r.Session(id); err != nil {
				return fmt.Errorf("session %s of before the copy: %w", id, err)
			}
		}
		early := 0
		for _, id := range later {
			if _, err := r.Session(id); err == nil {
				early++
			}
		}
		if early > sellers {
			t.Errorf("%d of %d sessions that were sold while the copy was taken are in it", early, len(later))
		}
		total := int64(0)
		for after := pay.SessionID(""); ; {
			page, err := r.SessionsAfter(after, 100)
			if err != nil || len(page) == 0 {
				if total != facts.Sessions {
					t.Errorf("%d sessions were looked at of %d", total, facts.Sessions)
				}
				return err
			}
			for _, s := range page {
				total++
				records := pay.Records{Session: s}
				if records.Payments, err = r.SessionPayments(s.ID); err != nil {
					return err
				}
				if records.Events, err = r.SessionEvents(s.ID); err != nil {
					return err
				}
				if err := records.Check(); err != nil {
					t.Errorf("session %s: %v", s.ID, err)
				}
				after = s.ID
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if beside, _ := filepath.Glob(path + "-*"); len(beside) > 0 {
		t.Errorf("looking at the copy left %v beside it", beside)
	}
}

func TestACopyEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	live := open(t, sqlite.Options{})
	s := &shop{T: t, store: live}
	for range 300 {
		if _, err := s.sell(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := live.(store.Copier).Copy(ctx, func([]byte, int64) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone is told %v", err)
	}
	mine := errors.New("the disk is full")
	if err := live.(store.Copier).Copy(t.Context(), func([]byte, int64) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("got %v, want the error of take", err)
	}
	if _, err := s.sell(t.Context()); err != nil {
		t.Errorf("after copies that were broken off: %v", err)
	}
}

func TestALedgerIsCopiedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, err := sqlite.OpenLedger(filepath.Join(dir, "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	for i := range 200 {
		if err := ledger.Save(t.Context(), fmt.Sprint(i), bytes.Repeat([]byte{1}, 5000)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "copy.db")
	copyTo(t, ledger, path, func() {
		if err := ledger.Save(t.Context(), "during", nil); err != nil {
			t.Error(err)
		}
	})
	b, err := sqlite.OpenBackup(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if n, err := b.VerifyLedger(t.Context()); err != nil || n < 200 || n > 201 {
		t.Errorf("the copy has %d entries, %v", n, err)
	}
}

func TestWhatIsNoSoundBackupIsRefused(t *testing.T) {
	t.Parallel()
	live := open(t, sqlite.Options{})
	s := &shop{T: t, store: live}
	for range 300 {
		if _, err := s.sell(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	copyTo(t, live.(store.Copier), path, func() {})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, want string
		bytes      []byte
	}{
		{"nothing", "no database of Coinslot's", nil},
		{"something else", "cannot be read", []byte(strings.Repeat("hello, world\n", 1000))},
		{"cut off", "", whole[:len(whole)/2]},
		{"a page of zeroes", "", append(append(bytes.Clone(whole[:len(whole)/2&^4095]), make([]byte, 4096)...), whole[len(whole)/2&^4095+4096:]...)},
		{"one byte in the middle of the first page", "", flipped(whole, 100+8)},
	} {
		if err := os.WriteFile(path, test.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := sqlite.OpenBackup(path)
		if err == nil {
			_, err = b.Verify(t.Context())
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.what, err, test.want)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-wal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.OpenBackup(path); err == nil || !strings.Contains(err.Error(), "has a log beside it") {
		t.Errorf("with a log beside it: %v", err)
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0xff
	return b
}
