import type { RequestOptions as HttpOptions } from "node:http";
import type { RequestOptions as HttpsOptions } from "node:https";
import type { Environment } from "./entities.js";

/** What a client is made with. */
export interface CoinslotOptions {
  /** The API key, `sk_sandbox_…` or `sk_production_…`; by default that in COINSLOT_ACCESS_TOKEN. */
  accessToken?: string | undefined;

  /**
   * Where the server is, such as `https://pay.example.com`; by default what COINSLOT_BASE_URL says, else
   * `http://localhost:8080` in the sandbox. There is no default for production.
   */
  baseUrl?: string | undefined;

  /** The environment that the key must be of; by default whichever it is. */
  environment?: Environment | undefined;

  /** How long each attempt of a call may take, in milliseconds; by default 30,000. */
  timeout?: number | undefined;

  /** How often a call is tried again where that is safe and may help; by default 2. */
  retries?: number | undefined;

  /**
   * How to send requests over HTTP: the options of `http.request` and `https.request`, such as an `agent` with
   * a proxy, or `ca` and `cert`.
   */
  nodeOptions?: NodeOptions | undefined;
}

/** Options of `http.request` or `https.request`. */
export type NodeOptions = Omit<HttpOptions, "signal"> | Omit<HttpsOptions, "signal">;

/** How to watch. */
export interface WatchOptions {
  /** Ends the watch, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to make one call. */
export interface CallOptions {
  /** How long each attempt may take, in milliseconds; by default the client's setting. */
  timeout?: number | undefined;

  /** Ends the call, its retries too: it is then rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to make one call that changes something. */
export interface ChangeOptions extends CallOptions {
  /**
   * 1 to 255 printable ASCII characters: the same key with the same request is done once, however often it is
   * sent within a day. By default a new one for each call, which its retries share. Give one of your own where
   * your process may end between the call and its answer.
   */
  idempotencyKey?: string | undefined;
}

/**
 * The options after the defaults.
 *
 * @internal
 */
export interface Settings {
  accessToken: string;
  baseUrl: string;
  environment: Environment | undefined;
  timeout: number;
  retries: number;
  nodeOptions: NodeOptions | undefined;
}

const defaultTimeout = 30_000;
const defaultRetries = 2;
const sandboxUrl = "http://localhost:8080";

/**
 * Checks the options and fills in what they leave open. Throws a TypeError that says what to do.
 *
 * @internal
 */
export function settings(options: CoinslotOptions, env: NodeJS.ProcessEnv = process.env): Settings {
  const accessToken = (options.accessToken || env["COINSLOT_ACCESS_TOKEN"] || "").trim();
  if (!accessToken) {
    throw new TypeError(
      "accessToken is missing: pass it or set COINSLOT_ACCESS_TOKEN; `coinslot keys create` makes one",
    );
  }
  if (!/^[!-~]+$/.test(accessToken)) { // which the message must not show
    throw new TypeError("accessToken has spaces, newlines or letters that no access token has");
  }
  const environment = environmentOf(accessToken, options.environment);
  const { timeout = defaultTimeout, retries = defaultRetries } = options;
  checkTimeout(timeout);
  if (!Number.isInteger(retries) || retries < 0) {
    throw new TypeError(`retries must be a whole number, zero or more, got ${retries}`);
  }
  return {
    accessToken,
    baseUrl: addressOf(options.baseUrl || env["COINSLOT_BASE_URL"], environment),
    environment,
    timeout,
    retries,
    nodeOptions: options.nodeOptions,
  };
}

function environmentOf(accessToken: string, wanted: Environment | undefined): Environment | undefined {
  if (wanted !== undefined && wanted !== "sandbox" && wanted !== "production") {
    throw new TypeError(`environment must be "sandbox" or "production", got ${JSON.stringify(wanted)}`);
  }
  const told = /^sk_(sandbox|production)_/.exec(accessToken)?.[1] as Environment | undefined;
  if (told !== undefined && wanted !== undefined && told !== wanted) {
    throw new TypeError(
      `environment is ${wanted}, but accessToken begins with sk_${told}_: use a key of that environment`,
    );
  }
  return told ?? wanted;
}

function addressOf(baseUrl: string | undefined, environment: Environment | undefined): string {
  if (!baseUrl) {
    if (environment === "sandbox") {
      return sandboxUrl;
    }
    throw new TypeError(
      "baseUrl is missing: pass the address of your Coinslot server or set COINSLOT_BASE_URL; only the sandbox has a default",
    );
  }
  const { protocol, username, password } = URL.canParse(baseUrl) ? new URL(baseUrl) : { protocol: "" };
  if (!/^https?:$/.test(protocol) || username || password || /[?#]/.test(baseUrl)) { // which may be secret
    throw new TypeError("baseUrl must look like https://pay.example.com, without user, query or fragment");
  }
  return baseUrl;
}

/** What setTimeout can wait, in milliseconds: it takes more for nothing. */
const longestTimeout = 2 ** 31 - 1;

/**
 * Refuses a timeout that could not be kept.
 *
 * @internal
 */
export function checkTimeout(timeout: number): void {
  if (!(timeout > 0 && timeout <= longestTimeout)) {
    throw new TypeError(`timeout must be a number of milliseconds from 1 to ${longestTimeout}, got ${timeout}`);
  }
}
