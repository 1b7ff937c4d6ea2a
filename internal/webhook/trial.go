package webhook

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// TestEvent is the type of the event that SendTest sends. It is none of those an
// endpoint can subscribe to, so a receiver cannot take a test for a sale.
const TestEvent pay.EventType = "endpoint.test"

// testPayload is shaped as every other payload is. Nothing changed, so there is no
// session it could count in, and no data.
type testPayload struct {
	ID          pay.EventID     `json:"id"`
	Event       pay.EventType   `json:"event"`
	Type        pay.EventType   `json:"type"`
	Timestamp   string          `json:"timestamp"`
	Environment pay.Environment `json:"environment"`
	Sequence    int             `json:"sequence"`
	Data        struct{}        `json:"data"`
}

// SendTest sends a test event to one endpoint, disabled or not, at once and without
// retries, and reports its id and the attempt. The attempt belongs to no delivery
// and is not kept. Whatever goes wrong is in it.
func (r *Relay) SendTest(ctx context.Context, to pay.Endpoint) (pay.EventID, pay.Attempt) {
	now := r.now()
	id := newTestID(now)
	body, err := json.Marshal(testPayload{
		ID: id, Event: TestEvent, Type: TestEvent,
		Timestamp: pay.Clock(now).Format(time.RFC3339Nano), Environment: to.Environment,
	})
	if err != nil {
		panic("webhook: " + err.Error()) // strings always marshal
	}
	attempt, _ := r.send(ctx, to, Message{ID: id, Body: body, Attempt: 1})
	r.report(ctx, to.ID, id, result{attempt: attempt})
	return id, attempt
}

// ListenerSecret is what forwarded events are signed with.
func (r *Relay) ListenerSecret(env pay.Environment) string { return r.secrets.Listener(env) }

// newTestID is a UUID of version 7 (RFC 9562, section 5.7), as the ids of events are.
func newTestID(now time.Time) pay.EventID {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], uint64(now.UnixMilli())<<16)
	rand.Read(u[6:]) // never fails
	u[6] = 0x70 | u[6]&0x0f
	u[8] = 0x80 | u[8]&0x3f
	return pay.EventID(pay.FormatUUID(u))
}
