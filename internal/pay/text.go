package pay

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// storable says whether s can be kept and shown: valid UTF-8 without NUL, which
// PostgreSQL cannot store and C readers cut off at.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// controls says whether r is a control character, breaks a line, or overrides the
// direction of what follows, so that a text could be made to read as another one.
func controls(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// checkText refuses a text that is not storable or not between least and most
// characters long.
func checkText(code Code, field, s string, least, most int) error {
	switch n := utf8.RuneCountInString(s); {
	case !storable(s):
		return RefuseField(code, field, "must be valid UTF-8 without NUL characters")
	case strings.ContainsFunc(s, controls):
		return RefuseField(code, field, "must not have characters that control line or direction")
	case n == 0 && least > 0:
		return RefuseField(code, field, "is required")
	case least == 0 && n > most:
		return RefuseField(code, field, "must be at most %d characters long, got %d", most, n)
	case n < least || n > most:
		return RefuseField(code, field, "must be %d to %d characters long, got %d", least, most, n)
	}
	return nil
}

// quote shows a caller's text in a message: escaped, and cut so that it cannot flood a log.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s[:min(len(s), 4*most)])[:most]) + "…"
	}
	return strconv.Quote(s)
}

// OneOf lists for a message what would be right: "pending, paid or failed".
func OneOf[T ~string](values []T) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(v))
	}
	return b.String()
}
