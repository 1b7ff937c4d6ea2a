package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader takes a flag's text. Its error continues a sentence that begins with the
// flag: "must be …".
type Reader struct {
	Read    func(text string) error
	Default string // as the help shows it; empty: none worth telling
	Secret  bool   // may hold a password, so a refusal does not repeat it
}

// Text keeps the text as it is. What the variable holds already is the default.
func Text(to *string) Reader {
	return Reader{Default: *to, Read: func(text string) error { *to = text; return nil }}
}

// Words keeps one of several words.
func Words(to *string, words ...string) Reader {
	return Reader{Default: *to, Read: func(text string) error {
		if !slices.Contains(words, text) {
			return fmt.Errorf("must be %s", alternatives(words))
		}
		*to = text
		return nil
	}}
}

func alternatives(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Switch is on where the flag is given, or as the text says.
func Switch(to *bool) Reader {
	return Reader{Read: func(text string) (err error) {
		if *to, err = strconv.ParseBool(text); err != nil {
			return errors.New("must be true or false")
		}
		return nil
	}}
}

// Duration reads a span of time, at least the given one.
func Duration(to *time.Duration, least time.Duration) Reader {
	r := Reader{Read: func(text string) (err error) {
		if *to, err = time.ParseDuration(text); err != nil {
			return errors.New("must be a duration such as 90s, 30m or 24h")
		}
		if *to < least {
			return fmt.Errorf("must be at least %s", Shortly(least))
		}
		return nil
	}}
	if *to != 0 {
		r.Default = Shortly(*to)
	}
	return r
}

// Shortly writes a duration as one would: 24h, not 24h0m0s.
func Shortly(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Whole reads a whole number that fits 32 bits.
func Whole(to *int32) Reader {
	return Reader{Read: func(text string) error {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errors.New("must be a whole number")
		}
		*to = int32(n)
		return nil
	}}
}

// Time reads a point in time.
func Time(to *time.Time) Reader {
	return Reader{Read: func(text string) (err error) {
		if *to, err = time.Parse(time.RFC3339, text); err != nil {
			return errors.New("must be a time such as 2030-01-31T12:00:00Z")
		}
		return nil
	}}
}

// List gathers the values of a flag that may be repeated, or hold several values with
// commas between them. An empty text is an empty list.
func List[T any](to *[]T, parse func(string) (T, error)) Reader {
	return Reader{Read: func(text string) error {
		for _, part := range strings.Split(text, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			value, err := parse(part)
			if err != nil {
				return err
			}
			*to = append(*to, value)
		}
		return nil
	}}
}

// Texts is a List of texts.
func Texts(to *[]string) Reader {
	return List(to, func(text string) (string, error) { return text, nil })
}
