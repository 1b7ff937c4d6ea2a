package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/rpc"
)

// What every session of a benchmark is for.
const (
	itemTitle    = "500 Gems"
	itemPrice    = 499
	itemCurrency = "USD"
	returnURL    = "https://game.example.com/shop/thanks"
	pageOfList   = 50
)

// userName is the nth of a hundred thousand players. Its length is always the same.
func userName(n int) string { return fmt.Sprintf("player-%08d", n%100_000) }

func newCaller(ctx context.Context, j Job) (caller, error) {
	if j.Protocol == overGRPC {
		return newGRPCCaller(j), nil
	}
	return newHTTPCaller(ctx, j)
}

// grpcCaller speaks gRPC over HTTP/2 without TLS.
type grpcCaller struct {
	transport *http.Transport
	client    payv1connect.PaymentServiceClient
	job       Job
}

func newGRPCCaller(j Job) *grpcCaller {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	c := &grpcCaller{transport: &http.Transport{Protocols: &protocols}, job: j}
	c.client = payv1connect.NewPaymentServiceClient(&http.Client{Transport: c.transport}, j.Target.URL, connect.WithGRPC())
	return c
}

func (c *grpcCaller) call(ctx context.Context, n int) error {
	ctx, info := connect.NewClientContext(ctx)
	info.RequestHeader().Set("Authorization", "Bearer "+c.job.Target.Key)
	var err error
	if c.job.Call == callCreate {
		_, err = c.client.CreateSession(ctx, newOrder(n))
	} else {
		_, err = c.client.GetSessionStatus(ctx, &payv1.GetSessionStatusRequest{Id: c.job.Target.Session})
	}
	return err
}

func (c *grpcCaller) close() { c.transport.CloseIdleConnections() }

func newOrder(n int) *payv1.CreateSessionRequest {
	return &payv1.CreateSessionRequest{
		GameId: string(game.ID), UserId: userName(n), ReturnUrl: returnURL,
		Item: &payv1.Item{Title: itemTitle, Price: itemPrice, Currency: itemCurrency},
	}
}

// httpCaller writes requests that were made once, with a number put in where each
// must differ: the less the load costs, the more of the machine the server gets.
type httpCaller struct {
	conn    net.Conn
	answers *bufio.Reader
	request []byte
	numbers []int // where in the request the number stands
}

// place is where a number is put in: as many digits as it has letters.
const place = "NNNNNNNN"

func newHTTPCaller(ctx context.Context, j Job) (*httpCaller, error) {
	request, err := j.request(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", j.host())
	if err != nil {
		return nil, err
	}
	c := &httpCaller{conn: conn, answers: bufio.NewReader(conn), request: request}
	for at := 0; ; {
		next := bytes.Index(c.request[at:], []byte(place))
		if next < 0 {
			return c, nil
		}
		at += next
		c.numbers = append(c.numbers, at)
		at += len(place)
	}
}

func (j Job) host() string { return strings.TrimPrefix(j.Target.URL, "http://") }

// request is a call as it goes over the line.
func (j Job) request(ctx context.Context) ([]byte, error) {
	if j.Call == callPage {
		return fmt.Appendf(nil, "GET /pay/%s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip\r\n\r\n",
			j.Target.Session, j.host()), nil
	}
	path, body, err := j.message(ctx)
	if err != nil {
		return nil, err
	}
	kind := map[string]string{overJSON: "json", overBinary: "proto"}[j.Protocol]
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/%s\r\nAuthorization: Bearer %s\r\n",
		path, j.host(), kind, j.Target.Key)
	if j.Call == callKeyed {
		request = fmt.Appendf(request, "Idempotency-Key: %s-%s\r\n", rand.Text(), place)
	}
	return fmt.Appendf(request, "Content-Length: %d\r\n\r\n%s", len(body), body), nil
}

func (c *httpCaller) call(_ context.Context, n int) error {
	for _, at := range c.numbers {
		copy(c.request[at:], fmt.Sprintf("%08d", n%100_000_000))
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		return fmt.Errorf("the answer was %s: %s", res.Status, body)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func (c *httpCaller) close() { _ = c.conn.Close() }

// message is the path and body of a call over HTTP.
func (j Job) message(ctx context.Context) (path string, body []byte, err error) {
	var m proto.Message
	switch j.Call {
	case callEcho:
		return "/", []byte(`{"id":"` + strings.Repeat("0", len("sess_")+32) + `"}`), nil
	case callStatus:
		path, m = payv1connect.PaymentServiceGetSessionStatusProcedure, &payv1.GetSessionStatusRequest{Id: j.Target.Session}
	case callGet:
		path, m = payv1connect.PaymentServiceGetSessionProcedure, &payv1.GetSessionRequest{Id: j.Target.Session}
	case callCreate, callKeyed:
		order := newOrder(0)
		order.UserId = "player-" + place
		path, m = payv1connect.PaymentServiceCreateSessionProcedure, order
	default:
		path = payv1connect.PaymentServiceListSessionsProcedure
		if m, err = j.page(ctx); err != nil {
			return "", nil, err
		}
	}
	if j.Protocol == overBinary {
		body, err = proto.Marshal(m)
		return path, body, err
	}
	raw, err := rpc.WriteJSON.Marshal(m)
	if err != nil {
		return "", nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, raw)
	return path, compact.Bytes(), err
}

// page is the part of a list that a call asks for.
func (j Job) page(ctx context.Context) (*payv1.ListSessionsRequest, error) {
	req := &payv1.ListSessionsRequest{GameId: string(game.ID), Limit: proto.Int32(pageOfList)}
	switch j.Call {
	case callOffset:
		req.Offset = proto.Int32(int32(j.Target.Sessions / 10 * 9))
	case callCursor:
		client := payv1connect.NewPaymentServiceClient(http.DefaultClient, j.Target.URL)
		ctx, info := connect.NewClientContext(ctx)
		info.RequestHeader().Set("Authorization", "Bearer "+j.Target.Key)
		middle, err := client.ListSessions(ctx, &payv1.ListSessionsRequest{
			GameId: req.GameId, Limit: proto.Int32(1), Offset: proto.Int32(int32(j.Target.Sessions / 2)),
		})
		if err != nil {
			return nil, fmt.Errorf("find the middle of %s sessions: %w", strconv.Itoa(j.Target.Sessions), err)
		}
		req.Cursor = middle.NextCursor
	}
	return req, nil
}
