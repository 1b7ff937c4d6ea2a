package rpc_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// provoked is how a caller of PaymentService gets each code over the wire, with the
// HTTP status that is documented for it.
var provoked = []struct {
	code   pay.Code
	status int
	call   func(*testing.T, *line) answer
}{
	{pay.Unauthorized, 401, calls("GetSession", `{"id":"sess_1"}`, "Authorization", "Bearer sk_sandbox_nonsense")},
	{pay.Forbidden, 403, func(t *testing.T, l *line) answer {
		_, reader, err := l.Gateway.CreateKey(t.Context(), pay.Key{Environment: pay.Sandbox, Game: "arcade", ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		return l.call(t, "CreateSession", anOrder, "Authorization", "Bearer "+reader)
	}},
	{pay.RateLimited, 429, func(t *testing.T, _ *line) answer {
		slow := openLine(t, func(o *installation.Options) { o.RateLimit = 0.001 })
		slow.create(t)
		return slow.call(t, "CreateSession", anOrder)
	}},
	{pay.InvalidRequest, 400, calls("CreateSession", `{"game_id":`)},
	{pay.RequestTooLarge, 429, calls("CreateSession", zipped(strings.Repeat(" ", 9<<20)), "Content-Encoding", "gzip")},
	{pay.InvalidGameID, 400, orders("arcade\"", "go\"")},
	{pay.InvalidUserID, 400, orders(`"p"`, `""`)},
	{pay.InvalidItem, 400, orders(`"item":{`, `"nothing":{`)},
	{pay.InvalidTitle, 400, orders("Coin", "")},
	{pay.InvalidPrice, 400, orders("100", "-5")},
	{pay.InvalidCurrency, 400, orders("USD", "usd")},
	{pay.InvalidImage, 400, orders(`"USD"`, `"USD","image":"data:image/svg+xml;base64,PHN2Zy8+"`)},
	{pay.InvalidReturnURL, 400, orders("arcade://done", "javascript:alert(1)")},
	{pay.InvalidCancelURL, 400, orders(`"return_url"`, `"cancel_url":"done","return_url"`)},
	{pay.InvalidMetadata, 400, orders(`"return_url"`, `"metadata":{"values":{"":"x"}},"return_url"`)},
	{pay.InvalidExpiresIn, 400, orders(`"return_url"`, `"expires_in":"59s","return_url"`)},
	{pay.InvalidLimit, 400, calls("ListSessions", `{"game_id":"arcade","limit":251}`)},
	{pay.InvalidOffset, 400, calls("ListSessions", `{"game_id":"arcade","offset":-1}`)},
	{pay.InvalidCursor, 400, calls("ListSessions", `{"game_id":"arcade","cursor":"x"}`)},
	{pay.InvalidConsumer, 400, calls("EventService/ListEvents", `{"consumer":"two words"}`)},
	{pay.InvalidStatus, 400, calls("ListSessions", `{"game_id":"arcade","status":"PAID"}`)},
	{pay.InvalidID, 400, calls("GetSession", `{"id":"pay_1"}`)},
	{pay.InvalidAmount, 400, func(t *testing.T, l *line) answer {
		return l.refund(t, l.pay(t, l.create(t)), `,"amount":101`)
	}},
	{pay.InvalidIdempotencyKey, 400, calls("CreateSession", anOrder, "Idempotency-Key", strings.Repeat("k", 256))},
	{pay.SessionNotFound, 404, calls("GetSession", `{"id":"sess_1"}`)},
	{pay.PaymentNotFound, 404, calls("GetPayment", `{"id":"pay_1"}`)},
	{pay.RefundNotFound, 404, calls("RefundService/GetRefund", `{"id":"ref_1"}`)},
	{pay.EventNotFound, 404, calls("EventService/GetEvent", `{"id":"01978c2e-0000-7000-8000-000000000000"}`)},
	{pay.SessionHasExpired, 400, expiredSession},
	{pay.SessionNotPending, 400, func(t *testing.T, l *line) answer {
		id := l.create(t)
		l.pay(t, id)
		return l.call(t, "CancelSession", `{"id":"`+id+`"}`)
	}},
	{pay.PaymentInProgress, 400, func(t *testing.T, l *line) answer {
		chess := &line{l.Installation, l.url, l.Key(t, pay.Sandbox, pay.Game{ID: "chess", Capture: pay.CaptureManual})}
		id := chess.create(t, "arcade\"", "chess\"")
		chess.pay(t, id) // which holds the money until the game takes it
		return chess.call(t, "CancelSession", `{"id":"`+id+`"}`)
	}},
	{pay.PaymentNotAuthorized, 400, func(t *testing.T, l *line) answer {
		return l.call(t, "CancelPayment", `{"id":"`+l.pay(t, l.create(t))+`"}`)
	}},
	{pay.AlreadyRefunded, 400, func(t *testing.T, l *line) answer {
		id := l.pay(t, l.create(t))
		l.refund(t, id, "")
		return l.refund(t, id, "")
	}},
	{pay.RefundNotAllowed, 400, func(t *testing.T, l *line) answer {
		return l.refund(t, l.decline(t, l.create(t)), "")
	}},
	{pay.IdempotencyConflict, 409, func(t *testing.T, l *line) answer {
		l.call(t, "CreateSession", anOrder, "Idempotency-Key", "once")
		return l.call(t, "CreateSession", order("100", "101"), "Idempotency-Key", "once")
	}},
	{pay.Internal, 500, broken(errors.New("it broke"))},
	{pay.Unavailable, 503, broken(fmt.Errorf("out of reach: %w", store.ErrUnavailable))},
}

func calls(method, body string, headers ...string) func(*testing.T, *line) answer {
	return func(t *testing.T, l *line) answer { return l.call(t, method, body, headers...) }
}

func orders(changes ...string) func(*testing.T, *line) answer {
	return calls("CreateSession", order(changes...))
}

func broken(err error) func(*testing.T, *line) answer {
	return func(t *testing.T, _ *line) answer {
		l, faults, _ := openFaulty(t)
		faults.Fail(err)
		return l.call(t, "CreateSession", anOrder)
	}
}

func expiredSession(t *testing.T, _ *line) answer {
	var late atomic.Bool
	l := openLine(t, func(o *installation.Options) {
		o.Clock = clock.Reading(func() time.Time {
			if late.Load() {
				return time.Now().Add(time.Hour)
			}
			return time.Now()
		})
	})
	id := l.create(t, `"return_url"`, `"expires_in":"60s","return_url"`)
	late.Store(true)
	return l.call(t, "CancelSession", `{"id":"`+id+`"}`)
}

// pay pays a session as a player would, and returns the payment's id.
func (l *line) pay(t *testing.T, session string) string {
	t.Helper()
	return l.tap(t, session, "tok_approved")
}

// refund asks for money back; more is the rest of the request's fields.
func (l *line) refund(t *testing.T, payment, more string) answer {
	t.Helper()
	return l.call(t, "RefundService/CreateRefund", `{"payment_id":"`+payment+`"`+more+`}`)
}

// decline tries to pay with what is declined.
func (l *line) decline(t *testing.T, session string) string {
	t.Helper()
	return l.tap(t, session, "tok_declined")
}

func (l *line) tap(t *testing.T, session, token string) string {
	t.Helper()
	done, err := l.Gateway.Pay(t.Context(), pay.SessionID(session), gateway.Tender{Method: pay.MethodApplePay, Token: token})
	if err != nil || done.Payment == nil {
		t.Fatal(done, err)
	}
	return string(done.Payment.ID)
}

func TestEveryCodeIsProvokedOverTheWire(t *testing.T) {
	untested := codesForCallers(t)
	l := openLine(t)
	for _, p := range provoked {
		t.Run(string(p.code), func(t *testing.T) {
			got := p.call(t, l)
			want := string(p.code)
			if p.code == pay.RequestTooLarge {
				want = string(pay.InvalidRequest)
			}
			if got.status != p.status || got.code != want || got.message == "" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			waits := p.code == pay.RateLimited || p.code == pay.Unavailable
			if after := got.header.Get("Retry-After"); (after != "") != waits {
				t.Errorf("Retry-After is %q", after)
			}
		})
		delete(untested, p.code)
	}
	for code := range untested {
		t.Errorf("nothing provokes %s", code)
	}
}

// codesForCallers are the codes of the first group of constants in package pay: those
// that callers of PaymentService see.
func codesForCallers(t *testing.T) map[pay.Code]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../pay/errors.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[pay.Code]bool{}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST || !strings.Contains(group.Doc.Text(), "The codes that callers see") {
			continue
		}
		for _, spec := range group.Specs {
			text, err := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[pay.Code(text)] = true
		}
	}
	if len(codes) == 0 {
		t.Fatal("../pay/errors.go has no group of codes that callers see")
	}
	return codes
}
