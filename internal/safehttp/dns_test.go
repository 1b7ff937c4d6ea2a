package safehttp_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
)

// resolver is a resolver whose name server gives every name the same addresses: to the first lookup those of the
// first answer, to the second those of the second, and the last answer from then on. It speaks over a pipe.
func resolver(answers ...string) *net.Resolver {
	var lookups atomic.Int64
	next := func() []string {
		n := int(lookups.Add(1)) - 1
		return strings.Fields(answers[min(n, len(answers)-1)])
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveDNS(server, next)
		return client, nil
	}}
}

// serveDNS answers over a stream, where a message comes after its length (RFC 1035, section 4.2.2).
func serveDNS(conn net.Conn, next func() []string) {
	defer conn.Close()
	for {
		var length uint16
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		query := make([]byte, length)
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := answerDNS(query, next)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// answerDNS knows IPv4 addresses only: any other question is answered with no records.
func answerDNS(query []byte, next func() []string) []byte {
	const header, typeA = 12, 1
	end := header
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end++
	var addresses []string
	if binary.BigEndian.Uint16(query[end:]) == typeA {
		addresses = next()
	}
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0}, query[header:end+4]...)
	for _, a := range addresses {
		// The name of the question, type A, class IN, no caching, four bytes.
		answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, netip.MustParseAddr(a).AsSlice()...)
	}
	return answer
}
