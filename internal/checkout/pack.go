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
	deflate(z, []byte(text), (*flate.Writer).Flush)
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

// gzipped joins pieces into one gzip member (RFC 1952): its deflate blocks may come from
// different writers, since each piece ends with a flush and none looks back at another.
// Not every browser reads on after a first member, so one for each piece would not do.
func gzipped(pieces []piece) []byte {
	var b bytes.Buffer
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}) // deflate, no name, no time, no system
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	sum, size := uint32(0), uint32(0)
	for i, p := range pieces {
		sum, size = crc32.Update(sum, crc32.IEEETable, p.text), size+uint32(len(p.text))
		last := i == len(pieces)-1
		switch {
		case last:
			z.Reset(&b)
			deflate(z, p.text, (*flate.Writer).Close)
		case p.deflated != nil:
			b.Write(p.deflated)
		default:
			z.Reset(&b)
			deflate(z, p.text, (*flate.Writer).Flush)
		}
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b.Bytes(), sum), size)
}

func newDeflater(b *bytes.Buffer, level int) *flate.Writer {
	z, err := flate.NewWriter(b, level)
	if err != nil {
		panic(err) // there is such a level
	}
	return z
}

// deflate writes text into memory, where nothing can fail, and ends it.
func deflate(z *flate.Writer, text []byte, end func(*flate.Writer) error) {
	if _, err := z.Write(text); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
	if err := end(z); err != nil {
		panic(fmt.Sprintf("checkout: compress into memory: %v", err))
	}
}
