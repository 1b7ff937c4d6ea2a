package checkout

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
)

// piece is a part of a page. The style and the script are most of every page and never
// change, so they are compressed once; what stands between them is compressed each time.
type piece struct {
	text     []byte
	deflated []byte // nil: not yet
}

// constant is a piece that is compressed beforehand, as well as can be.
func constant(text string) piece {
	var b bytes.Buffer
	z := newDeflater(&b, flate.BestCompression)
	deflate(z, []byte(text))
	return piece{[]byte(text), b.Bytes()}
}

// plain joins pieces as they are.
func plain(pieces []piece) []byte {
	var b bytes.Buffer
	for _, p := range pieces {
		b.Write(p.text)
	}
	return b.Bytes()
}

// deflaters are kept for reuse: a new one takes more memory than any page. The quickest
// level, since what is left to it is small, and the better ones clear half a megabyte first.
var deflaters = sync.Pool{New: func() any { return newDeflater(nil, flate.BestSpeed) }}

// short is the length below which to compress a piece takes longer than to send it.
const short = 400

// gzipped joins pieces into one gzip member (RFC 1952): its deflate blocks may come from
// different writers, since each piece ends at a byte and none looks back at another.
// Not every browser reads on after a first member, so one for each piece would not do.
func gzipped(pieces []piece) []byte {
	var b bytes.Buffer
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}) // deflate, no name, no time, no system
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	sum, size := uint32(0), uint32(0)
	for _, p := range pieces {
		sum, size = crc32.Update(sum, crc32.IEEETable, p.text), size+uint32(len(p.text))
		switch {
		case p.deflated != nil:
			b.Write(p.deflated)
		case len(p.text) < short:
			b.Write(stored(p.text, false))
		default:
			z.Reset(&b)
			deflate(z, p.text)
		}
	}
	b.Write(stored(nil, true))
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b.Bytes(), sum), size)
}

// stored is a block of deflate that is not compressed (RFC 1951, section 3.2.4).
func stored(text []byte, last bool) []byte {
	head := []byte{0}
	if last {
		head[0] = 1
	}
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	head = binary.LittleEndian.AppendUint16(head, ^uint16(len(text)))
	return append(head, text...)
}

func newDeflater(b *bytes.Buffer, level int) *flate.Writer {
	z, err := flate.NewWriter(b, level)
	if err != nil {
		panic(err) // there is such a level
	}
	return z
}

// deflate writes text into memory, where nothing can fail, up to the end of a byte.
func deflate(z *flate.Writer, text []byte) {
	if _, err := z.Write(text); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
	if err := z.Flush(); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
}
