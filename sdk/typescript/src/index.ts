export { Coinslot } from "./client.js";
export type { CallOptions, ChangeOptions, CoinslotOptions, NodeOptions, WatchOptions } from "./options.js";
export type {
  Environment,
  Failure,
  Item,
  Payment,
  PaymentMethod,
  PaymentStatus,
  Refund,
  RefundStatus,
  Session,
  SessionMetadata,
  SessionStatus,
} from "./entities.js";
export type {
  Sessions,
  CheckoutParams,
  ItemParams,
  ListSessionsParams,
  SessionPage,
  StatusOfSession,
} from "./sessions.js";
export type { Payments, GetPaymentParams, ListPaymentsParams, PaymentPage } from "./payments.js";
export type { Refunds, RefundParams, ListRefundsParams, RefundPage } from "./refunds.js";
export type { Events, ListEventsParams, EventPage, WatchEventsParams, WatchedEvent, AcknowledgeParams } from "./events.js";
export type {
  CoinslotEvent,
  EventOf,
  EventType,
  PaymentEventData,
  PaymentEventType,
  RefundEventData,
  RefundEventType,
  SessionEventData,
  SessionEventType,
  TestEventData,
} from "./event.js";
export { CoinslotError, type ErrorCode } from "./errors.js";
export {
  verifyWebhook,
  WebhookError,
  type WebhookErrorReason,
  type WebhookHeaders,
  type WebhookRequest,
} from "./webhook.js";
