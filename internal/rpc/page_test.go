package rpc

import (
	"encoding/base64"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

func TestACursorGoesOnWithItsOwnListOnly(t *testing.T) {
	filters := []string{"sessions", "sandbox", "arcade", "", "paid", ""}
	cursor := newCursor("sess_17", filters)
	if after, ok := openCursor(cursor, filters); !ok || after != "sess_17" {
		t.Errorf("the cursor points after %q, %v", after, ok)
	}
	for i := range filters {
		others := append([]string(nil), filters...)
		others[i] += "x"
		if _, ok := openCursor(cursor, others); ok {
			t.Errorf("the cursor goes on with the list of %q", others)
		}
	}
	if _, ok := openCursor(cursor, []string{"sessions", "sandbox", "arcade", "paid", "", ""}); ok {
		t.Error("the cursor goes on where a filter is another one's")
	}
}

func TestWhatIsNoCursorIsRefused(t *testing.T) {
	mark := base64.RawURLEncoding.EncodeToString(filterMark(nil))
	for _, text := range []string{"x", "=", "!!", mark, mark + "=", "sess_17", strings.Repeat("A", 1<<20), "\x00", newCursor(strings.Repeat("x", 95), nil)} {
		if _, err := windowOf(nil, nil, &text); pay.CodeOf(err) != pay.InvalidCursor {
			t.Errorf("%.20q is answered with %v", text, err)
		}
	}
}

func TestTheWindowOfAPage(t *testing.T) {
	cursor := newCursor("sess_17", nil)
	tests := []struct {
		name          string
		limit, offset *int32
		cursor        *string
		want          store.Window
		refused       pay.Code
	}{
		{name: "nothing asked", want: store.Window{Limit: 100}},
		{name: "the least", limit: proto.Int32(1), offset: proto.Int32(0), want: store.Window{Limit: 1}},
		{name: "the most", limit: proto.Int32(250), offset: proto.Int32(1<<31 - 1), want: store.Window{Limit: 250, Offset: 1<<31 - 1}},
		{name: "an empty cursor", cursor: proto.String(""), want: store.Window{Limit: 100}},
		{name: "a cursor", cursor: &cursor, offset: proto.Int32(0), want: store.Window{Limit: 100, After: "sess_17"}},
		{name: "no rows", limit: proto.Int32(0), refused: pay.InvalidLimit},
		{name: "fewer than none", limit: proto.Int32(-1), refused: pay.InvalidLimit},
		{name: "too many", limit: proto.Int32(251), refused: pay.InvalidLimit},
		{name: "before the first", offset: proto.Int32(-1), refused: pay.InvalidOffset},
		{name: "an offset from a cursor", cursor: &cursor, offset: proto.Int32(1), refused: pay.InvalidOffset},
		{name: "a cursor of another list", cursor: proto.String(newCursor("sess_17", []string{"a"})), refused: pay.InvalidCursor},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := windowOf(tt.limit, tt.offset, tt.cursor)
			if tt.refused != "" {
				if pay.CodeOf(err) != tt.refused {
					t.Errorf("got %v, want %s", err, tt.refused)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}
