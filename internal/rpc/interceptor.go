package rpc

import (
	"context"
	"errors"
	"io"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/coinslot/coinslot/internal/pay"
)

// documented turns every error into a documented one, of calls and of streams. It is
// the reason why none is ever sent: Connect would send a plain error's text to the
// caller. It also refuses messages that the codec could not read.
type documented struct{ wire Wire }

// WrapUnary implements connect.Interceptor.
func (d documented) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		started := time.Now()
		if err := checkDecoded(req.Any().(proto.Message)); err != nil {
			return nil, d.tell(ctx, req.Spec(), started, err)
		}
		res, err := next(ctx, req)
		if err != nil {
			return nil, d.tell(ctx, req.Spec(), started, err)
		}
		return res, nil
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (d documented) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		started := time.Now()
		if err := next(ctx, &documentedConn{StreamingHandlerConn: conn}); err != nil {
			return d.tell(ctx, conn.Spec(), started, err)
		}
		return nil
	}
}

// WrapStreamingClient implements connect.Interceptor. There are no clients here.
func (documented) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (d documented) tell(ctx context.Context, spec connect.Spec, started time.Time, err error) error {
	told := d.wire.tell(ctx, spec.Procedure, err)
	// Not the message: it can repeat what the caller sent, secrets among it.
	d.wire.Log.DebugContext(ctx, "call refused", "procedure", spec.Procedure, "code", pay.CodeOf(err),
		"field", fieldOf(err), "duration", time.Since(started).String())
	return told
}

// documentedConn is a stream on which Connect's own errors are told from a handler's:
// they are in the words of the wire already, and no bug of ours.
type documentedConn struct {
	connect.StreamingHandlerConn
	received bool
}

// Receive implements connect.StreamingHandlerConn.
func (c *documentedConn) Receive(m any) error {
	err := c.StreamingHandlerConn.Receive(m)
	if wantsOne := c.Spec().StreamType&connect.StreamTypeClient == 0; wantsOne {
		switch {
		case err == nil && c.received:
			return notOne("more than one")
		case errors.Is(err, io.EOF) && !c.received:
			return notOne("none")
		}
	}
	if err != nil {
		return ofTheWire(err)
	}
	c.received = true
	return checkDecoded(m.(proto.Message))
}

// Send implements connect.StreamingHandlerConn.
func (c *documentedConn) Send(m any) error { return ofTheWire(c.StreamingHandlerConn.Send(m)) }

// notOne is what gRPC has for a request without the one message that it should have.
func notOne(got string) error {
	return Told{connect.NewError(connect.CodeUnimplemented, errors.New("the request must have one message, got "+got))}
}

func ofTheWire(err error) error {
	var spoken *connect.Error
	if errors.As(err, &spoken) {
		return Told{spoken}
	}
	return err
}

// fieldOf is the field that a refusal names.
func fieldOf(err error) string {
	var known *pay.Error
	if errors.As(err, &known) {
		return known.Field
	}
	return ""
}
