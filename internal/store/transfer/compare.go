package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Compared is what a table was found to be on both sides. The sums are SHA-256 over all rows
// in the order of their keys, made by the same code from what each side answers.
type Compared struct {
	Table           string
	Rows, RowsThere int64 // at the source, at the target
	Sum, SumThere   string
	Difference      string // the first, in words; empty: none
}

// Equal says whether both are the same.
func (c Compared) Equal() bool { return c.Rows == c.RowsThere && c.Sum == c.SumThere }

// compare reads all tables on both sides at the same time.
func (m *move) compare(ctx context.Context) (found []Compared, err error) {
	m.done = 0
	for _, t := range m.tables {
		c, err := m.compareTable(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		if !c.Equal() {
			if c.Difference, err = difference(ctx, t, m.from, m.to); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		found = append(found, c)
	}
	return found, nil
}

type summed struct {
	rows int64
	sum  string
	err  error
}

func (m *move) compareTable(ctx context.Context, t sqlstore.Table) (c Compared, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	there := make(chan summed, 1)
	go func() { there <- sum(t, m.to.Rows(ctx, t, nil), func(int64) error { return nil }) }()
	here := sum(t, m.from.Rows(ctx, t, nil), func(rows int64) error {
		return m.Progress(Progress{Comparing: true, Table: t.Name, Done: m.done + rows, Of: m.of})
	})
	m.done += here.rows
	if here.err != nil {
		stop()
	}
	other := <-there
	for _, s := range []summed{here, other} {
		if s.err != nil {
			return c, s.err
		}
	}
	return Compared{Table: t.Name, Rows: here.rows, RowsThere: other.rows, Sum: here.sum, SumThere: other.sum}, nil
}

// tellEvery is after how many rows it is told how far the comparison is.
const tellEvery = 5000

// sum counts rows and makes their sum. Each value goes in with its length, so that no other
// row has the same.
func sum(t sqlstore.Table, rows iter.Seq2[sqlstore.Values, error], tell func(int64) error) (s summed) {
	digest := sha256.New()
	w := bufio.NewWriterSize(digest, 64<<10)
	for row, err := range rows {
		if err == nil && s.rows%tellEvery == 0 {
			err = tell(s.rows)
		}
		if err != nil {
			return summed{err: err}
		}
		s.rows++
		for at, c := range t.Columns {
			writeValue(w, c.Kind, row[at])
		}
	}
	if err := tell(s.rows); err != nil {
		return summed{err: err}
	}
	_ = w.Flush() // a digest takes everything
	s.sum = hex.EncodeToString(digest.Sum(nil))
	return s
}

// writeValue writes a value by what its column holds. One of another kind is another value.
func writeValue(w *bufio.Writer, kind sqlstore.Kind, value any) {
	var number [8]byte
	n, integer := value.(int64)
	if integer != (kind == sqlstore.Integer) {
		_ = w.WriteByte('!')
	}
	text, isText := value.(string)
	raw, _ := value.([]byte)
	switch {
	case integer:
		binary.BigEndian.PutUint64(number[:], uint64(n))
		_, _ = w.Write(number[:])
	case isText:
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		_, _ = w.Write(number[:])
		_, _ = w.WriteString(text)
	default:
		binary.BigEndian.PutUint64(number[:], uint64(len(raw)))
		_, _ = w.Write(number[:])
		_, _ = w.Write(raw)
	}
}

// difference finds the first row that only one side has, or that is another on both.
func difference(ctx context.Context, t sqlstore.Table, from, to Source) (string, error) {
	here, stop := iter.Pull2(from.Rows(ctx, t, nil))
	defer stop()
	there, stopThere := iter.Pull2(to.Rows(ctx, t, nil))
	defer stopThere()
	for {
		a, err, more := here()
		if err != nil {
			return "", err
		}
		b, err, moreThere := there()
		if err != nil {
			return "", err
		}
		if !more && !moreThere {
			return "", nil
		}
		order := 1 // of the keys; what has ended comes last
		switch {
		case more && moreThere:
			order = compareRows(t.KeyOf(a), t.KeyOf(b))
		case more:
			order = -1
		}
		switch {
		case order < 0:
			return fmt.Sprintf("the row %s is missing", words(t.KeyOf(a))), nil
		case order > 0:
			return fmt.Sprintf("there is a row %s that the source has not", words(t.KeyOf(b))), nil
		}
		for at, c := range t.Columns {
			if compareValues(a[at], b[at]) != 0 {
				return fmt.Sprintf("the row %s has another %s", words(t.KeyOf(a)), c.Name), nil
			}
		}
	}
}

func compareRows(a, b sqlstore.Values) int { return slices.CompareFunc(a, b, compareValues) }

func compareValues(a, b any) int {
	n, integer := a.(int64)
	m, other := b.(int64)
	if integer && other {
		return cmp.Compare(n, m)
	}
	return bytes.Compare(raw(a), raw(b))
}

func raw(v any) []byte {
	switch v := v.(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	return fmt.Append(nil, v)
}

// words are a key as people read it.
func words(key sqlstore.Values) (text string) {
	for at, v := range key {
		if at > 0 {
			text += "/"
		}
		text += string(raw(v))
	}
	return text
}

// compareCounters compares where counting goes on.
func (m *move) compareCounters(ctx context.Context, want []sqlstore.Counter) error {
	has, err := m.to.Counters(ctx)
	if err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	if !slices.Equal(has, want) {
		return fmt.Errorf("%w: it would count on from %v, and the source from %v", ErrDiffers, has, want)
	}
	return nil
}
