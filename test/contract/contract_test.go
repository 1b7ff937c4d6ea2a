// Package contract holds the wire to what was published. Clients that we do not
// build decode our answers by number: a field that moves breaks them silently.
package contract

import (
	"fmt"
	"iter"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/testneed"
)

// firstOfOurs is the lowest number that a field of ours may have in a message that
// others published.
const firstOfOurs = 100

// files are those of pay.v1.
var files = []protoreflect.FileDescriptor{
	payv1.File_pay_v1_common_proto, payv1.File_pay_v1_payment_proto, payv1.File_pay_v1_refund_proto, payv1.File_pay_v1_event_proto,
}

// messages is every message of pay.v1 as one line per field: its number, its type
// (`opt` for proto3 optional) and its name.
var messages = map[protoreflect.FileDescriptor]string{
	payv1.File_pay_v1_common_proto: `
Error
  1 string code
  2 string message
`,
	payv1.File_pay_v1_payment_proto: `
Item
  1 string title
  2 int32 price
  3 string currency
  4 opt string image
  5 opt string country
  100 int32 exponent
Tax
  1 int32 amount
SessionMetadata
  1 opt string offer_id
  100 map<string,string> values
Session
  1 string id
  2 string url
  3 string status
  4 opt string payment_id
  5 string user_id
  6 string game_id
  7 Item item
  8 Timestamp created_at
  9 opt Timestamp paid_at
  10 opt Timestamp failed_at
  11 opt Timestamp cancelled_at
  12 opt Timestamp expired_at
  13 opt Tax tax
  14 opt SessionMetadata metadata
  100 string return_url
  101 opt string cancel_url
  102 Timestamp expires_at
  103 opt string order_id
  104 string environment
PaymentExtraData
  1 int32 real_amount
  2 int32 bonus_amount
Payment
  1 string id
  2 string session_id
  3 string status
  4 int32 amount
  5 string currency
  6 string method
  7 string details
  8 Timestamp created_at
  9 opt Timestamp authorized_at
  10 opt Timestamp cancelled_at
  11 opt Timestamp succeeded_at
  12 opt Timestamp failed_at
  13 opt Timestamp refunded_at
  14 opt Error error
  15 opt PaymentExtraData extra_data
  100 int32 refunded_amount
  101 int32 exponent
  102 string game_id
  103 string user_id
  104 string environment
CreateSessionRequest
  1 string game_id
  2 string user_id
  3 Item item
  4 string return_url
  5 opt bool wallet_enabled
  100 opt SessionMetadata metadata
  101 opt string cancel_url
  102 opt Duration expires_in
  103 opt string order_id
  104 opt string locale
CreateSessionResponse
  1 string id
  2 string url
  3 Session session
CancelSessionRequest
  1 string id
CancelSessionResponse
GetSessionRequest
  1 string id
GetSessionResponse
  1 Session session
  100 string id
  101 string status
  102 opt string payment_id
  103 string user_id
  104 string game_id
  105 Item item
  106 Timestamp created_at
  107 opt Timestamp paid_at
  108 opt Timestamp failed_at
  109 opt Timestamp cancelled_at
  110 opt Timestamp expired_at
GetSessionStatusRequest
  1 string id
GetSessionStatusResponse
  1 string id
  2 string status
ListSessionsRequest
  1 string game_id
  2 opt string user_id
  3 opt string status
  4 opt int32 limit
  5 opt int32 offset
  100 opt string cursor
  101 opt string order_id
ListSessionsResponse
  1 repeated Session sessions
  2 int32 total
  3 bool has_more
  100 opt string next_cursor
GetPaymentRequest
  1 string id
  2 opt bool with_extra_data
GetPaymentResponse
  1 Payment payment
  100 string id
  101 string session_id
  102 string status
  103 int32 amount
  104 string currency
  105 string method
  106 string details
  107 Timestamp created_at
  108 opt Timestamp authorized_at
  109 opt Timestamp cancelled_at
  110 opt Timestamp succeeded_at
  111 opt Timestamp failed_at
  112 opt Timestamp refunded_at
CompletePaymentRequest
  1 string id
CompletePaymentResponse
CancelPaymentRequest
  1 string id
CancelPaymentResponse
ListPaymentsRequest
  1 string game_id
  2 opt string user_id
  3 opt int32 limit
  4 opt int32 offset
  5 opt bool with_extra_data
  100 opt string cursor
ListPaymentsResponse
  1 repeated Payment payments
  2 int32 total
  3 bool has_more
  100 opt string next_cursor
`,
	payv1.File_pay_v1_refund_proto: `
Refund
  1 string id
  2 string payment_id
  3 string status
  4 opt string reason
  5 Timestamp created_at
  6 opt Timestamp succeeded_at
  7 opt Timestamp failed_at
  8 opt Timestamp cancelled_at
  9 opt Error error
  100 int32 amount
  101 string currency
  102 int32 exponent
CreateRefundRequest
  1 string payment_id
  2 opt string reason
  100 opt int32 amount
CreateRefundResponse
  1 string id
  2 Refund refund
GetRefundRequest
  1 string id
GetRefundResponse
  1 Refund refund
  100 string id
  101 string payment_id
  102 string status
  103 opt string reason
  104 Timestamp created_at
  105 opt Timestamp succeeded_at
  106 opt Timestamp failed_at
  107 opt Timestamp cancelled_at
ListRefundsRequest
  1 opt string payment_id
  2 opt string status
  3 opt int32 limit
  4 opt int32 offset
  100 opt string game_id
  101 opt string cursor
ListRefundsResponse
  1 repeated Refund refunds
  2 int32 total
  3 bool has_more
  100 opt string next_cursor
`,
	payv1.File_pay_v1_event_proto: `
Event
  1 string id
  2 string event
  3 string type
  4 Timestamp timestamp
  5 string environment
  6 int32 sequence
  7 EventData data
EventData
  1 opt string payment_id
  2 opt string session_id
  3 opt string game_id
  4 opt string user_id
  5 opt string refund_id
  6 Session session
  7 Payment payment
  8 Refund refund
GetEventRequest
  1 string id
GetEventResponse
  1 Event event
ListEventsRequest
  1 opt string game_id
  2 opt string session_id
  3 repeated string types
  4 opt int32 limit
  5 opt string cursor
  6 opt string consumer
ListEventsResponse
  1 repeated Event events
  2 bool has_more
  3 string next_cursor
WatchEventsRequest
  1 opt string game_id
  2 opt string session_id
  3 repeated string types
  4 opt string cursor
  5 opt string consumer
  6 bool from_now
WatchEventsResponse
  1 Event event
  2 string next_cursor
WatchSessionRequest
  1 string id
WatchSessionResponse
  1 Session session
AcknowledgeEventsRequest
  1 string consumer
  2 string cursor
AcknowledgeEventsResponse
  1 string cursor
`,
}

func TestMessagesAreAsPublished(t *testing.T) {
	for file, want := range messages {
		t.Run(file.Path(), func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), describeMessages(file)); diff != "" {
				t.Errorf("-published +ours:\n%s", diff)
			}
		})
	}
}

func describeMessages(file protoreflect.FileDescriptor) string {
	var b strings.Builder
	for m := range each(file.Messages()) {
		fmt.Fprintln(&b, m.Name())
		for f := range each(m.Fields()) {
			fmt.Fprintf(&b, "  %d %s %s\n", f.Number(), fieldType(f), f.Name())
		}
	}
	return b.String()
}

func fieldType(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return fmt.Sprintf("map<%s,%s>", elementType(f.MapKey()), elementType(f.MapValue()))
	case f.IsList():
		return "repeated " + elementType(f)
	case f.HasOptionalKeyword():
		return "opt " + elementType(f)
	default:
		return elementType(f)
	}
}

func elementType(f protoreflect.FieldDescriptor) string {
	if m := f.Message(); m != nil {
		return string(m.Name())
	}
	return f.Kind().String()
}

// published is the highest field number of each published message that is not ours;
// the numbers from 1 up to it are all taken.
var published = map[protoreflect.Name]protoreflect.FieldNumber{
	"Error": 2,
	"Item":  5, "Tax": 1, "SessionMetadata": 1, "Session": 14, "PaymentExtraData": 2, "Payment": 15,
	"CreateSessionRequest": 5, "CreateSessionResponse": 3,
	"CancelSessionRequest": 1, "CancelSessionResponse": 0,
	"GetSessionRequest": 1, "GetSessionResponse": 1,
	"GetSessionStatusRequest": 1, "GetSessionStatusResponse": 2,
	"ListSessionsRequest": 5, "ListSessionsResponse": 3,
	"GetPaymentRequest": 2, "GetPaymentResponse": 1,
	"CompletePaymentRequest": 1, "CompletePaymentResponse": 0,
	"CancelPaymentRequest": 1, "CancelPaymentResponse": 0,
	"ListPaymentsRequest": 5, "ListPaymentsResponse": 3,
	"Refund":              9,
	"CreateRefundRequest": 2, "CreateRefundResponse": 2,
	"GetRefundRequest": 1, "GetRefundResponse": 1,
	"ListRefundsRequest": 4, "ListRefundsResponse": 3,
}

// Below 100 the published schema may still grow: a field of ours there would collide.
func TestOurFieldsStartAtOneHundred(t *testing.T) {
	for file := range messages {
		for m := range each(file.Messages()) {
			last, ok := published[m.Name()]
			if !ok {
				continue // A message of ours, with numbers of our own.
			}
			for f := range each(m.Fields()) {
				if f.Number() > last && f.Number() < firstOfOurs {
					t.Errorf("%s = %d: was not published, so its number must be %d or higher", f.FullName(), f.Number(), firstOfOurs)
				}
			}
		}
	}
}

// methods is every method of pay.v1: its REST path, body and
// response_body, and whether Connect clients may use GET.
const methods = `
PaymentService.CreateSession POST /v1/sessions body=* response_body=session
PaymentService.CancelSession POST /v1/sessions/{id}/cancel body=*
PaymentService.GetSession GET /v1/sessions/{id} response_body=session NO_SIDE_EFFECTS
PaymentService.GetSessionStatus GET /v1/sessions/{id}/status NO_SIDE_EFFECTS
PaymentService.ListSessions GET /v1/sessions response_body=sessions NO_SIDE_EFFECTS
PaymentService.GetPayment GET /v1/payments/{id} response_body=payment NO_SIDE_EFFECTS
PaymentService.ListPayments GET /v1/payments response_body=payments NO_SIDE_EFFECTS
PaymentService.CompletePayment POST /v1/payments/{id}/complete body=*
PaymentService.CancelPayment POST /v1/payments/{id}/cancel body=*
RefundService.CreateRefund POST /v1/refunds body=* response_body=refund
RefundService.GetRefund GET /v1/refunds/{id} response_body=refund NO_SIDE_EFFECTS
RefundService.ListRefunds GET /v1/refunds response_body=refunds NO_SIDE_EFFECTS
EventService.GetEvent GET /v1/events/{id} response_body=event NO_SIDE_EFFECTS
EventService.ListEvents GET /v1/events response_body=events NO_SIDE_EFFECTS
EventService.WatchEvents
EventService.WatchSession
EventService.AcknowledgeEvents POST /v1/events/acknowledge body=* IDEMPOTENT
`

func TestMethodsAreAsPublished(t *testing.T) {
	got := "\n" + describeMethods(payv1.File_pay_v1_payment_proto) + describeMethods(payv1.File_pay_v1_refund_proto) +
		describeMethods(payv1.File_pay_v1_event_proto)
	if diff := cmp.Diff(methods, got); diff != "" {
		t.Errorf("-published +ours:\n%s", diff)
	}
}

func describeMethods(file protoreflect.FileDescriptor) string {
	var b strings.Builder
	for s := range each(file.Services()) {
		for m := range each(s.Methods()) {
			fmt.Fprintf(&b, "%s.%s%s\n", s.Name(), m.Name(), describeMethodOptions(m))
		}
	}
	return b.String()
}

func describeMethodOptions(m protoreflect.MethodDescriptor) string {
	var b strings.Builder
	options := m.Options().(*descriptorpb.MethodOptions)
	rule := proto.GetExtension(options, annotations.E_Http).(*annotations.HttpRule)
	switch {
	case rule.GetGet() != "":
		fmt.Fprintf(&b, " GET %s", rule.GetGet())
	case rule.GetPost() != "":
		fmt.Fprintf(&b, " POST %s", rule.GetPost())
	}
	if rule.GetBody() != "" {
		fmt.Fprintf(&b, " body=%s", rule.GetBody())
	}
	if rule.GetResponseBody() != "" {
		fmt.Fprintf(&b, " response_body=%s", rule.GetResponseBody())
	}
	if level := options.GetIdempotencyLevel(); level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN {
		fmt.Fprintf(&b, " %s", level)
	}
	return b.String()
}

// The generated SDKs show these comments in an integrator's editor: they are the
// documentation most people ever read.
func TestEverythingHasAComment(t *testing.T) {
	commented := 0
	for file := range compile(t) {
		if pkg := file.Package(); pkg != "pay.v1" && pkg != "admin.v1" {
			continue
		}
		for d := range declarations(file) {
			commented++
			if strings.TrimSpace(file.SourceLocations().ByDescriptor(d).LeadingComments) == "" {
				t.Errorf("%s: %s has no comment", file.Path(), d.FullName())
			}
		}
	}
	if commented == 0 {
		t.Error("found nothing to check")
	}
}

// declarations yields what must have a comment.
func declarations(file protoreflect.FileDescriptor) iter.Seq[protoreflect.Descriptor] {
	return func(yield func(protoreflect.Descriptor) bool) {
		for s := range each(file.Services()) {
			if !yield(s) {
				return
			}
			for m := range each(s.Methods()) {
				if !yield(m) {
					return
				}
			}
		}
		for m := range each(file.Messages()) {
			if !yield(m) {
				return
			}
			for f := range each(m.Fields()) {
				if !yield(f) {
					return
				}
			}
			for o := range each(m.Oneofs()) {
				if !o.IsSynthetic() && !yield(o) {
					return
				}
			}
		}
	}
}

// compile yields the files of proto/ with their comments, which generated code does
// not keep.
func compile(t *testing.T) iter.Seq[protoreflect.FileDescriptor] {
	t.Helper()
	const root = "../.."
	buf := exec.Command("go", "tool", "-modfile=tools.mod", "-n", "buf")
	buf.Dir = root
	path, err := buf.Output()
	if err != nil {
		testneed.Lacks(t, "buf")
	}
	build := exec.Command(strings.TrimSpace(string(path)), "build", "-o", "-#format=binpb")
	build.Dir = root
	image, err := build.Output()
	if err != nil {
		t.Fatalf("buf build: %v", err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(image, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	return files.RangeFiles
}

// list is what all of protoreflect's descriptor lists have in common.
type list[D any] interface {
	Len() int
	Get(int) D
}

func each[D any](l list[D]) iter.Seq[D] {
	return func(yield func(D) bool) {
		for i := range l.Len() {
			if !yield(l.Get(i)) {
				return
			}
		}
	}
}
