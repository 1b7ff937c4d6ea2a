import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorSchema } from "./gen/pay/v1/common_pb.js";

/** What a refusal is called, as the API documents it. A newer server may know more. */
export type ErrorCode =
  | "unauthorized"
  | "forbidden"
  | "invalid_request"
  | "invalid_game_id"
  | "invalid_user_id"
  | "invalid_item"
  | "invalid_title"
  | "invalid_price"
  | "invalid_currency"
  | "invalid_image"
  | "invalid_return_url"
  | "invalid_cancel_url"
  | "invalid_metadata"
  | "invalid_limit"
  | "invalid_offset"
  | "invalid_cursor"
  | "invalid_status"
  | "invalid_expires_in"
  | "invalid_id"
  | "invalid_amount"
  | "invalid_idempotency_key"
  | "session_not_found"
  | "payment_not_found"
  | "refund_not_found"
  | "event_not_found"
  | "not_found"
  | "session_expired"
  | "session_not_pending"
  | "payment_in_progress"
  | "payment_not_authorized"
  | "already_refunded"
  | "refund_not_allowed"
  | "idempotency_conflict"
  | "rate_limited"
  | "internal"
  | "unavailable"
  | "unknown"
  | (string & {});

/** The codes for which the same call may have another answer a moment later. */
const retryable: ReadonlySet<ErrorCode> = new Set(["unavailable", "internal", "rate_limited"]);

/** What each RPC code is called on the wire, and the HTTP status that goes with it. */
const rpc: Record<Code, readonly [name: string, httpStatus: number]> = {
  [Code.Canceled]: ["canceled", 499],
  [Code.Unknown]: ["unknown", 500],
  [Code.InvalidArgument]: ["invalid_argument", 400],
  [Code.DeadlineExceeded]: ["deadline_exceeded", 504],
  [Code.NotFound]: ["not_found", 404],
  [Code.AlreadyExists]: ["already_exists", 409],
  [Code.PermissionDenied]: ["permission_denied", 403],
  [Code.ResourceExhausted]: ["resource_exhausted", 429],
  [Code.FailedPrecondition]: ["failed_precondition", 400],
  [Code.Aborted]: ["aborted", 409],
  [Code.OutOfRange]: ["out_of_range", 400],
  [Code.Unimplemented]: ["unimplemented", 501],
  [Code.Internal]: ["internal", 500],
  [Code.Unavailable]: ["unavailable", 503],
  [Code.DataLoss]: ["data_loss", 500],
  [Code.Unauthenticated]: ["unauthenticated", 401],
};

/** Says why a call failed. Compare `code`; `message` is for whoever reads it. */
export class CoinslotError extends Error {
  /** What went wrong, by its documented name, such as `invalid_price`. */
  readonly code: ErrorCode;

  /** The RPC code, such as `invalid_argument`. */
  readonly rpcCode: string;

  /** The HTTP status of the answer; undefined where none arrived. */
  readonly httpStatus: number | undefined;

  /**
   * Whether the same call, with the same idempotency key, may succeed a moment later. The client has
   * tried again as often as it was told to.
   */
  readonly retryable: boolean;

  /** How many seconds the server asks to wait, where it does. */
  readonly retryAfter: number | undefined;

  /** @internal */
  constructor(
    message: string,
    fields: {
      code: ErrorCode;
      rpcCode: string;
      httpStatus?: number | undefined;
      retryAfter?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: fields.cause });
    this.name = "CoinslotError";
    this.code = fields.code;
    this.rpcCode = fields.rpcCode;
    this.httpStatus = fields.httpStatus;
    this.retryAfter = fields.retryAfter;
    this.retryable = retryable.has(fields.code);
  }
}

/** What an answer is called that is not Coinslot's own, but that of a proxy in front of it, by its HTTP status. */
function codeOfStatus(httpStatus: number): ErrorCode {
  switch (httpStatus) {
    case 400:
      return "invalid_request";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
    case 501:
      return "not_found";
    case 429:
      return "rate_limited";
    case 500:
      return "internal";
    default:
      return httpStatus > 500 ? "unavailable" : "unknown";
  }
}

/** The error of a call that went out and failed. */
export function callError(reason: unknown, baseUrl: string): CoinslotError {
  const e = ConnectError.from(reason);
  const [rpcCode, usualStatus] = rpc[e.code];
  const retryAfter = secondsUntil(e.metadata.get("Retry-After"));
  const detail = e.findDetails(ErrorSchema)[0];
  if (detail !== undefined) {
    return new CoinslotError(detail.message, {
      code: detail.code,
      rpcCode,
      httpStatus: usualStatus,
      retryAfter,
      cause: e,
    });
  }
  const answered = [...e.metadata].length > 0;
  if (!answered) {
    const why = e.rawMessage || systemCode(e.cause) || "the connection broke";
    return new CoinslotError(`no answer from ${baseUrl}: ${why}`, { code: "unavailable", rpcCode, cause: e });
  }
  const httpStatus = foreignStatus(e) ?? usualStatus;
  const message = `${baseUrl} did not answer as Coinslot does: ${e.rawMessage}`;
  return new CoinslotError(message, { code: codeOfStatus(httpStatus), rpcCode, httpStatus, retryAfter, cause: e });
}

/** The HTTP status of an answer that is not by the Connect protocol: Connect tells it in the message alone. */
function foreignStatus(e: ConnectError): number | undefined {
  if (e.rawMessage.startsWith("unsupported content type")) {
    return 200;
  }
  const told = /^HTTP (\d{3})$/.exec(e.rawMessage);
  return told ? Number(told[1]) : undefined;
}

/** What the system calls the failure of a connection; where several addresses failed it is all there is. */
function systemCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}

/** The seconds that a Retry-After asks to wait, written as a number or as a date. */
function secondsUntil(header: string | null): number | undefined {
  if (header === null) {
    return undefined;
  }
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
