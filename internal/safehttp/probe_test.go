package safehttp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coinslot/coinslot/internal/safehttp"
)

const (
	// leastProbes is how many ways into a network must have been tried and found shut.
	leastProbes = 20_000

	// samples is how many addresses of a range are tried beside its first and its last.
	samples = 9
)

// openly are the public addresses that probes mix in; nothing else may be dialled.
var openly = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2606:4700:4700::1111")}

var errHooked = errors.New("the hook keeps every connection from being made")

// probe is one URL behind which lies an address that must not be reached.
type probe struct {
	url     string
	answers [][]netip.Addr // of the host's name to the first look-up, the second, …
	asks    int            // how often the URL is asked for; 0: once
}

// prober asks for URLs and sees what would have been dialled.
type prober struct {
	*testing.T
	names   sync.Map // host name → *lookups
	dialled sync.Map // netip.Addr of openly → true
	made    atomic.Int64
}

type lookups struct {
	answers [][]netip.Addr
	a, aaaa atomic.Int64 // done so far
}

// hook sees an address that the guard let through.
func (p *prober) hook(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		p.Errorf("dialled %q: %v", address, err)
		return errHooked
	}
	for _, a := range openly {
		if to.Addr().Unmap() == a {
			p.dialled.Store(a, true)
			return errHooked
		}
	}
	p.Errorf("%s would have been connected to", address)
	return errHooked
}

func (p *prober) client(o safehttp.Options) *http.Client {
	o.Resolver = p.resolver()
	client := safehttp.NewHookedClient(o, p.hook)
	p.Cleanup(client.CloseIdleConnections)
	return client
}

func (p *prober) ask(client *http.Client, one probe) {
	if host := hostOf(one.url); one.answers != nil {
		p.names.Store(host, &lookups{answers: one.answers})
		defer p.names.Delete(host)
	}
	for range max(one.asks, 1) {
		if status, err := post(client, one.url); err == nil {
			p.Errorf("%s was answered %d", one.url, status)
		}
	}
	p.made.Add(1)
}

func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(host, ":"); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Every special range of the registries, in every notation of its addresses, as a name of
// them, among public ones, after a change of mind of the name server, at many ports: not
// one of them is connected to.
func TestNoProbeConnects(t *testing.T) {
	p := &prober{T: t}
	var probes []probe
	random := rand.New(rand.NewPCG(1, 2))
	for _, text := range refusedRanges {
		prefix := netip.MustParsePrefix(text)
		for _, a := range sampled(prefix, random) {
			probes = append(probes, byNotation(a)...)
			probes = append(probes, byName(a, len(probes))...)
			probes = append(probes, byPort(a)...)
		}
	}
	p.askAll(probes)
	if n := p.made.Load(); n < leastProbes {
		t.Errorf("%d probes were made, want at least %d", n, leastProbes)
	}
	for _, a := range openly {
		if _, ok := p.dialled.Load(a); !ok {
			t.Errorf("%v was never dialled, though names lead to it too: the hook sees nothing", a)
		}
	}
	t.Logf("%d probes", p.made.Load())
}

// askAll asks from a few goroutines, since most of a probe is waiting.
func (p *prober) askAll(probes []probe) {
	var all sync.WaitGroup
	for worker := range probers {
		all.Go(func() {
			client := p.client(safehttp.Options{})
			for i := worker; i < len(probes); i += probers {
				p.ask(client, probes[i])
			}
		})
	}
	all.Wait()
}

const probers = 4

// sampled are the first and the last address of a range, and some between.
func sampled(prefix netip.Prefix, random *rand.Rand) []netip.Addr {
	first, end := prefix.Masked().Addr(), last(prefix)
	seen := map[netip.Addr]bool{first: true, end: true}
	all := []netip.Addr{first}
	if first != end {
		all = append(all, end)
	}
	for range samples {
		b, mask := first.AsSlice(), end.AsSlice()
		for i := range b {
			b[i] |= (b[i] ^ mask[i]) & byte(random.Uint32())
		}
		if a, _ := netip.AddrFromSlice(b); !seen[a] {
			seen[a] = true
			all = append(all, a)
		}
	}
	return all
}

// byNotation writes an address in every way that some parser takes for it. What only a
// resolver could take for an address is a name, and the name server says what it means.
func byNotation(a netip.Addr) (probes []probe) {
	var literals, words []string
	if a.Is4() {
		literals, words = notationsOf4(a)
	} else {
		full := a.StringExpanded()
		literals = []string{a.String(), full, strings.ToUpper(full), a.String() + "%25lo", a.String() + "%251"}
	}
	for _, host := range literals {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		probes = append(probes, probe{url: "http://" + host + "/"}, probe{url: "https://" + host + "/"})
	}
	for _, host := range words {
		probes = append(probes, probe{url: "http://" + host + "/", answers: [][]netip.Addr{{a}}})
	}
	return probes
}

func notationsOf4(a netip.Addr) (literals, words []string) {
	b := a.As4()
	n := binary.BigEndian.Uint32(b[:])
	literals = []string{
		a.String(), "::ffff:" + a.String(), "::" + a.String(), "64:ff9b::" + a.String(), "64:ff9b:1::" + a.String(),
		fmt.Sprintf("::ffff:%x:%x", n>>16, n&0xffff), fmt.Sprintf("64:ff9b::%x:%x", n>>16, n&0xffff),
		fmt.Sprintf("2002:%x:%x::1", n>>16, n&0xffff), fmt.Sprintf("2001:0:4136:e378:8000:63bf:%x:%x", ^n>>16, ^n&0xffff),
		fmt.Sprintf("0:0:0:0:0:FFFF:%X:%X", n>>16, n&0xffff),
	}
	words = []string{
		fmt.Sprint(n), fmt.Sprintf("0x%x", n), fmt.Sprintf("0X%X", n), fmt.Sprintf("0%o", n),
		fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]), fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]), fmt.Sprintf("%d.%d.%d", b[0], b[1], n&0xffff),
		fmt.Sprintf("%d.%d", b[0], n&0xffffff), fmt.Sprintf("0x%x.%d.0%o", b[0], b[1], n&0xffff), a.String() + ".",
		strings.ReplaceAll(a.String(), ".", "。"), fmt.Sprintf("%d.%d.%d.%d", int(b[0])+256, b[1], b[2], b[3]),
	}
	return literals, words
}

// byName has names lead to an address: alone, before and after public ones, in the other
// family's records, and only from the second look-up on.
func byName(a netip.Addr, serial int) (probes []probe) {
	mapped := netip.AddrFrom16(a.As16())
	for i, answers := range [][][]netip.Addr{
		{{a}}, {{mapped}}, {{a, openly[0]}}, {{openly[0], a}}, {{openly[1], a, openly[0]}}, {{a, mapped}}, {{openly[0]}, {a}}, {{openly[1]}, {mapped}},
	} {
		for _, scheme := range []string{"http", "https"} {
			url := fmt.Sprintf("%s://%s-%d-%d.shop.example/hook", scheme, scheme, serial, i)
			probes = append(probes, probe{url: url, answers: answers, asks: len(answers)})
		}
	}
	return probes
}

// byPort tries the ports behind which there usually is something.
func byPort(a netip.Addr) (probes []probe) {
	for _, port := range []uint16{22, 25, 2375, 3306, 5432, 6379, 8080, 8500, 9200, 11211} {
		probes = append(probes, probe{url: "http://" + netip.AddrPortFrom(a, port).String() + "/"})
	}
	return probes
}

// A redirect to any of them leads nowhere, even where the redirecting server may be reached.
func TestNoRedirectConnects(t *testing.T) {
	p := &prober{T: t}
	var location atomic.Pointer[string]
	server := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", *location.Load())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	client := safehttp.NewHookedClient(safehttp.Options{AllowLoopback: true}, func(address string) error {
		if address == server.Listener.Addr().String() {
			return nil
		}
		return p.hook(address)
	})
	t.Cleanup(client.CloseIdleConnections)
	random := rand.New(rand.NewPCG(3, 4))
	for _, text := range refusedRanges {
		for _, a := range sampled(netip.MustParsePrefix(text), random) {
			to := "http://" + netip.AddrPortFrom(a, 80).String() + "/"
			location.Store(&to)
			if status, err := post(client, server.URL); status != http.StatusTemporaryRedirect {
				t.Errorf("a redirect to %s: status %d, error %v", to, status, err)
			}
		}
	}
}

// The same client gets as far as the socket where an address is public.
func TestPublicAddressesAreDialled(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "9.255.255.255", "172.32.0.0", "192.0.1.0", "223.255.255.255", "2a00::1", "2606:4700:4700::1111"} {
		a := netip.MustParseAddr(text)
		p := &prober{T: t}
		p.names.Store("shop.example", &lookups{answers: [][]netip.Addr{{a}}})
		hosts := []string{"shop.example", a.String()}
		if a.Is4() {
			hosts = append(hosts, "[::ffff:"+text+"]")
		} else {
			hosts[1] = "[" + text + "]"
		}
		for _, host := range hosts {
			dialled := ""
			o := safehttp.Options{Resolver: p.resolver()}
			client := safehttp.NewHookedClient(o, func(address string) error {
				dialled = address
				return errHooked
			})
			_, err := post(client, "http://"+host+"/")
			to, _ := netip.ParseAddrPort(dialled)
			if !errors.Is(err, errHooked) || to.Addr().Unmap() != a || to.Port() != 80 {
				t.Errorf("%s: dialled %q, error %v", host, dialled, err)
			}
		}
	}
}

func (p *prober) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go p.serve(server)
		return client, nil
	}}
}

// serve answers questions for the names of probes.
func (p *prober) serve(conn net.Conn) {
	serveQueries(conn, func(query []byte) []byte {
		name, end := question(query)
		found, ok := p.names.Load(strings.ToLower(name))
		if !ok {
			return answer(query, end, nil)
		}
		return answer(query, end, found.(*lookups).next(binary.BigEndian.Uint16(query[end:])))
	})
}

// next is what the name means now, as far as records of the asked type can hold it.
func (l *lookups) next(kind uint16) (found []netip.Addr) {
	done := &l.a
	if kind == typeAAAA {
		done = &l.aaaa
	}
	n := int(done.Add(1)) - 1
	for _, a := range l.answers[min(n, len(l.answers)-1)] {
		if a.Is4() == (kind == typeA) {
			found = append(found, a)
		}
	}
	return found
}
