import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  create,
  toBinary,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { pause } from "./backoff.js";
import { callError, CoinslotError, type Answer } from "./errors.js";
import { checkTimeout, type CallOptions, type ChangeOptions, type Settings, type WatchOptions } from "./options.js";
import { plain, type Plain } from "./plain.js";
import { version } from "./version.js";
import { watch } from "./watch.js";
import { Wire } from "./wire.js";

/** What a header can carry: HTTP takes spaces at its ends away. */
const idempotencyKey = /^(?! )[ -~]{1,255}(?<! )$/;

/** Makes calls: every one of them goes through here. */
export class Caller {
  readonly #wire: Wire;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#wire = new Wire(settings);
    this.#settings = settings;
  }

  /** Calls a method that changes nothing. */
  read<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<Plain<MessageShape<O>>> {
    return this.#call(method, request, options, this.#headers());
  }

  /** Watches a method that goes on telling. ask gives the request of each connection. */
  async *watch<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    ask: () => MessageInitShape<I>,
    options: WatchOptions = {},
  ): AsyncGenerator<Plain<MessageShape<O>>, never, undefined> {
    const { baseUrl, retries } = this.#settings;
    const asked = () => encodable(method.input, ask());
    for await (const told of watch(
      this.#wire,
      { method, ask: asked, headers: () => this.#headers(), baseUrl, retries },
      options,
    )) {
      yield plain(method.output, told);
    }
    throw new Error("a watch has no end of its own");
  }

  /** Calls a method that changes something, in all its attempts by one idempotency key. */
  change<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: ChangeOptions = {},
  ): Promise<Plain<MessageShape<O>>> {
    const headers = this.#headers();
    const key = options.idempotencyKey ?? randomUUID();
    if (!idempotencyKey.test(key)) {
      return Promise.reject(
        new CoinslotError("idempotencyKey must be 1 to 255 printable ASCII characters, no space first or last", {
          code: "invalid_idempotency_key",
          rpcCode: "invalid_argument",
        }),
      );
    }
    headers.set("Idempotency-Key", key);
    return this.#call(method, request, options, headers);
  }

  #headers(): Headers {
    return new Headers({
      Authorization: `Bearer ${this.#settings.accessToken}`,
      "User-Agent": `coinslot-typescript/${version}`,
    });
  }

  // That it may be repeated is what read and change are for.
  async #call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
    headers: Headers,
  ): Promise<Plain<MessageShape<O>>> {
    const { signal } = options;
    const timeout = options.timeout ?? this.#settings.timeout;
    checkTimeout(timeout);
    const message = encodable(method.input, request);
    for (let attempt = 0; ; attempt++) {
      const answer: Answer = {};
      try {
        const response = await this.#wire.attempt(answer, (transport) =>
          transport.unary(method, signal, timeout, headers, message),
        );
        return plain(method.output, response.message);
      } catch (reason) {
        signal?.throwIfAborted();
        const error = callError(reason, this.#settings.baseUrl, answer);
        const wait = pause(attempt, error.retryAfter);
        if (!error.retryable || attempt >= this.#settings.retries || wait === undefined) {
          throw error;
        }
        await sleep(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    }
  }
}

/** The message of a request; one that cannot be written is refused before it would be sent. */
function encodable<I extends DescMessage>(schema: I, request: MessageInitShape<I>): MessageInitShape<I> {
  try {
    const message = create(schema, request);
    toBinary(schema, message);
    return message as MessageInitShape<I>;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CoinslotError(message, { code: "invalid_request", rpcCode: "invalid_argument", cause });
  }
}
