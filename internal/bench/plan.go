package bench

import "strings"

// What the load asks for.
const (
	callEcho   = "echo"
	callStatus = "GetSessionStatus"
	callGet    = "GetSession"
	callPage   = "the payment page, as a browser asks for it"
	callCreate = "CreateSession"
	callKeyed  = "CreateSession, with an idempotency key each"
	callList   = "ListSessions"
	callCursor = "ListSessions, by a cursor from the middle"
	callOffset = "ListSessions, by an offset of nine tenths"

	callPost    = "post signed messages"
	callDeliver = "deliver a backlog of webhooks"
)

// And how.
const (
	overJSON   = "JSON"
	overBinary = "binary"
	overGRPC   = "gRPC"
	overHTML   = "HTML"
)

// The servers that are measured, all in the one process that serves.
const (
	targetEcho     = "echo"     // net/http and nothing else
	targetStill    = "still"    // Coinslot on a store that does nothing
	targetGrouped  = "grouped"  // Coinslot as it is
	targetSolo     = "solo"     // Coinslot with one transaction for each request
	targetThousand = "thousand" // Coinslot with a thousand sessions
	targetMillion  = "million"  // Coinslot with a million

	targetDeliveries = "deliveries" // receivers of webhooks, in a process of their own
)

// measurement is one line of the table of rates.
type measurement struct {
	name        string
	target      string
	call        string
	protocol    string
	connections int  // 0: as the options say
	full        bool // only with Full
	endpoints   int  // of deliveries
}

// measurements are in an order in which those that are compared follow each other.
var measurements = []measurement{
	{name: "echo", target: targetEcho, call: callEcho, protocol: overJSON},
	{name: "noop-json", target: targetStill, call: callStatus, protocol: overJSON},
	{name: "status", target: targetGrouped, call: callStatus, protocol: overJSON},
	{name: "get", target: targetGrouped, call: callGet, protocol: overJSON},
	{name: "page", target: targetGrouped, call: callPage, protocol: overHTML},
	{name: "noop-binary", target: targetStill, call: callStatus, protocol: overBinary},
	{name: "noop-grpc", target: targetStill, call: callStatus, protocol: overGRPC},
	{name: "create-grpc", target: targetGrouped, call: callCreate, protocol: overGRPC},
	{name: "create", target: targetGrouped, call: callCreate, protocol: overJSON},
	{name: "create-solo", target: targetSolo, call: callCreate, protocol: overJSON},
	{name: "create-keyed", target: targetGrouped, call: callKeyed, protocol: overJSON},
	{name: "create-one", target: targetGrouped, call: callCreate, protocol: overJSON, connections: 1},
	{name: "create-one-solo", target: targetSolo, call: callCreate, protocol: overJSON, connections: 1},
	{name: "post-one", target: targetDeliveries, call: callPost, endpoints: 1},
	{name: "deliver-one", target: targetDeliveries, call: callDeliver, endpoints: 1},
	{name: "post-eight", target: targetDeliveries, call: callPost, endpoints: mostEndpoints},
	{name: "deliver-eight", target: targetDeliveries, call: callDeliver, endpoints: mostEndpoints},
	{name: "list-thousand", target: targetThousand, call: callList, protocol: overJSON, full: true},
	{name: "list-million", target: targetMillion, call: callList, protocol: overJSON, full: true},
	{name: "list-cursor", target: targetMillion, call: callCursor, protocol: overJSON, full: true},
	{name: "list-offset", target: targetMillion, call: callOffset, protocol: overJSON, full: true},
}

func names() string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return strings.Join(append(all, nameOfWatch), ", ")
}

// figure is one ratio of two measurements, and what it should be.
type figure struct {
	what      string
	of, to    string // measurements
	must, aim float64
	most      bool               // must and aim are the most that it should be, not the least
	by        func(pair) float64 // byRate if nil
}

func (f figure) ratio() func(pair) float64 {
	if f.by == nil {
		return byRate
	}
	return f.by
}

var figures = []figure{
	{what: "CreateSession JSON ÷ no-op JSON", of: "create", to: "noop-json", must: 0.27, aim: 0.50},
	{what: "CreateSession gRPC ÷ no-op gRPC", of: "create-grpc", to: "noop-grpc", must: 0.45, aim: 0.65},
	{what: "CreateSession ÷ one transaction per request", of: "create", to: "create-solo", must: 3, aim: 5},
	{what: "the same with one connection", of: "create-one", to: "create-one-solo", must: 0.9, aim: 1},
	{what: "GetSessionStatus ÷ no-op", of: "status", to: "noop-json", must: 0.65, aim: 0.90},
	{what: "p99 of the payment page ÷ p99 of GetSession", of: "page", to: "get", must: 3, aim: 2, most: true, by: byP99},
	{what: "no-op JSON ÷ bare net/http echo", of: "noop-json", to: "echo", must: 0.50, aim: 0.80},
	{what: "webhook deliveries ÷ bare signed POSTs, one endpoint", of: "deliver-one", to: "post-one", must: 0.5, aim: 0.8},
	{what: "the same with eight endpoints", of: "deliver-eight", to: "post-eight", must: 0.5, aim: 0.8},
	{what: "time of a page: a million ÷ a thousand sessions", of: "list-thousand", to: "list-million", must: 1.5, aim: 1.2, most: true},
	{what: "time of a page: in the middle by cursor ÷ the first", of: "list-million", to: "list-cursor", must: 1.5, aim: 1.2, most: true},
	{what: "time of a page: at offset 900,000 ÷ the first", of: "list-million", to: "list-offset", must: 20, aim: 3, most: true},
}
