package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// row is one row as it came: integers and truths in the protocol's binary form, texts and
// bytes as they are.
type row struct {
	values [][]byte
	fields []pgconn.FieldDescription
}

const (
	asText   = 0 // the protocol's number for values in text form
	oidBytea = 17
)

// Text is sqlstore.Row's.
func (r row) Text(column int) string { return string(r.values[column]) }

// Int is sqlstore.Row's. A truth is 1 or 0.
func (r row) Int(column int) int64 {
	v := r.values[column]
	if r.fields[column].Format == asText {
		n, _ := strconv.ParseInt(string(v), 10, 64)
		return n
	}
	switch len(v) {
	case 8:
		return int64(binary.BigEndian.Uint64(v))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v)))
	case 1:
		return int64(v[0])
	}
	return 0
}

// Bytes is sqlstore.Row's. None are nil, as with SQLite.
func (r row) Bytes(column int) []byte {
	v := r.values[column]
	if len(v) == 0 {
		return nil
	}
	if r.fields[column].Format == asText && r.fields[column].DataTypeOID == oidBytea {
		decoded, _ := hex.DecodeString(string(bytes.TrimPrefix(v, []byte(`\x`))))
		return decoded
	}
	return bytes.Clone(v)
}
