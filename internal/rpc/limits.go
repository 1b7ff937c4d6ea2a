package rpc

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/internal/pay"
)

// MostMessageBytes is how long a message may be, after decompression.
const MostMessageBytes = 8 << 20

// leastZipped is from how many bytes on an answer is packed. Shorter ones fit into one
// packet as they are.
const leastZipped = 1 << 10

// envelope is the length of what goes before each message of gRPC, and of a stream
// of Connect: one byte of flags, four of length.
const envelope = 5

// TightLimits bounds the messages of a handler that anybody may call.
func TightLimits() connect.HandlerOption {
	const most = 4 << 10
	return connect.WithHandlerOptions(connect.WithReadMaxBytes(most), connect.WithCompression("gzip", nil, nil))
}

// Zip packs with gzip.
func Zip() connect.Compressor { return gzip.NewWriter(io.Discard) }

// Unzip unpacks gzip, and no more of it than MostMessageBytes.
func Unzip() connect.Decompressor {
	return &unzipper{wire: Wire{Most: MostMessageBytes, Detail: errorDetail}}
}

// bound bounds what is read of a request that has one message, and refuses at once a
// message that announces itself as too long.
func (w Wire) bound(r *http.Request) error {
	b := &body{ReadCloser: r.Body, wire: w, most: int64(w.Most)}
	length := r.ContentLength
	if isEnveloped(r.Header.Get("Content-Type")) {
		var prefix [envelope]byte
		n, _ := io.ReadFull(r.Body, prefix[:]) // what is lacking, Read refuses
		length = int64(binary.BigEndian.Uint32(prefix[1:]))
		b.head, b.most = prefix[:n], envelope+b.most
		if n > 0 { // otherwise there is no message, which is for the protocol to refuse
			b.least = envelope + length
		}
	}
	r.Body = b
	if length > int64(w.Most) {
		return w.tooLong()
	}
	return nil
}

func isEnveloped(contentType string) bool {
	return strings.HasPrefix(contentType, "application/grpc") || strings.HasPrefix(contentType, "application/connect+")
}

func (w Wire) tooLong() error {
	return w.Detail.refusal(pay.Refuse(pay.RequestTooLarge, "the message must be at most %d bytes long, also once decompressed", w.Most))
}

// body is a request's body that refuses to be longer than a message may be, or
// shorter than it announced. Connect would notice too, but not in the documented
// form, and only after it had read an overlong body to its end, should that ever come.
type body struct {
	io.ReadCloser
	wire  Wire
	head  []byte // of the body, read already
	read  int64
	least int64
	most  int64
}

func (b *body) Read(to []byte) (n int, err error) {
	if len(b.head) > 0 {
		n = copy(to, b.head)
		b.head = b.head[n:]
	} else {
		n, err = b.ReadCloser.Read(to)
	}
	b.read += int64(n)
	switch {
	case b.read > b.most:
		return n, b.wire.tooLong()
	case err == io.EOF && b.read < b.least:
		return n, b.wire.Detail.refusal(pay.Refuse(pay.InvalidRequest, "the message must be whole, got %d bytes of %d", b.read, b.least))
	}
	return n, err
}

// unzipper stops unpacking where a message may not be longer. Connect's own would
// unpack all of a bomb, if only to say how large it was.
type unzipper struct {
	gzip.Reader
	wire   Wire
	broken error // of the header
	read   int64
}

// Reset implements connect.Decompressor. What is wrong with the header, Read tells:
// from here Connect would pass it on in words of its own.
func (u *unzipper) Reset(from io.Reader) error {
	u.read, u.broken = 0, u.Reader.Reset(from)
	return nil
}

// Close implements connect.Decompressor. There is nothing to let go of.
func (u *unzipper) Close() error { return nil }

func (u *unzipper) Read(to []byte) (n int, err error) {
	if err = u.broken; err == nil {
		n, err = u.Reader.Read(to)
	}
	u.read += int64(n)
	switch {
	case u.read > int64(u.wire.Most):
		return n, u.wire.tooLong()
	case err != nil && err != io.EOF:
		return n, u.wire.Detail.refusal(pay.Refuse(pay.InvalidRequest, "the body must be gzip, as it says it is: %v", err))
	}
	return n, err
}
