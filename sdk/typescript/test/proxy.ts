import { once } from "node:events";
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of one request: it goes on to the server, or fails in one of these ways. */
export type Fate =
  | "pass"
  /** The connection breaks before the server hears of it. */
  | "break"
  /** The server answers, and the connection breaks before the answer arrives. */
  | "lose the answer"
  /** Nothing is ever answered. */
  | "hang"
  /** Somebody other than the server answers. */
  | { status: number; headers?: Record<string, string>; body?: string };

/** The network before a real server, as bad as a test wants it. */
export class Proxy {
  readonly url: string;

  /** What becomes of the next requests; those after them pass. */
  fates: Fate[] = [];

  /** The headers of every request so far. */
  readonly requests: IncomingMessage["headers"][] = [];

  #heard: (() => void)[] = [];
  #left: (() => void)[] = [];

  private constructor(
    readonly server: ReturnType<typeof createServer>,
    /** Where requests go on to. */
    public target: string,
  ) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(target: string): Promise<Proxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Proxy(server, target);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Waits for the next request. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.#heard.push(resolve));
  }

  /** Breaks every connection. */
  cut(): void {
    this.server.closeAllConnections();
  }

  /** Waits until a client hangs up. */
  left(): Promise<void> {
    return new Promise((resolve) => this.#left.push(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fate = this.fates.shift() ?? "pass";
    this.requests.push(request.headers);
    this.#heard.splice(0).forEach((resolve) => resolve());
    if (fate === "hang") {
      return;
    }
    if (fate === "break") {
      request.socket.destroy();
      return;
    }
    if (typeof fate === "object") {
      request.resume();
      response.writeHead(fate.status, fate.headers).end(fate.body);
      return;
    }
    const hangUp = () => request.socket.destroy();
    const onward = send(this.target + request.url, { method: request.method, headers: request.headers });
    onward.on("error", hangUp); // nobody is there
    response.on("close", () => {
      onward.destroy();
      this.#left.splice(0).forEach((resolve) => resolve());
    });
    request.pipe(onward);
    const answer = await new Promise<IncomingMessage>((resolve) => onward.on("response", resolve));
    answer.on("error", hangUp);
    if (fate === "lose the answer") {
      await answer.resume().toArray();
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(response);
  }
}
