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
  | "invalid_consumer"
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

/** What each RPC code is called on the wire. */
const rpcName: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "canceled",
  [Code.Unknown]: "unknown",
  [Code.InvalidArgument]: "invalid_argument",
  [Code.DeadlineExceeded]: "deadline_exceeded",
  [Code.NotFound]: "not_found",
  [Code.AlreadyExists]: "already_exists",
  [Code.PermissionDenied]: "permission_denied",
  [Code.ResourceExhausted]: "resource_exhausted",
  [Code.FailedPrecondition]: "failed_precondition",
  [Code.Aborted]: "aborted",
  [Code.OutOfRange]: "out_of_range",
  [Code.Unimplemented]: "unimplemented",
  [Code.Internal]: "internal",
  [Code.Unavailable]: "unavailable",
  [Code.DataLoss]: "data_loss",
  [Code.Unauthenticated]: "unauthenticated",
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
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  429: "rate_limited",
  500: "internal",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

/**
 * What came over HTTP. Whoever sent it, it has a status: an error of Connect does not tell it.
 *
 * @internal
 */
export interface Answer {
  status?: number;
  retryAfter?: string | null;
}

/**
 * The error of a call that went out and failed, and of the answer that came, if one did.
 *
 * @internal
 */
export function callError(reason: unknown, baseUrl: string, answer: Answer): CoinslotError {
  const e = ConnectError.from(reason);
  const httpStatus = answer.status;
  const retryAfter = secondsUntil(answer.retryAfter);
  const told = detailed(e, httpStatus, retryAfter);
  if (told !== undefined) {
    return told;
  }
  if (httpStatus === undefined || isBroken(e)) {
    return unanswered(e, baseUrl);
  }
  const message = `${baseUrl} answered ${httpStatus}, and not as Coinslot does: is baseUrl right? ${e.rawMessage}`.trim();
  const code = codeOfStatus[httpStatus] ?? "unknown";
  return new CoinslotError(message, { code, rpcCode: rpcName[e.code], httpStatus, retryAfter, cause: e });
}

/**
 * The error of a stream that had begun: what its end tells, or that it broke off.
 *
 * @internal
 */
export function brokenStream(reason: unknown, baseUrl: string): CoinslotError {
  const e = reason === undefined ? new ConnectError("", Code.Unavailable) : ConnectError.from(reason);
  return detailed(e, undefined, undefined) ?? unanswered(e, baseUrl);
}

/** The error that the server named. */
function detailed(e: ConnectError, httpStatus: number | undefined, retryAfter: number | undefined) {
  const detail = e.findDetails(ErrorSchema)[0];
  return (
    detail &&
    new CoinslotError(detail.message, {
      code: detail.code,
      rpcCode: rpcName[e.code],
      httpStatus,
      retryAfter,
      cause: e,
    })
  );
}

/** The error of a call without an answer: what became of it is not known. */
function unanswered(e: ConnectError, baseUrl: string): CoinslotError {
  const late = e.code === Code.DeadlineExceeded;
  const why = late ? "none in time" : e.rawMessage || systemCode(e.cause) || "the connection broke";
  const rpcCode = late ? "deadline_exceeded" : "unavailable";
  return new CoinslotError(`no answer from ${baseUrl}: ${why}`, { code: "unavailable", rpcCode, cause: e });
}

/** Whether an answer broke off, or did not end in time. */
function isBroken(e: ConnectError): boolean {
  return e.code === Code.DeadlineExceeded || systemCode(e.cause) !== undefined;
}

/** What the system calls the failure of a connection; where several addresses failed it is all there is. */
function systemCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}

/** The seconds that a Retry-After asks to wait, written as a number or as a date; undefined for anything else. */
function secondsUntil(header: string | null | undefined): number | undefined {
  if (header && /^\d+$/.test(header)) {
    return Number(header);
  }
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(header ?? "") ? Date.parse(header ?? "") : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
