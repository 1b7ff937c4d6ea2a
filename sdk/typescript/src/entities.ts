import type * as pb from "./gen/pay/v1/common_pb.js";
import type * as payment from "./gen/pay/v1/payment_pb.js";
import type * as refund from "./gen/pay/v1/refund_pb.js";
import type { Plain } from "./plain.js";

// The generated messages as plain objects, with what the contract says in prose: which
// words a field can hold, and which messages are always there in answers.

/** Play money, or real. */
export type Environment = "sandbox" | "production";

/** `pending` is the only status of a session that can change. */
export type SessionStatus = "pending" | "paid" | "failed" | "cancelled" | "expired";

/** `succeeded` is the status of a payment whose money is taken. */
export type PaymentStatus = "processing" | "authorized" | "cancelled" | "succeeded" | "failed" | "refunded";

/** How a player pays. */
export type PaymentMethod =
  "card" | "tokenized_card" | "apple_pay" | "google_pay" | "paypal" | "paylater" | "venmo" | "toffee_wallet";

/** `pending` is the only status of a refund that can change. */
export type RefundStatus = "pending" | "succeeded" | "failed" | "cancelled";

/** What is sold. */
export interface Item extends Plain<payment.Item> {}

/** What the caller attached to a session. */
export interface SessionMetadata extends Plain<payment.SessionMetadata> {}

/** Why a payment or refund failed. */
export interface Failure extends Plain<pb.Error> {}

/** One thing that one player may buy once. */
export interface Session extends Plain<payment.Session> {
  status: SessionStatus;
  item: Item;
  createdAt: Date;
  expiresAt: Date;
  metadata?: SessionMetadata | undefined;
  environment: Environment;
}

/** One attempt to pay for a session. */
export interface Payment extends Plain<payment.Payment> {
  status: PaymentStatus;
  method: PaymentMethod;
  createdAt: Date;
  error?: Failure | undefined;
  environment: Environment;
}

/** Money returned from a payment: all of it, or a part. */
export interface Refund extends Plain<refund.Refund> {
  status: RefundStatus;
  createdAt: Date;
  error?: Failure | undefined;
}
