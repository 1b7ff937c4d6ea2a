package inbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/webhook"
)

// eventPage is what an event's template shows.
type eventPage struct {
	layout
	row
	SessionLink string
	Told        []told
	Headers     []header
	Body        string // the very bytes
	Pretty      string
	BodyLink    string
	Secret      string
	SignedAt    string
	OpenSSL     string
	Program     string
	Own         string
}

// header is one header as it arrives.
type header struct{ Name, Value string }

func (v *visit) captured() (c gateway.Captured, ok bool) {
	id, err := pay.ParseEventID("id", v.r.PathValue("id"))
	if err == nil {
		c, err = v.Service.InboxEvent(v.r.Context(), id)
	} else {
		err = pay.Refuse(pay.EventNotFound, "there is no event %.120q", v.r.PathValue("id"))
	}
	if err != nil {
		v.refuse(err)
	}
	return c, err == nil
}

func (v *visit) event() {
	c, ok := v.captured()
	if !ok {
		return
	}
	now := v.Now()
	signed, err := sign(c.Event, v.Secret, now)
	if err != nil {
		v.refuse(err)
		return
	}
	page := eventPage{
		layout: v.layout("event", string(c.Type)), row: row{c.Event, Path + "/" + string(c.ID)},
		SessionLink: Path + filter{InboxQuery: gateway.InboxQuery{Session: c.Session}}.query(),
		Headers:     signed, Body: string(c.Payload), Pretty: pretty(c.Payload), BodyLink: Path + "/" + string(c.ID) + "/body",
		Secret: v.Secret, SignedAt: now.UTC().Format("15:04:05 UTC"), Program: v.Program,
		OpenSSL: openSSL(c.Payload, v.Secret, signed), Own: ownCommand(v.Program, c.Payload, v.Secret, signed),
	}
	for _, t := range c.Told {
		page.Told = append(page.Told, tell(t))
	}
	v.render(http.StatusOK, "event", page)
}

// body is the very bytes that are signed.
func (v *visit) body() {
	c, ok := v.captured()
	if !ok {
		return
	}
	v.w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Content-Length", strconv.Itoa(len(c.Payload)))
	_, _ = v.w.Write(c.Payload)
}

// order is that of the headers: what the request is, then what is signed, then the rest.
var order = []string{
	"Content-Type", "Content-Length", "User-Agent",
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Webhook-Attempt", "X-Toffeepay-Signature",
}

// spelled is how the docs write a name.
var spelled = map[string]string{
	"Webhook-Id": "webhook-id", "Webhook-Timestamp": "webhook-timestamp", "Webhook-Signature": "webhook-signature",
	"Webhook-Attempt": "webhook-attempt", "X-Toffeepay-Signature": "X-ToffeePay-Signature",
}

// sign makes the headers of a first attempt that is made now, but for Host, which is the
// receiver's own. What net/http adds to what we sign is among them.
func sign(e pay.Event, secret string, now time.Time) (headers []header, err error) {
	signed, err := webhook.Sign(webhook.Message{ID: e.ID, Body: e.Payload, At: now, Attempt: 1}, secret)
	if err != nil {
		return nil, err
	}
	signed.Set("Content-Length", strconv.Itoa(len(e.Payload)))
	canonical := http.Header{}
	for name, values := range signed {
		canonical[http.CanonicalHeaderKey(name)] = values
	}
	for _, name := range order {
		shown := name
		if s, ok := spelled[name]; ok {
			shown = s
		}
		headers = append(headers, header{shown, canonical.Get(name)})
	}
	return headers, nil
}

// pretty is a body for people to read, which is signed by nobody.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

// told is how an event stands with an endpoint, in words.
type told struct{ Endpoint, URL, Status, Last string }

func tell(t gateway.Told) told {
	says := told{Endpoint: string(t.Endpoint.ID), URL: plainURL(t.Endpoint.URL), Status: string(t.Delivery.Status), Last: "not tried yet"}
	if !t.Endpoint.Enabled {
		says.Status += ", endpoint disabled"
	}
	if t.Last != nil {
		says.Last = "attempt " + strconv.Itoa(t.Last.Number) + ": "
		if t.Last.Error != "" {
			says.Last += t.Last.Error
		} else {
			says.Last += "answered " + strconv.Itoa(t.Last.Status)
		}
		says.Last += " after " + t.Last.Duration.Round(time.Millisecond).String()
	}
	return says
}

// plainURL leaves out what may hold a receiver's password.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not a URL)"
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.RawQuery != "" {
		return plain.String() + "?…"
	}
	return plain.String()
}
