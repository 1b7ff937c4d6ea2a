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
		go serveQueries(server, func(query []byte) []byte {
			_, end := question(query)
			var found []netip.Addr
			if binary.BigEndian.Uint16(query[end:]) == typeA {
				for _, text := range next() {
					found = append(found, netip.MustParseAddr(text))
				}
			}
			return answer(query, end, found)
		})
		return client, nil
	}}
}

// The types of the questions that a dialer asks (RFC 1035, RFC 3596).
const (
	typeA    = 1
	typeAAAA = 28
)

// header is the size of a message's header.
const header = 12

// serveQueries answers over a stream, where a message comes after its length (RFC 1035,
// section 4.2.2).
func serveQueries(conn net.Conn, respond func(query []byte) []byte) {
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
		message := respond(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)); err != nil {
			return
		}
	}
}

// question is the name that is asked for, and where its type stands.
func question(query []byte) (name string, end int) {
	var labels []string
	for end = header; query[end] != 0; {
		size := int(query[end])
		labels = append(labels, string(query[end+1:end+1+size]))
		end += 1 + size
	}
	return strings.Join(labels, "."), end + 1
}

// answer holds a record of the asked type for each address.
func answer(query []byte, end int, addresses []netip.Addr) []byte {
	message := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0}, query[header:end+4]...)
	for _, a := range addresses {
		raw := a.AsSlice()
		// The name of the question, its type, class IN, no caching, the address.
		message = append(message, 0xc0, header, query[end], query[end+1], 0, 1, 0, 0, 0, 0, 0, byte(len(raw)))
		message = append(message, raw...)
	}
	return message
}
