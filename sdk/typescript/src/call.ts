import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  create,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { pause } from "./backoff.js";
import { callError, CoinslotError } from "./errors.js";
import { checkTimeout, type CallOptions, type ChangeOptions, type Settings } from "./options.js";
import { plain, type Plain } from "./plain.js";

/** Makes calls: every one of them goes through here. */
export class Caller {
  readonly #transport: Transport;
  readonly #settings: Settings;

  constructor(transport: Transport, settings: Settings) {
    this.#transport = transport;
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

  /** Calls a method that changes something, in all its attempts by one idempotency key. */
  change<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: ChangeOptions = {},
  ): Promise<Plain<MessageShape<O>>> {
    const headers = this.#headers();
    headers.set("Idempotency-Key", options.idempotencyKey ?? randomUUID());
    return this.#call(method, request, options, headers);
  }

  #headers(): Headers {
    return new Headers({ Authorization: `Bearer ${this.#settings.accessToken}` });
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
      try {
        const answer = await this.#transport.unary(method, signal, timeout, headers, message);
        return plain(method.output, answer.message);
      } catch (reason) {
        signal?.throwIfAborted();
        const error = callError(reason, this.#settings.baseUrl);
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
