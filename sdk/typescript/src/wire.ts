import { AsyncLocalStorage } from "node:async_hooks";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { compressionBrotli, compressionGzip, createNodeHttpClient } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import type { Answer } from "./errors.js";
import type { Settings } from "./options.js";

const most = 0xffffffff;

/** The way to one server. */
export class Wire {
  readonly #transport: Transport;
  readonly #answers = new AsyncLocalStorage<Answer>();

  constructor({ baseUrl, nodeOptions }: Settings) {
    const send = createNodeHttpClient({ httpVersion: "1.1", nodeOptions });
    // What createConnectTransport makes, but for the noting.
    this.#transport = createTransport({
      baseUrl,
      httpClient: async (request) => {
        const response = await send(request);
        const answer = this.#answers.getStore();
        if (answer !== undefined) {
          answer.status = response.status;
          answer.retryAfter = response.header.get("Retry-After");
        }
        return response;
      },
      useBinaryFormat: true,
      interceptors: [],
      acceptCompression: [compressionGzip, compressionBrotli],
      sendCompression: null,
      compressMinBytes: 1024,
      readMaxBytes: most,
      writeMaxBytes: most,
    });
  }

  /** Makes one attempt, and notes the answer that comes. */
  attempt<T>(answer: Answer, send: (transport: Transport) => Promise<T>): Promise<T> {
    return this.#answers.run(answer, () => send(this.#transport));
  }
}
