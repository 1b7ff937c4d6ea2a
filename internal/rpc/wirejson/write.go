package wirejson

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// append writes a message, or says that it is protojson's.
func (p *plan) append(to []byte, m protoreflect.Message) ([]byte, bool) {
	to = append(to, '{')
	start := len(to)
	for i := range p.fields {
		f := &p.fields[i]
		if f.presence && !m.Has(f.desc) {
			continue
		}
		if len(to) > start {
			to = append(to, ',')
		}
		to = append(to, f.name...)
		var ok bool
		if to, ok = f.append(to, m.Get(f.desc)); !ok {
			return nil, false
		}
	}
	return append(to, '}'), true
}

func (f *field) append(to []byte, v protoreflect.Value) ([]byte, bool) {
	if !f.list {
		return f.appendOne(to, v)
	}
	to = append(to, '[')
	for i, list := 0, v.List(); i < list.Len(); i++ {
		if i > 0 {
			to = append(to, ',')
		}
		var ok bool
		if to, ok = f.appendOne(to, list.Get(i)); !ok {
			return nil, false
		}
	}
	return append(to, ']'), true
}

func (f *field) appendOne(to []byte, v protoreflect.Value) ([]byte, bool) {
	switch f.form {
	case text:
		return appendText(to, v.String())
	case integer:
		return strconv.AppendInt(to, v.Int(), 10), true
	case truth:
		return strconv.AppendBool(to, v.Bool()), true
	case object:
		return f.message.append(to, v.Message())
	case texts:
		return appendTexts(to, v.Map())
	case timestamp:
		return appendTimestamp(to, v.Message().Interface())
	case duration:
		return appendDuration(to, v.Message().Interface())
	}
	return nil, false
}

func appendTexts(to []byte, m protoreflect.Map) ([]byte, bool) {
	type entry struct{ key, value string }
	all := make([]entry, 0, m.Len())
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		all = append(all, entry{k.String(), v.String()})
		return true
	})
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	to = append(to, '{')
	for i, e := range all {
		if i > 0 {
			to = append(to, ',')
		}
		var ok bool
		if to, ok = appendText(to, e.key); !ok {
			return nil, false
		}
		to = append(to, ':')
		if to, ok = appendText(to, e.value); !ok {
			return nil, false
		}
	}
	return append(to, '}'), true
}

// appendText escapes no more than JSON demands, and takes nothing but UTF-8.
func appendText(to []byte, s string) ([]byte, bool) {
	to = append(to, '"')
	done := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return nil, false
			}
			i += n
		case c < ' ' || c == '"' || c == '\\':
			to = appendEscape(append(to, s[done:i]...), c)
			i++
			done = i
		default:
			i++
		}
	}
	return append(append(to, s[done:]...), '"'), true
}

func appendEscape(to []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(to, '\\', c)
	case '\b':
		return append(to, `\b`...)
	case '\f':
		return append(to, `\f`...)
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	}
	return append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

func appendTimestamp(to []byte, m proto.Message) ([]byte, bool) {
	t, ok := m.(*timestamppb.Timestamp)
	if !ok || !t.IsValid() {
		return nil, false
	}
	to = append(to, '"')
	to = time.Unix(t.GetSeconds(), 0).UTC().AppendFormat(to, time.RFC3339)
	to = appendNanos(to[:len(to)-len("Z")], t.GetNanos())
	return append(to, `Z"`...), true
}

func appendDuration(to []byte, m proto.Message) ([]byte, bool) {
	d, ok := m.(*durationpb.Duration)
	if !ok || !d.IsValid() {
		return nil, false
	}
	seconds, nanos := d.GetSeconds(), d.GetNanos()
	to = append(to, '"')
	if seconds < 0 || nanos < 0 {
		to = append(to, '-')
		seconds, nanos = -seconds, -nanos
	}
	to = appendNanos(strconv.AppendInt(to, seconds, 10), nanos)
	return append(to, `s"`...), true
}

// appendNanos writes the part of a second with 0, 3, 6 or 9 digits.
func appendNanos(to []byte, nanos int32) []byte {
	if nanos == 0 {
		return to
	}
	digits := 9
	for ; nanos%1000 == 0; nanos /= 1000 {
		digits -= 3
	}
	to = append(to, ".000000000"[:1+digits]...)
	for i := len(to) - 1; nanos > 0; i-- {
		to[i] += byte(nanos % 10)
		nanos /= 10
	}
	return to
}
