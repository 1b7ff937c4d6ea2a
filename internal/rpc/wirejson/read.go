package wirejson

import (
	"bytes"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// reader turns JSON into the same message as protobuf has it on the wire, which
// protobuf reads quicker than anything else could be set field by field. What it takes
// is a part of what protojson takes; at the first thing that is not, it stops.
type reader struct {
	rest []byte
	odd  bool // it is protojson's
}

// wire is the message of a text as it is on the wire, or says that it is protojson's.
func (p *plan) wire(data []byte) ([]byte, bool) {
	r := reader{rest: data}
	wire := r.object(p, make([]byte, 0, len(data)))
	r.space()
	return wire, !r.odd && len(r.rest) == 0
}

func (r *reader) object(p *plan, wire []byte) []byte {
	var seen uint64
	for more := r.opens('{', '}'); more; more = r.goesOn('}') {
		f := p.named[string(r.name())]
		if f == nil || f.bit == 0 || seen&f.bit != 0 {
			r.odd = true
			return wire
		}
		seen |= f.bit
		if !r.null() {
			wire = r.field(f, wire)
		}
	}
	return wire
}

func (r *reader) field(f *field, wire []byte) []byte {
	if f.form == texts {
		return r.texts(f, wire)
	}
	if !f.list {
		return r.value(f, wire)
	}
	for more := r.opens('[', ']'); more; more = r.goesOn(']') {
		wire = r.value(f, wire)
	}
	return wire
}

func (r *reader) value(f *field, wire []byte) []byte {
	wire = append(wire, f.tag...)
	switch f.form {
	case text:
		return protowire.AppendBytes(wire, r.text())
	case integer:
		return protowire.AppendVarint(wire, uint64(r.integer()))
	case truth:
		return protowire.AppendVarint(wire, protowire.EncodeBool(r.truth()))
	case object:
		start := len(wire)
		return measured(r.object(f.message, wire), start)
	case duration:
		start := len(wire)
		wire = protowire.AppendTag(wire, 1, protowire.VarintType)
		return measured(protowire.AppendVarint(wire, uint64(r.seconds())), start)
	}
	r.odd = true // a time, for one: requests hardly ever have any
	return wire
}

// mostTexts is how many entries of a map are compared with each other.
const mostTexts = 32

func (r *reader) texts(f *field, wire []byte) []byte {
	keys := make([][]byte, 0, mostTexts)
	for more := r.opens('{', '}'); more; more = r.goesOn('}') {
		key := r.name()
		if len(keys) == mostTexts || slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
			r.odd = true
			return wire
		}
		keys = append(keys, key)
		wire = append(wire, f.tag...)
		start := len(wire)
		wire = protowire.AppendTag(wire, 1, protowire.BytesType)
		wire = protowire.AppendBytes(wire, key)
		wire = protowire.AppendTag(wire, 2, protowire.BytesType)
		wire = measured(protowire.AppendBytes(wire, r.text()), start)
	}
	return wire
}

// measured puts the length of what was written since start before it.
func measured(wire []byte, start int) []byte {
	var length [10]byte
	return slices.Insert(wire, start, protowire.AppendVarint(length[:0], uint64(len(wire)-start))...)
}

func (r *reader) space() {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\n' || r.rest[0] == '\r' || r.rest[0] == '\t') {
		r.rest = r.rest[1:]
	}
}

// next takes a character, with the space before it, if it comes next.
func (r *reader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *reader) must(c byte) {
	if !r.next(c) {
		r.odd = true
	}
}

// opens takes the opening of an object or a list, and says whether something is in it.
func (r *reader) opens(open, end byte) bool {
	r.must(open)
	return !r.odd && !r.next(end)
}

// goesOn takes a comma or the end of an object or a list, and says which.
func (r *reader) goesOn(end byte) bool {
	if r.odd || r.next(',') {
		return !r.odd
	}
	r.must(end)
	return false
}

func (r *reader) name() []byte {
	name := r.text()
	r.must(':')
	return name
}

// text takes a string in which nothing is escaped.
func (r *reader) text() []byte {
	r.must('"')
	ascii := true
	for i, c := range r.rest {
		switch {
		case c == '"':
			s := r.rest[:i]
			r.rest = r.rest[i+1:]
			r.odd = r.odd || !ascii && !utf8.Valid(s)
			return s
		case c < ' ' || c == '\\':
			r.odd = true
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.odd = true
	return nil
}

// word takes a literal. What may follow it is for the next one to say.
func (r *reader) word(w string) bool {
	r.space()
	if len(r.rest) < len(w) || string(r.rest[:len(w)]) != w {
		return false
	}
	r.rest = r.rest[len(w):]
	return true
}

func (r *reader) null() bool { return r.word("null") }

func (r *reader) truth() bool {
	if r.word("true") {
		return true
	}
	r.odd = r.odd || !r.word("false")
	return false
}

// integer takes a plain number of 32 bits.
func (r *reader) integer() int64 {
	sign := int64(1)
	if r.next('-') {
		sign = -1
	}
	n := sign * r.digits()
	r.odd = r.odd || n < math.MinInt32 || n > math.MaxInt32
	return n
}

// seconds takes a duration of whole seconds.
func (r *reader) seconds() int64 {
	inside := reader{rest: r.text()}
	n := inside.digits()
	r.odd = r.odd || inside.odd || string(inside.rest) != "s"
	return n
}

// mostDigits is what no number of 32 bits has more of. Those after it are taken for what
// should not follow a number.
const mostDigits = 10

func (r *reader) digits() (n int64) {
	i := 0
	for ; i < len(r.rest) && i < mostDigits && '0' <= r.rest[i] && r.rest[i] <= '9'; i++ {
		n = n*10 + int64(r.rest[i]-'0')
	}
	r.odd = r.odd || i == 0 || i > 1 && r.rest[0] == '0'
	r.rest = r.rest[i:]
	return n
}
