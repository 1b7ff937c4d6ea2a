"""A game server in Python, with grpcio and the stubs that were made of proto/."""

import os
import subprocess
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from pay.v1 import common_pb2, event_pb2, event_pb2_grpc, payment_pb2, payment_pb2_grpc, refund_pb2, refund_pb2_grpc

PATIENCE = 30  # seconds for one call

channel = grpc.insecure_channel(os.environ["COINSLOT_ADDRESS"])
payments = payment_pb2_grpc.PaymentServiceStub(channel)
refunds = refund_pb2_grpc.RefundServiceStub(channel)
events = event_pb2_grpc.EventServiceStub(channel)


def call(method, request, **headers):
    """What a call answers, and the headers that came with it."""
    metadata = [("authorization", "Bearer " + os.environ["COINSLOT_KEY"])]
    metadata += [(name.replace("_", "-"), value) for name, value in headers.items()]
    answer, made = method.with_call(request, metadata=metadata, timeout=PATIENCE)
    return answer, dict(made.initial_metadata())


def order(user="player_42", **more):
    item = payment_pb2.Item(title="50 Gold Coins", price=499, currency="USD")
    return payment_pb2.CreateSessionRequest(
        game_id="space_shooter", user_id=user, item=item, return_url="mygame://paid", **more
    )


def sell(user="player_42"):
    return call(payments.CreateSession, order(user))[0].session


def pay(session):
    command = [os.environ["COINSLOT_BINARY"], "sandbox", "pay", session, "--data", os.environ["COINSLOT_DATA"]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()


def google_rpc_status():
    """google.rpc.Status, in which gRPC carries the details of an error."""
    file = descriptor_pb2.FileDescriptorProto(name="status.proto", package="google.rpc", syntax="proto3")
    file.dependency.append("google/protobuf/any.proto")
    message = file.message_type.add(name="Status")
    message.field.add(name="code", number=1, type=5, label=1)
    message.field.add(name="message", number=2, type=9, label=1)
    message.field.add(name="details", number=3, type=11, label=3, type_name=".google.protobuf.Any")
    from google.protobuf import any_pb2  # noqa: F401, puts any.proto in the pool

    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("google.rpc.Status"))


Status = google_rpc_status()


class Calls(unittest.TestCase):
    def refused(self, code, documented, method, request, **headers):
        with self.assertRaises(grpc.RpcError) as caught:
            call(method, request, **headers)
        error = caught.exception
        self.assertEqual(error.code(), code)
        trailers = dict(error.trailing_metadata())
        status = Status.FromString(trailers["grpc-status-details-bin"])
        self.assertEqual((status.code, status.message), (code.value[0], error.details()))
        detail = common_pb2.Error()
        self.assertTrue(status.details[0].Unpack(detail))
        self.assertEqual((detail.code, detail.message), (documented, error.details()))
        return trailers

    def test_a_session_is_created_paid_and_read(self):
        made = call(payments.CreateSession, order(order_id="1001"))[0].session
        self.assertEqual((made.status, made.order_id, made.item.exponent), ("pending", "1001", 2))
        self.assertFalse(made.HasField("paid_at") or made.HasField("payment_id"))
        self.assertEqual(pay(made.id), "paid")
        status = call(payments.GetSessionStatus, payment_pb2.GetSessionStatusRequest(id=made.id))[0]
        self.assertEqual((status.id, status.status), (made.id, "paid"))
        read = call(payments.GetSession, payment_pb2.GetSessionRequest(id=made.id))[0].session
        self.assertTrue(read.HasField("paid_at"))
        payment = call(payments.GetPayment, payment_pb2.GetPaymentRequest(id=read.payment_id))[0].payment
        self.assertEqual((payment.session_id, payment.status, payment.amount), (made.id, "succeeded", 499))
        self.assertFalse(payment.HasField("extra_data"))

    def test_lists_go_on_at_the_cursor(self):
        made = [sell("lister").id for _ in range(3)]
        request = payment_pb2.ListSessionsRequest(game_id="space_shooter", user_id="lister", limit=2)
        first = call(payments.ListSessions, request)[0]
        self.assertEqual([s.id for s in first.sessions], made[:0:-1])
        self.assertEqual((first.total, first.has_more), (3, True))
        request.cursor = first.next_cursor
        rest = call(payments.ListSessions, request)[0]
        self.assertEqual([s.id for s in rest.sessions], made[:1])
        self.assertFalse(rest.has_more or rest.HasField("next_cursor"))

    def test_an_optional_field_that_is_zero_is_not_one_that_is_absent(self):
        request = payment_pb2.ListSessionsRequest(game_id="space_shooter")
        call(payments.ListSessions, request)
        request.limit = 0
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid_limit", payments.ListSessions, request)

    def test_errors_carry_the_documented_code(self):
        free = order()
        free.item.price = 0
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid_price", payments.CreateSession, free)
        nowhere = payment_pb2.GetSessionRequest(id="sess_" + "0" * 26)
        self.refused(grpc.StatusCode.NOT_FOUND, "session_not_found", payments.GetSession, nowhere)
        with self.assertRaises(grpc.RpcError) as caught:
            payments.GetSession(nowhere, timeout=PATIENCE)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_an_idempotency_key_is_one_session(self):
        first, headers = call(payments.CreateSession, order(), idempotency_key="grpcio-1")
        self.assertNotIn("idempotent-replayed", headers)
        again, headers = call(payments.CreateSession, order(), idempotency_key="grpcio-1")
        self.assertEqual(again, first)
        self.assertEqual(headers["idempotent-replayed"], "true")
        conflict = grpc.StatusCode.ALREADY_EXISTS
        other = order("player_43")
        self.refused(conflict, "idempotency_conflict", payments.CreateSession, other, idempotency_key="grpcio-1")

    def test_a_session_is_cancelled(self):
        request = payment_pb2.CancelSessionRequest(id=sell().id)
        call(payments.CancelSession, request)
        read = call(payments.GetSession, payment_pb2.GetSessionRequest(id=request.id))[0].session
        self.assertEqual(read.status, "cancelled")

    def test_money_goes_back_and_events_tell_of_it(self):
        session = sell()
        pay(session.id)
        session = call(payments.GetSession, payment_pb2.GetSessionRequest(id=session.id))[0].session
        request = refund_pb2.CreateRefundRequest(payment_id=session.payment_id, amount=100)
        made = call(refunds.CreateRefund, request)[0].refund
        self.assertEqual((made.status, made.amount, made.currency), ("succeeded", 100, "USD"))
        self.assertEqual(call(refunds.GetRefund, refund_pb2.GetRefundRequest(id=made.id))[0].refund, made)
        told = call(events.ListEvents, event_pb2.ListEventsRequest(session_id=session.id))[0].events
        self.assertEqual([e.sequence for e in told], list(range(1, 7)))
        self.assertEqual((told[5].type, told[5].data.refund), ("refund.succeeded", made))
        self.assertEqual(call(events.GetEvent, event_pb2.GetEventRequest(id=told[5].id))[0].event, told[5])

    def test_the_server_says_that_it_serves(self):
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        serving = b"\x08\x01"  # status 1 in field 1
        self.assertEqual(check(b"", timeout=PATIENCE), serving)


if __name__ == "__main__":
    unittest.main()
