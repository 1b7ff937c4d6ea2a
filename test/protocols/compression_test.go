package protocols

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// asks are ways to ask for a list of sessions, of which gzip can pack question and answer.
var asks = []struct {
	name, verb, path, contentType string
	encoding, accept              string // the headers that name the packing
	framed, http2                 bool
}{
	{"Connect", "POST", "/pay.v1.PaymentService/ListSessions", "application/json", "Content-Encoding", "Accept-Encoding", false, false},
	{"Connect GET", "GET", "/pay.v1.PaymentService/ListSessions", "", "", "Accept-Encoding", false, false},
	{"gRPC", "POST", "/pay.v1.PaymentService/ListSessions", "application/grpc+json", "Grpc-Encoding", "Grpc-Accept-Encoding", true, true},
	{"gRPC-Web", "POST", "/pay.v1.PaymentService/ListSessions", "application/grpc-web+json", "Grpc-Encoding", "Grpc-Accept-Encoding", true, false},
	{"REST", "GET", "/v1/sessions?game_id=space_shooter", "", "", "Accept-Encoding", false, false},
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLongAnswersArePackedForWhoUnpacks(t *testing.T) {
	s := openShop(t)
	for i := range 20 {
		s.create(t, s.key, "space_shooter", fmt.Sprint("player_", i))
	}
	for i, how := range asks {
		t.Run(how.name, func(t *testing.T) {
			for _, tt := range []struct {
				what         string
				limit        int
				gzip, packed bool
			}{
				{"long", 20, true, true},
				{"long, for one who knows no gzip", 20, false, false},
				{"short", 1, true, false},
			} {
				packed, text := s.list(t, i, tt.limit, tt.gzip)
				if got := strings.Count(text, `"sess_`); packed != tt.packed || got < tt.limit {
					t.Errorf("a %s answer is packed: %v, and has %d ids: %.200s", tt.what, packed, got, text)
				}
			}
		})
	}
}

// list asks in one of the ways, with gzip or without, and returns the answer unpacked.
func (s *shop) list(t *testing.T, how, limit int, gzipped bool) (packed bool, text string) {
	t.Helper()
	a := asks[how]
	path, body, flag := a.path, fmt.Sprintf(`{"game_id":"space_shooter","limit":%d}`, limit), byte(0)
	if gzipped {
		body, flag = zip(t, body), 1
	}
	switch {
	case a.name == "REST":
		path, body = fmt.Sprintf("%s&limit=%d", a.path, limit), ""
	case a.verb == "GET":
		path += "?connect=v1&encoding=json&base64=1&message=" + url.QueryEscape(base64.RawURLEncoding.EncodeToString([]byte(body)))
		if gzipped {
			path += "&compression=gzip"
		}
		body = ""
	case a.framed:
		body = string(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(body)))) + body
	}
	r, err := http.NewRequestWithContext(t.Context(), a.verb, s.plain.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	if a.contentType != "" {
		r.Header.Set("Content-Type", a.contentType)
	}
	if gzipped {
		r.Header.Set(a.accept, "gzip")
	}
	if gzipped && a.encoding != "" {
		r.Header.Set(a.encoding, "gzip")
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!a.http2)
	protocols.SetUnencryptedHTTP2(a.http2)
	transport := &http.Transport{DisableCompression: true, Protocols: protocols}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %d %q, %v", res.StatusCode, raw, err)
	}
	packed = res.Header.Get("Content-Encoding") == "gzip"
	if a.framed {
		if len(raw) < 5 {
			t.Fatalf("got %q, %v", raw, res.Trailer)
		}
		packed = raw[0] == 1
		raw = raw[5 : 5+binary.BigEndian.Uint32(raw[1:5])]
	}
	if packed {
		unzip, err := gzip.NewReader(bytes.NewReader(raw))
		if err == nil {
			raw, err = io.ReadAll(unzip)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return packed, string(raw)
}

// REST has its own way in, which unpacks by itself.
func TestAnOrderByRESTMayBePacked(t *testing.T) {
	s := openShop(t)
	res, body := coinslottest.Ask(t, s.key, "POST", s.plain.URL+"/v1/sessions", zip(t,
		`{"game_id":"space_shooter","user_id":"p","item":{"title":"Coin","price":5,"currency":"USD"},"return_url":"a://b"}`), "Content-Encoding", "gzip")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, `"sess_`) {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}
