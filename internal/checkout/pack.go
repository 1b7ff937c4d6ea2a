package checkout

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// piece is a part of a page.
type piece struct {
	text     []byte
	deflated []byte // nil: not compressed
}

// constant is a piece that is compressed beforehand, as well as can be.
func constant(text string) piece {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = z.Write([]byte(text))
	}
	if err == nil {
		err = z.Flush() // up to the end of a byte
	}
	if err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err)) // where nothing can fail
	}
	return piece{[]byte(text), b.Bytes()}
}

// plain joins pieces as they are.
func plain(pieces []piece) []byte {
	var all []byte
	for _, p := range pieces {
		all = append(all, p.text...)
	}
	return all
}

// gzipped joins pieces into one gzip member (RFC 1952): its deflate blocks may come from
// different writers, since each piece ends at a byte and none looks back at another.
// Not every browser reads on after a first member, so one for each piece would not do.
//
// What is not constant goes as it is: a few kilobytes in short pieces, and to make the
// codes for each would take half as long as all the rest of a page.
func gzipped(pieces []piece) []byte {
	all := make([]byte, 0, 24<<10)
	all = append(all, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255) // deflate, no name, no time, no system
	sum, size := uint32(0), uint32(0)
	for _, p := range pieces {
		sum, size = crc32.Update(sum, crc32.IEEETable, p.text), size+uint32(len(p.text))
		if p.deflated != nil {
			all = append(all, p.deflated...)
		} else {
			all = store(all, p.text)
		}
	}
	all = block(all, nil, true)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(all, sum), size)
}

// store appends text in blocks that are not compressed.
func store(to, text []byte) []byte {
	const most = 1<<16 - 1
	for ; len(text) > most; text = text[most:] {
		to = block(to, text[:most], false)
	}
	return block(to, text, false)
}

// block appends a block of deflate that is not compressed (RFC 1951, section 3.2.4).
func block(to, text []byte, last bool) []byte {
	kind := byte(0)
	if last {
		kind = 1
	}
	to = append(to, kind)
	to = binary.LittleEndian.AppendUint16(to, uint16(len(text)))
	to = binary.LittleEndian.AppendUint16(to, ^uint16(len(text)))
	return append(to, text...)
}
