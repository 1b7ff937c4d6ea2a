package inbox

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyServersOfOneMachineHaveAnInbox(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:8080": true, "http://LOCALHOST": true, "https://localhost:8443/base": true, "http://127.0.0.1:8080": true,
		"http://127.8.9.1": true, "http://[::1]:8080/pay": true, "http://[::ffff:127.0.0.1]:80": true,
		"https://pay.example": false, "http://192.168.1.5:8080": false, "http://[::]:8080": false, "http://0.0.0.0:8080": false, "http://10.0.0.1": false,
		"http://localhost.example": false, "http://localhost.": false, "http://x.localhost": false, "http://127.0.0.1.nip.io": false,
		"http://2130706433": false, "http://localhost@pay.example": false, "": false, "localhost:8080": false, "://": false,
	} {
		if got := Local(address); got != want {
			t.Errorf("%q is of this machine: %v", address, got)
		}
	}
	if Local("http://localhost:8080", "https://pay.example/pay") || Local("https://pay.example", "http://localhost:8080/pay") || Local() {
		t.Error("a server with players elsewhere is taken for one of this machine")
	}
}

func TestWhoIsLetIn(t *testing.T) {
	const local, there = "127.0.0.1:50000", "localhost:8080"
	for name, tt := range map[string]struct {
		peer, host string
		header     []string
		proto      [2]int
		want       bool
	}{
		"this machine":                            {local, there, nil, [2]int{1, 1}, true},
		"by its number":                           {local, "127.0.0.1:8080", nil, [2]int{1, 1}, true},
		"by IPv6":                                 {"[::1]:50000", "[::1]:8080", nil, [2]int{2, 0}, true},
		"by IPv6 without a port":                  {"[::1]:50000", "[::1]", nil, [2]int{1, 1}, true},
		"IPv4 on an IPv6 socket":                  {"[::ffff:127.0.0.1]:5", "localhost", nil, [2]int{1, 1}, true},
		"another port of a tunnel":                {local, "localhost:9999", nil, [2]int{1, 1}, true},
		"a browser's address bar":                 {local, there, []string{"Sec-Fetch-Site", "none"}, [2]int{1, 1}, true},
		"a page of ours":                          {local, there, []string{"Sec-Fetch-Site", "same-origin"}, [2]int{1, 1}, true},
		"a page of another site":                  {local, there, []string{"Sec-Fetch-Site", "cross-site"}, [2]int{1, 1}, false},
		"a page of another port":                  {local, there, []string{"Sec-Fetch-Site", "same-site"}, [2]int{1, 1}, false},
		"a word that is not known":                {local, there, []string{"Sec-Fetch-Site", "elsewhere"}, [2]int{1, 1}, false},
		"a neighbour":                             {"192.168.1.7:5", there, nil, [2]int{1, 1}, false},
		"a stranger":                              {"203.0.113.9:5", there, nil, [2]int{1, 1}, false},
		"a container's host":                      {"172.17.0.1:5", there, nil, [2]int{1, 1}, false},
		"no peer":                                 {"", there, nil, [2]int{1, 1}, false},
		"a peer that is no address":               {"@", there, nil, [2]int{1, 1}, false},
		"a name that a stranger leads here":       {local, "evil.example:8080", nil, [2]int{1, 1}, false},
		"a name that begins well":                 {local, "localhost.evil.example", nil, [2]int{1, 1}, false},
		"a name that begins with our number":      {local, "127.0.0.1.evil.example:8080", nil, [2]int{1, 1}, false},
		"the name by which neighbours know us":    {local, "dev-box:8080", nil, [2]int{1, 1}, false},
		"no name":                                 {local, "", nil, [2]int{1, 1}, false},
		"a bracket that is left open":             {local, "[::1", nil, [2]int{1, 1}, false},
		"a proxy that says so":                    {local, there, []string{"Forwarded", "for=203.0.113.9"}, [2]int{1, 1}, false},
		"a proxy that says so emptily":            {local, there, []string{"X-Forwarded-For", ""}, [2]int{1, 1}, false},
		"a proxy that names the host":             {local, there, []string{"X-Forwarded-Host", "pay.example"}, [2]int{1, 1}, false},
		"a proxy that names the protocol":         {local, there, []string{"X-Forwarded-Proto", "https"}, [2]int{1, 1}, false},
		"a proxy that says it its own way":        {local, there, []string{"X-Real-Ip", "203.0.113.9"}, [2]int{1, 1}, false},
		"a proxy that signs":                      {local, there, []string{"Via", "1.1 proxy"}, [2]int{1, 1}, false},
		"a proxy that says nothing and is of old": {local, there, nil, [2]int{1, 0}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, Path, nil)
		r.RemoteAddr, r.Host, r.ProtoMajor, r.ProtoMinor = tt.peer, tt.host, tt.proto[0], tt.proto[1]
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		if got := admits(r); got != tt.want {
			t.Errorf("%s: let in: %v", name, got)
		}
	}
}
