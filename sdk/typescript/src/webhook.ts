import { createHmac, timingSafeEqual } from "node:crypto";
import { fromJsonString } from "@bufbuild/protobuf";
import type { CoinslotEvent } from "./event.js";
import { EventSchema } from "./gen/pay/v1/event_pb.js";
import { plain } from "./plain.js";

/** The headers of a request: those of fetch, those of Node, or any record. Their names may be in any case. */
export type WebhookHeaders =
  { get(name: string): string | null | undefined } | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as it arrived, and what to hold it against. */
export interface WebhookRequest {
  /** The body to the byte: what a JSON parser made of it will not do. */
  body: string | Uint8Array;

  /** The headers. */
  headers: WebhookHeaders;

  /** The endpoint's secret, `whsec_…`; during a rotation the old one and the new. */
  secrets: string | readonly string[];

  /** How old, or how far ahead, a request may be, in seconds; by default 300. */
  toleranceSeconds?: number | undefined;

  /** The time to hold it against; by default now. */
  now?: Date | undefined;
}

/**
 * Why a request is not believed. `missing_signature`: it has none. `malformed_signature`: it has none that can be
 * read. `timestamp_out_of_tolerance`: it is too old, or from the future. `wrong_signature`: not by any of the secrets.
 * `malformed_body`: signed well, but no event.
 */
export type WebhookErrorReason =
  "missing_signature" | "malformed_signature" | "timestamp_out_of_tolerance" | "wrong_signature" | "malformed_body";

/** Says why a request is not believed: answer it with 400. */
export class WebhookError extends Error {
  /** Why, for programs. */
  readonly reason: WebhookErrorReason;

  /** @internal */
  constructor(reason: WebhookErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WebhookError";
    this.reason = reason;
  }
}

const defaultTolerance = 300;

/** How many signatures are looked at: each costs work that the sender chooses. */
const mostSignatures = 32;

/**
 * The event that a request tells of, once it is sure that the server sent it. Where `webhook-signature` is there it
 * decides, else `X-ToffeePay-Signature`. Throws a WebhookError where the request is not to be believed, and a
 * TypeError where the arguments are not what they should be.
 */
export function verifyWebhook(request: WebhookRequest): CoinslotEvent {
  const { body, toleranceSeconds = defaultTolerance, now = new Date() } = request;
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw new TypeError("body must be the bytes of the request or their text, not what a JSON parser made of them");
  }
  if (!(toleranceSeconds >= 0) || Number.isNaN(now.getTime())) {
    throw new TypeError("toleranceSeconds must be zero or more, and now a valid date");
  }
  const secrets = listed(request.secrets);
  const bytes = Buffer.from(body as Uint8Array);
  const claim = standardClaim(request.headers) ?? toffeePayClaim(request.headers);
  if (claim === undefined) {
    throw new WebhookError("missing_signature", "the request has neither webhook-signature nor X-ToffeePay-Signature");
  }
  if (Math.abs(Math.floor(now.getTime() / 1000) - claim.time) > toleranceSeconds) {
    throw new WebhookError(
      "timestamp_out_of_tolerance",
      `the request was signed at ${claim.time}, more than ${toleranceSeconds} seconds from now`,
    );
  }
  if (!signedByAny(claim, secrets, bytes)) {
    throw new WebhookError("wrong_signature", "no signature of the request is by one of the secrets");
  }
  return parse(bytes);
}

/** What a request says of its signature. */
interface Claim {
  /** When it was signed, in unix seconds. */
  time: number;

  /** What is signed, before the body. */
  prefix: string;

  /** The signatures of the version that is known. */
  signatures: string[];

  /** The key that a secret stands for. */
  key(secret: string): Buffer;

  encoding: "base64" | "hex";
}

/** The claim by the scheme of Standard Webhooks. */
function standardClaim(headers: WebhookHeaders): Claim | undefined {
  const signature = header(headers, "webhook-signature");
  if (signature === "") {
    return undefined;
  }
  const id = header(headers, "webhook-id");
  const time = header(headers, "webhook-timestamp");
  const signatures = signature
    .split(" ")
    .filter((s) => s.startsWith("v1,"))
    .map((s) => s.slice("v1,".length));
  if (id === "") {
    throw malformed("webhook-id is missing");
  }
  return {
    time: unixSeconds(time),
    prefix: `${id}.${time}.`,
    signatures: some(signatures),
    key: decoded,
    encoding: "base64",
  };
}

/** The claim by the documented scheme. */
function toffeePayClaim(headers: WebhookHeaders): Claim | undefined {
  const signature = header(headers, "x-toffeepay-signature");
  if (signature === "") {
    return undefined;
  }
  const named = (name: string) =>
    signature
      .split(",")
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1));
  const [time = "", ...others] = named("t");
  if (others.length > 0) {
    throw malformed("X-ToffeePay-Signature has more than one t");
  }
  return {
    time: unixSeconds(time),
    prefix: `${time}.`,
    signatures: some(named("v1")),
    key: Buffer.from,
    encoding: "hex",
  };
}

function unixSeconds(text: string): number {
  if (!/^[1-9][0-9]{0,11}$/.test(text)) {
    throw malformed("the time of the signature is missing or not in unix seconds");
  }
  return Number(text);
}

function some(signatures: string[]): string[] {
  if (signatures.length === 0) {
    throw malformed("the request has no v1 signature");
  }
  return signatures.slice(0, mostSignatures);
}

function malformed(message: string): WebhookError {
  return new WebhookError("malformed_signature", message);
}

/** Compares every signature with that of every secret, so that the time it takes does not tell which one fits. */
function signedByAny(claim: Claim, secrets: string[], body: Buffer): boolean {
  const given = claim.signatures.map((s) => Buffer.from(s));
  let found = false;
  for (const secret of secrets) {
    const signature = createHmac("sha256", claim.key(secret)).update(claim.prefix).update(body).digest(claim.encoding);
    const right = Buffer.from(signature);
    for (const candidate of given) {
      const same = candidate.length === right.length && timingSafeEqual(candidate, right);
      found ||= same;
    }
  }
  return found;
}

/** The secrets, all of them usable: anybody can sign by an empty one. */
function listed(secrets: string | readonly string[]): string[] {
  const list = typeof secrets === "string" ? [secrets] : [...(secrets ?? [])];
  if (list.length === 0) {
    throw new TypeError("secrets must hold the secret of the endpoint");
  }
  list.forEach(decoded);
  return list;
}

function decoded(secret: string): Buffer {
  const text = typeof secret === "string" ? secret.replace(/^whsec_/, "") : "";
  const key = Buffer.from(text, "base64");
  if (key.length === 0 || key.toString("base64") !== text) {
    throw new TypeError("each secret must be as `coinslot webhooks create` printed it: whsec_ and base64");
  }
  return key;
}

/** The text of a header; one that is empty is as good as none. */
function header(headers: WebhookHeaders, name: string): string {
  if (typeof headers.get === "function") {
    return headers.get(name) ?? "";
  }
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && value !== undefined) {
      return String(value);
    }
  }
  return "";
}

function parse(bytes: Buffer): CoinslotEvent {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const event = plain(EventSchema, fromJsonString(EventSchema, text, { ignoreUnknownFields: true }));
    if (event.id === "" || event.type === "") {
      throw new Error("an id and a type are required");
    }
    return { ...event, data: event.data ?? {} } as CoinslotEvent;
  } catch (cause) {
    throw new WebhookError(
      "malformed_body",
      `the body is no event: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
