package sqlstore

import (
	"encoding/json"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// columns reads a row from left to right, so that a list of columns and what reads
// it stand side by side in the same order.
type columns struct {
	row  Row
	next int
	err  error
}

func (c *columns) at() int { c.next++; return c.next - 1 }

func (c *columns) text() string { return c.row.Text(c.at()) }

func (c *columns) integer() int64 { return c.row.Int(c.at()) }

func (c *columns) flag() bool { return c.row.Int(c.at()) != 0 }

func (c *columns) bytes() []byte { return c.row.Bytes(c.at()) }

func (c *columns) time() time.Time { return readTime(c.row.Int(c.at())) }

// failure reads a code and a message; nil where both are empty.
func (c *columns) failure() *pay.Failure {
	f := pay.Failure{Code: pay.FailureCode(c.text()), Message: c.text()}
	if f == (pay.Failure{}) {
		return nil
	}
	return &f
}

// failureColumns is what failure reads.
func failureColumns(f *pay.Failure) (code, message string) {
	if f == nil {
		return "", ""
	}
	return string(f.Code), f.Message
}

// list reads a JSON list, and keeps the first error for the end of the row.
func list[T any](c *columns) []T {
	var v []T
	if text := c.text(); text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil && c.err == nil {
			c.err = err
		}
	}
	return v
}

// listText is what list reads; empty for no entries.
func listText[T any](v []T) string {
	if len(v) == 0 {
		return ""
	}
	return jsonText(v)
}

// jsonText writes a value that always can be written: strings, bytes, integers and times.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("sqlstore: " + err.Error())
	}
	return string(text)
}

// The zero time is stored as 0, so 1970-01-01T00:00:00Z itself cannot be stored.
func readTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
