package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Sessions that are made at the same time are written in one transaction, by one statement
// for each table. A closure that makes a session asks the database nothing, so that it
// comes to its commit with all its statements and without a connection: a draft. Whoever
// finds that not enough others are writing takes up all drafts that wait, writes them, and
// answers all; then the first of those who came meanwhile does the same. There is no timer,
// and a single caller waits for nobody.
//
// The sessions of a group share nothing but the transaction. Where one of them is refused
// nothing of the group is kept, and each half is written by itself, down to the one that is
// refused, which is run again in a transaction of its own.

const (
	// mostWriting is how many groups are written at the same time. A connection is one
	// processor's work in the database; and the fewer there are, the more share each.
	mostWriting = 2

	// mostTogether is how many sessions a group has at most.
	mostTogether = 128
)

// draft is what a closure wants to be written, without an answer to anything.
type draft struct {
	queue []queued
	woken chan struct{} // closed when it was written, or leads
	leads bool          // it is to write the next group
	lost  bool
	err   error
}

// errBrokenOff is told of drafts whose writer came to no end.
var errBrokenOff = errors.New("the writer of its group broke off")

// drafts are those that wait, and how many of their callers are writing.
type drafts struct {
	mu      sync.Mutex
	waiting []*draft
	writing int
}

// alike says whether a transaction is a draft that others can be written with.
func (r *run) alike() bool {
	if r.begun || !r.made {
		return false
	}
	return !slices.ContainsFunc(r.queue, func(q queued) bool {
		many, _ := sqlstore.Wide(q.of)
		return q.of != nil && many == nil && !q.of.Checks()
	})
}

// writeTogether writes and commits what makes a session, in one transaction with others.
// It answers as run.commit does.
func (s *Store) writeTogether(queue []queued) (lost bool, err error) {
	// What had to be seen first is seen by the statement that comes first: that there is no
	// answer yet.
	queue = slices.DeleteFunc(queue, func(q queued) bool { return q.of == nil })
	slices.SortStableFunc(queue, byPlace)
	d := &draft{queue: queue, woken: make(chan struct{}), lost: true, err: errBrokenOff}
	if !s.drafts.lead(d) {
		<-d.woken
	}
	if d.leads {
		s.writeNext(d)
	}
	return d.lost, d.err
}

// writeNext writes the next group, of which first is one, and wakes the others, even where
// it panics.
func (s *Store) writeNext(first *draft) {
	defer s.drafts.pass()
	l := &line{pool: s.pool, ctx: context.Background()} // others want it too
	defer l.release()
	most := mostTogether
	_, err := l.take() // while it waits for a connection, others come
	if err != nil {
		most = math.MaxInt // they would wait as long for the same
	}
	group := s.drafts.takeUp(first, most)
	defer func() {
		for _, other := range group[1:] {
			close(other.woken)
		}
	}()
	if err != nil {
		answer(group, false, err)
		return
	}
	s.writeGroup(l, slices.Clone(group))
}

// lead says whether a draft is to write at once. Else it waits.
func (g *drafts) lead(d *draft) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writing < mostWriting {
		g.writing++
		d.leads = true
		return true
	}
	g.waiting = append(g.waiting, d)
	return false
}

// takeUp hands out the first and those that wait, as far as one group can hold them.
func (g *drafts) takeUp(first *draft, most int) []*draft {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), most-1)
	group := append([]*draft{first}, g.waiting[:n]...)
	g.waiting = slices.Delete(g.waiting, 0, n)
	return group
}

// pass has the first of those that wait write the next group.
func (g *drafts) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.writing--
		return
	}
	next := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	next.leads = true
	close(next.woken)
}

func answer(group []*draft, lost bool, err error) {
	for _, d := range group {
		d.lost, d.err = lost, err
	}
}

// writeGroup writes drafts in one transaction, or where one of them is refused in several.
func (s *Store) writeGroup(l *line, group []*draft) {
	lost, err := s.commitGroup(l, group)
	for tries := 1; again(codeOf(err)) && tries < mostTries; tries++ {
		hesitate(tries)
		lost, err = s.commitGroup(l, group)
	}
	if errors.Is(err, errAssumed) && len(group) > 1 {
		for half := range slices.Chunk(group, (len(group)+1)/2) {
			s.writeGroup(l, half)
		}
		return
	}
	switch code := codeOf(err); {
	case again(code), code == lockNotAvailable, code == queryCanceled:
		err = errAssumed // it may be one of them that meets others, or has to wait
	}
	answer(group, lost, err)
}

// commitGroup tries once. Where the connection turns out to be of no use, and nothing can
// have come of it, it tries on others.
func (s *Store) commitGroup(l *line, group []*draft) (lost bool, err error) {
	for range mostTries {
		r := &run{line: l, store: s, opening: begin, queue: together(group)}
		if lost, err = r.commit(); err == nil {
			return false, nil
		}
		r.rollBack()
		if !r.gone {
			break
		}
		l.release()
	}
	return lost, err
}

// together is what writes the drafts of a group.
func together(group []*draft) []queued {
	if len(group) == 1 {
		return group[0].queue
	}
	var all []queued
	for _, d := range group {
		for _, q := range d.queue {
			all = widen(all, q)
		}
	}
	slices.SortStableFunc(all, byPlace)
	return all
}

// widen adds a statement to those that are run together.
func widen(all []queued, q queued) []queued {
	at := slices.IndexFunc(all, func(o queued) bool { return o.of == q.of })
	many, _ := sqlstore.Wide(q.of)
	switch {
	case many == nil && at >= 0 && slices.Equal(all[at].args, q.args):
		return all // once for all
	case many == nil:
		return append(all, q)
	case at < 0:
		sql := many.SQL
		if q.sql != q.of.SQL {
			sql = guardedWide(many)
		}
		all = append(all, queued{sql, make([]any, len(q.args)), q.of})
		at = len(all) - 1
	}
	for n, value := range q.args {
		all[at].args[n] = listed(all[at].args[n], value)
	}
	return all
}

// guardedWide is a wide statement that divides by zero unless it changes a row for each that it is given.
func guardedWide(s *sqlstore.Statement) string {
	return "WITH changed AS (" + s.SQL + " RETURNING 1) SELECT 1 / CAST(COUNT(*) = array_length($1, 1) AS INT) FROM changed"
}

// listed is a list, which may not be there yet, with a value or the values of another list at its end.
func listed(list, value any) any {
	switch v := value.(type) {
	case string:
		l, _ := list.([]string)
		return append(l, v)
	case int64:
		l, _ := list.([]int64)
		return append(l, v)
	case []byte:
		l, _ := list.([][]byte)
		return append(l, v)
	case []string:
		l, _ := list.([]string)
		return append(l, v...)
	case []int64:
		l, _ := list.([]int64)
		return append(l, v...)
	}
	panic("postgres: a statement has an argument of another kind")
}

// byPlace orders statements as they are to be run.
func byPlace(a, b queued) int {
	_, first := sqlstore.Wide(a.of)
	_, second := sqlstore.Wide(b.of)
	return cmp.Compare(first, second)
}
