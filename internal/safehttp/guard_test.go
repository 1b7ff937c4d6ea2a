package safehttp_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coinslot/coinslot/internal/safehttp"
)

func TestNoNotationOfLoopbackConnects(t *testing.T) {
	s := listen(t)
	client := newClient(t, safehttp.Options{Resolver: resolver("127.0.0.1")})
	for _, host := range []string{
		"127.0.0.1", "127.255.255.254", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "127。0。0。1", "１２７.0.0.1",
		"0.0.0.0", "localhost", "LOCALHOST", "localhost.", "shop.example", "",
		"[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
		"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[::1%25lo]",
		"[fe80::1%25lo]",
	} {
		_, err := post(client, s.url(host))
		if refused := new(safehttp.RefusedError); !errors.As(err, &refused) {
			t.Errorf("%q: got error %v, want a refusal", host, err)
		}
	}
	// Some resolvers take these for addresses, others for no names at all. Either will do.
	for _, host := range []string{"2130706433", "127.1", "127.0.0.1.", "0177.0.0.1", "017700000001", "0", "127.0.0.1%00"} {
		if status, err := post(client, s.url(host)); err == nil {
			t.Errorf("%q: status %d, want an error", host, status)
		}
	}
	if n := s.connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestAllowLoopbackOpensLoopback(t *testing.T) {
	s := listen(t)
	client := newClient(t, safehttp.Options{AllowLoopback: true, Resolver: resolver("127.0.0.1")})
	for _, host := range []string{"127.0.0.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "shop.example"} {
		if status, err := post(client, s.url(host)); status != http.StatusOK && s.listensOn(host) {
			t.Errorf("%q: status %d, error %v", host, status, err)
		}
	}
}

func TestOptionsOpenJustWhatTheySay(t *testing.T) {
	loopback := safehttp.Options{AllowLoopback: true}
	private := cidr("10.1.0.0/16")
	for _, c := range []struct {
		options safehttp.Options
		refused string
	}{
		{loopback, "0.0.0.0"}, {loopback, "[::]"}, {loopback, "10.0.0.1"}, {loopback, "169.254.169.254"},
		{loopback, "[64:ff9b::7f00:1]"}, {loopback, "[::127.0.0.1]"}, {loopback, "[::1%25lo]"},
		{private, "10.0.255.255"}, {private, "10.2.0.0"}, {private, "127.0.0.1"}, {private, "[::ffff:10.2.0.0]"},
		{private, "[64:ff9b::a01:1]"}, {private, "[::10.1.0.1]"},
		{cidr("fd00::/64"), "[fd00:0:0:1::1]"}, {cidr("fd00::/64"), "[fd00::1%25lo]"},
		{cidr("::/0"), "127.0.0.1"}, {cidr("::/0"), "[::ffff:127.0.0.1]"}, {cidr("0.0.0.0/0"), "[::1]"},
		{cidr("::ffff:127.0.0.0/104"), "127.0.0.1"},
	} {
		_, err := post(newClient(t, c.options), "http://"+c.refused+"/")
		if refused := new(safehttp.RefusedError); !errors.As(err, &refused) {
			t.Errorf("%s with %+v: got error %v, want a refusal", c.refused, c.options, err)
		}
	}
}

func TestAllowCIDROpensItsRange(t *testing.T) {
	s := listen(t)
	for _, c := range []struct {
		options safehttp.Options
		host    string
	}{
		{cidr("127.0.0.0/8"), "127.0.0.1"},
		{cidr("127.0.0.1/32"), "[::ffff:127.0.0.1]"},
		{cidr("10.0.0.0/8", "127.0.0.1/32"), "127.0.0.1"},
		{cidr("::1/128"), "[::1]"},
	} {
		if status, err := post(newClient(t, c.options), s.url(c.host)); status != http.StatusOK && s.listensOn(c.host) {
			t.Errorf("%s with %v: status %d, error %v", c.host, c.options.AllowCIDR, status, err)
		}
	}
}

// One loopback address is open and stands for a public one, which a test must not dial; another is refused.
func TestNameThatRebindsIsRefused(t *testing.T) {
	s := listen(t)
	options := cidr("127.0.0.1/32")
	options.Resolver = resolver("127.0.0.1", "127.0.0.2")
	client := newClient(t, options)

	if status, err := post(client, s.url("shop.example")); status != http.StatusOK {
		t.Fatalf("before rebinding: status %d, error %v", status, err)
	}
	client.CloseIdleConnections()
	_, err := post(client, s.url("shop.example"))
	refused := new(safehttp.RefusedError)
	if !errors.As(err, &refused) || refused.Addr != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("after rebinding: got error %v, want a refusal of 127.0.0.2", err)
	}
}

func TestOnlyOpenAddressesOfANameAreDialled(t *testing.T) {
	s := listen(t)
	options := cidr("127.0.0.1/32")
	options.Resolver = resolver("10.0.0.1 127.0.0.2 127.0.0.1")
	if status, err := post(newClient(t, options), s.url("shop.example")); status != http.StatusOK {
		t.Errorf("status %d, error %v", status, err)
	}
}

func TestRefusalTellsAnOperatorWhy(t *testing.T) {
	client := newClient(t, safehttp.Options{})
	for url, want := range map[string]string{
		"http://10.0.0.1/":               "refused to connect to 10.0.0.1: private network (RFC 1918)",
		"https://169.254.169.254/latest": "refused to connect to 169.254.169.254: link-local, as cloud metadata is (RFC 3927)",
		"http://168.63.129.16/":          "refused to connect to 168.63.129.16: metadata address of a cloud",
		"http://255.255.255.255/":        "refused to connect to 255.255.255.255: broadcast (RFC 919)",
		"http://[::1]/":                  "refused to connect to ::1: loopback (RFC 4291)",
		"http://[64:ff9b::a00:1]/":       "refused to connect to 64:ff9b::a00:1: private network (RFC 1918)",
		"http://127.0.0.1/":              "refused to connect to 127.0.0.1: loopback (RFC 1122)",
		"http://224.0.0.1/":              "refused to connect to 224.0.0.1: multicast (RFC 5771)",
		"http://[::]/":                   "refused to connect to ::: unspecified address (RFC 4291)",
		"http://[::a00:1]/":              "refused to connect to ::a00:1: IPv4-compatible address (RFC 4291)",
		"http://[64:ff9b:1::1]/":         "refused to connect to 64:ff9b:1::1: local-use NAT64 (RFC 8215)",
		"http://[100::1]/":               "refused to connect to 100::1: discard-only (RFC 6666)",
		"http://[100:0:0:1::1]/":         "refused to connect to 100:0:0:1::1: dummy prefix (RFC 9780)",
		"http://[5f00::1]/":              "refused to connect to 5f00::1: segment routing (RFC 9602)",
		"http://[fd00:ec2::254]/":        "refused to connect to fd00:ec2::254: private network (RFC 4193)",
		"http://[fe80::1]/":              "refused to connect to fe80::1: link-local (RFC 4291)",
		"http://[fe80::1%25lo]/":         "refused to connect to fe80::1%lo: zoned address (RFC 4007)",
		"http://[fec0::1]/":              "refused to connect to fec0::1: site-local (RFC 3879)",
		"http://[ff02::1]/":              "refused to connect to ff02::1: multicast (RFC 4291)",
		"http://[2001::1]/":              "refused to connect to 2001::1: Teredo (RFC 4380)",
		"http://[4000::1]/":              "refused to connect to 4000::1: not global unicast (RFC 4291)",
		"http://:80/":                    "refused to connect: the URL leads to no IP address",
	} {
		_, err := post(client, url)
		refused := new(safehttp.RefusedError)
		if !errors.As(err, &refused) {
			t.Errorf("%s: got error %v, want a refusal", url, err)
		} else if got := refused.Error(); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

func cidr(prefixes ...string) safehttp.Options {
	var o safehttp.Options
	for _, p := range prefixes {
		o.AllowCIDR = append(o.AllowCIDR, netip.MustParsePrefix(p))
	}
	return o
}

// loopbackServer answers 200 on 127.0.0.1 and, where the machine has it, on the same port of ::1. It counts connections.
type loopbackServer struct {
	port        string
	v6          bool
	connections atomic.Int64
}

func (s *loopbackServer) url(host string) string { return "http://" + host + ":" + s.port + "/" }

func (s *loopbackServer) listensOn(host string) bool { return s.v6 || host != "[::1]" }

func listen(t *testing.T) *loopbackServer {
	t.Helper()
	s := new(loopbackServer)
	v4, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(v4.Addr().String())
	s.serve(t, v4)
	if v6, err := net.Listen("tcp", "[::1]:"+s.port); err == nil {
		s.v6 = true
		s.serve(t, v6)
	}
	return s
}

func (s *loopbackServer) serve(t *testing.T, l net.Listener) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Listener.Close()
	server.Listener = l
	count(server, &s.connections)
	server.Start()
	t.Cleanup(server.Close)
}

// count connections to a server that has not started yet. It also keeps the server from logging what goes wrong on
// purpose.
func count(server *httptest.Server, connections *atomic.Int64) {
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
}

func newClient(t *testing.T, o safehttp.Options) *http.Client {
	client := safehttp.NewClient(o)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// post reads the answer to its end, so that the connection can be used again.
func post(client *http.Client, url string) (status int, err error) {
	response, err := client.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
