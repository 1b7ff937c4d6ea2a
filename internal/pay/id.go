package pay

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// Ids are strings of a type of their own, so that one cannot be given for another.
type (
	SessionID  string // sess_…; it opens the payment page, so it is a secret of the player's
	PaymentID  string // pay_…
	RefundID   string // ref_…
	KeyID      string // key_…
	EndpointID string // we_…
	EventID    string // a UUID, version 7
	GameID     string // chosen by the operator: [a-z0-9][a-z0-9_-]{0,63}
	UserID     string // chosen by the game
)

// Entropy is the random part of an id: 112 bits. With 48 bits of time before it an
// id has 160 bits, which base32 writes in 32 characters without padding.
type Entropy [14]byte

// idText is base32 whose alphabet is in ASCII order, so that ids sort by creation.
var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

const idLength = 32

// NewSessionID makes the id of a session created at now.
func NewSessionID(now time.Time, e Entropy) SessionID { return SessionID(newID("sess_", now, e)) }

// NewPaymentID makes the id of a payment created at now.
func NewPaymentID(now time.Time, e Entropy) PaymentID { return PaymentID(newID("pay_", now, e)) }

// NewRefundID makes the id of a refund created at now.
func NewRefundID(now time.Time, e Entropy) RefundID { return RefundID(newID("ref_", now, e)) }

// NewKeyID makes the id of an API key created at now. It is not the key.
func NewKeyID(now time.Time, e Entropy) KeyID { return KeyID(newID("key_", now, e)) }

// NewEndpointID makes the id of a webhook endpoint created at now.
func NewEndpointID(now time.Time, e Entropy) EndpointID { return EndpointID(newID("we_", now, e)) }

func newID(prefix string, now time.Time, e Entropy) string {
	var raw [20]byte
	putMillis(raw[:6], now)
	copy(raw[6:], e[:])
	return prefix + idText.EncodeToString(raw[:])
}

func putMillis(to []byte, t time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	copy(to, ms[2:])
}

// ParseSessionID checks the shape of a session's id, which came in the named field.
func ParseSessionID(field, text string) (SessionID, error) {
	return SessionID(text), checkID(field, "sess_", text)
}

// ParsePaymentID checks the shape of a payment's id, which came in the named field.
func ParsePaymentID(field, text string) (PaymentID, error) {
	return PaymentID(text), checkID(field, "pay_", text)
}

// ParseRefundID checks the shape of a refund's id, which came in the named field.
func ParseRefundID(field, text string) (RefundID, error) {
	return RefundID(text), checkID(field, "ref_", text)
}

// ParseEventID checks the shape of an event's id, a UUID in lower case, which came in
// the named field.
func ParseEventID(field, text string) (EventID, error) {
	if !uuid.MatchString(text) {
		return "", RefuseField(InvalidID, field, "must be a UUID in lower case, got %s", quote(text))
	}
	return EventID(text), nil
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkID accepts any id with the prefix and sane characters, not only those of
// today's length: an unknown id is "not found", and only nonsense is "invalid".
func checkID(field, prefix, text string) error {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || rest == "" || len(rest) > 64 {
		return RefuseField(InvalidID, field, "must look like %s…, got %s", prefix, quote(text))
	}
	for _, c := range []byte(rest) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return RefuseField(InvalidID, field, "must be %s and lower-case letters and digits, got %s", prefix, quote(text))
		}
	}
	return nil
}

// newEventID is the id of a session's nth event: a UUID of version 7 (RFC 9562,
// section 5.7) whose random part is drawn from the session's own secret. The same
// event therefore has the same id however often its decision is made.
func newEventID(session SessionID, sequence int64, at time.Time) EventID {
	h := sha256.New()
	h.Write([]byte(session))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(sequence)))
	var u [16]byte
	copy(u[:], h.Sum(nil))
	return stampUUID(u, at)
}

// stampUUID makes a UUID of version 7 (RFC 9562, section 5.7) of random bytes.
func stampUUID(u [16]byte, at time.Time) EventID {
	putMillis(u[:6], at)
	u[6] = 0x70 | u[6]&0x0f
	u[8] = 0x80 | u[8]&0x3f
	return EventID(FormatUUID(u))
}

// FormatUUID writes a UUID as RFC 9562 does, in lower case.
func FormatUUID(u [16]byte) string {
	x := hex.EncodeToString(u[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
