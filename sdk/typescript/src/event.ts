import type { Environment, Payment, Refund, Session } from "./entities.js";
import type * as pb from "./gen/pay/v1/event_pb.js";
import type { Plain } from "./plain.js";

/** What can happen to a session. */
export type SessionEventType = `session.${"created" | "paid" | "failed" | "expired" | "cancelled"}`;

/** What can happen to a payment. `payment.confirm` is a question, put to a game's confirm URL alone. */
export type PaymentEventType = `payment.${"created" | "authorized" | "succeeded" | "failed" | "cancelled" | "confirm"}`;

/** What can happen to a refund. */
export type RefundEventType = `refund.${"created" | "succeeded" | "failed" | "cancelled"}`;

/** What can happen, and the test of a webhook endpoint. */
export type EventType = CoinslotEvent["type"];

/**
 * One thing that happened, told by its `type`. A newer server may send types that are not listed
 * here: have a default branch that lets them pass.
 */
export type CoinslotEvent =
  | EventOf<SessionEventType, SessionEventData>
  | EventOf<PaymentEventType, PaymentEventData>
  | EventOf<RefundEventType, RefundEventData>
  | EventOf<"endpoint.test", TestEventData>;

/** An event of some types, with the data that they have. */
export interface EventOf<Type extends string, Data> extends Plain<pb.Event> {
  event: Type;
  type: Type;
  timestamp: Date;
  environment: Environment;
  data: Data & Plain<pb.EventData>;
}

/** The session as it was right after the change. */
export interface SessionEventData {
  sessionId: string;
  gameId: string;
  userId: string;
  session: Session;
  payment?: Payment | undefined;
}

/** The payment as it was right after the change, and its session. */
export interface PaymentEventData extends SessionEventData {
  paymentId: string;
  payment: Payment;
}

/** The refund as it was right after the change, and its session. */
export interface RefundEventData extends SessionEventData {
  paymentId: string;
  refundId: string;
  refund: Refund;
}

/** Nothing: no change caused a test. */
export interface TestEventData {}
