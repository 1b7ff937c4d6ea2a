package rpc

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
)

// Places writes places in the feed as cursors, and reads them. A place counts the events
// of all games and environments, so a cursor is encrypted: nobody is to learn from his own
// how much others sell. The same place with the same filters is the same cursor.
type Places struct{ block cipher.Block }

// NewPlaces makes Places whose cursors only the holder of the key can read.
func NewPlaces(key [32]byte) Places {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("rpc: " + err.Error()) // a key of this size always serves
	}
	return Places{block}
}

// A cursor is one block: the mark of the filters, two zeros by which it is known, the place.
const (
	placeKnown = cursorMark
	placeAt    = aes.BlockSize - 8
)

// cursor points to a place in the feed with these filters.
func (p Places) cursor(at int64, filters []string) string {
	var block [aes.BlockSize]byte
	copy(block[:placeKnown], filterMark(filters))
	binary.BigEndian.PutUint64(block[placeAt:], uint64(at))
	p.block.Encrypt(block[:], block[:])
	return base64.RawURLEncoding.EncodeToString(block[:])
}

// at is where a cursor points to in the feed with these filters.
func (p Places) at(cursor string, filters []string) (int64, bool) {
	block, ok := p.open(cursor)
	return place(block), ok && bytes.Equal(block[:placeKnown], filterMark(filters))
}

// whatever is where a cursor points to, whatever its filters.
func (p Places) whatever(cursor string) (int64, bool) {
	block, ok := p.open(cursor)
	return place(block), ok
}

func place(block [aes.BlockSize]byte) int64 { return int64(binary.BigEndian.Uint64(block[placeAt:])) }

func (p Places) open(cursor string) (block [aes.BlockSize]byte, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) != aes.BlockSize {
		return block, false
	}
	p.block.Decrypt(block[:], raw)
	return block, block[placeKnown] == 0 && block[placeKnown+1] == 0 && block[placeAt] == 0
}
