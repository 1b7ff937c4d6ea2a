import { setTimeout as sleep } from "node:timers/promises";
import type { DescMessage, DescMethodServerStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { pause } from "./backoff.js";
import { brokenStream, callError, CoinslotError, type Answer } from "./errors.js";
import type { WatchOptions } from "./options.js";
import type { Wire } from "./wire.js";

/** After how many milliseconds a server that tells nothing is given up: it lets hear from itself every 15 seconds. */
const longestSilence = 45_000;

/** What every connection of a watch needs. */
export interface Watch<I extends DescMessage, O extends DescMessage> {
  method: DescMethodServerStreaming<I, O>;

  /** What to ask for: where to go on can be another place each time. */
  ask(): MessageInitShape<I>;

  headers(): Headers;
  baseUrl: string;
  retries: number;
}

/**
 * All that a stream tells. A connection that breaks is made anew: until one was made, as often as any call is tried,
 * and from then on for as long as it takes.
 */
export async function* watch<I extends DescMessage, O extends DescMessage>(
  wire: Wire,
  stream: Watch<I, O>,
  { signal }: WatchOptions,
): AsyncGenerator<MessageShape<O>, never, undefined> {
  let connected = false;
  for (let attempt = 0; ; attempt++) {
    try {
      for await (const told of connection(wire, stream, signal)) {
        connected = true;
        attempt = 0;
        yield told;
      }
    } catch (error) {
      signal?.throwIfAborted();
      const wait = error instanceof CoinslotError ? pause(attempt, error.retryAfter) : undefined;
      if (!(error instanceof CoinslotError && error.retryable) || wait === undefined) {
        throw error;
      }
      if (!connected && attempt >= stream.retries) {
        throw error;
      }
      await sleep(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** What one connection tells. It ends with a CoinslotError, or because no more is wanted. */
async function* connection<I extends DescMessage, O extends DescMessage>(
  wire: Wire,
  { method, ask, headers, baseUrl }: Watch<I, O>,
  signal: AbortSignal | undefined,
): AsyncGenerator<MessageShape<O>, void, undefined> {
  const line = new AbortController();
  const leave = () => line.abort();
  signal?.addEventListener("abort", leave, { once: true });
  let silence = setTimeout(leave, longestSilence);
  const answer: Answer = {};
  try {
    signal?.throwIfAborted();
    const response = await wire
      .attempt(answer, (transport) =>
        transport.stream(method, line.signal, undefined, headers(), createAsyncIterable([ask()])),
      )
      .catch((reason: unknown) => {
        throw line.signal.aborted ? brokenStream(undefined, baseUrl) : callError(reason, baseUrl, answer);
      });
    const messages = response.message[Symbol.asyncIterator]();
    for (;;) {
      const next = await messages.next().catch((reason: unknown) => {
        throw brokenStream(reason, baseUrl);
      });
      if (next.done) {
        throw brokenStream(undefined, baseUrl); // which is for the caller to end
      }
      clearTimeout(silence); // whoever reads may take their time
      yield next.value;
      silence = setTimeout(leave, longestSilence);
    }
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener("abort", leave);
    line.abort();
  }
}
