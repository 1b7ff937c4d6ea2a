import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Coinslot, type CheckoutParams, type CoinslotOptions } from "@coinslot/sdk";

/** The game that every new installation has. */
export const game = "space_shooter";

/** The documented checkout. */
export const coins = {
  gameId: game,
  userId: "player_42",
  item: { title: "50 Gold Coins", price: 499, currency: "USD" },
  returnUrl: "mygame://payment-complete",
} satisfies CheckoutParams;

/** A real server of a test's own, with a sandbox key for its game. */
export class Server {
  url: string;
  readonly key: string;
  #process: ChildProcess;
  readonly #data: string;

  private constructor(process: ChildProcess, data: string, welcome: { url: string; sandbox_key: string }) {
    this.#process = process;
    this.#data = data;
    this.url = welcome.url;
    this.key = welcome.sandbox_key;
  }

  /** Starts a server with data of its own on a free port. */
  static async start(): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), "coinslot-data-"));
    const { process, welcome } = await serve(data);
    return new Server(process, data, welcome);
  }

  /** Ends the server and starts it again with the same data, at another address. */
  async restart(): Promise<void> {
    await this.#end();
    const { process, welcome } = await serve(this.#data);
    this.#process = process;
    this.url = welcome.url;
  }

  async #end(): Promise<void> {
    this.#process.kill("SIGTERM");
    await once(this.#process, "exit");
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.#end();
    await rm(this.#data, { recursive: true });
  }

  /** Runs a command of the binary on this server; its standard output. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(binary(), [...args, "--data", this.#data], { env: {} });
    return stdout.trim();
  }

  /** Pays a session as its player would; what became of the session. */
  pay(session: { id: string }, ...args: string[]): Promise<string> {
    return this.run("sandbox", "pay", session.id, ...args);
  }

  /** A client of this server. */
  client(options: CoinslotOptions = {}): Coinslot {
    return new Coinslot({ accessToken: this.key, baseUrl: this.url, ...options });
  }
}

/** Runs the program until it is ready. */
async function serve(data: string) {
  const args = ["serve", "--quiet-start", "--addr", "127.0.0.1:0", "--data", data, "--log-level", "error"];
  const process = spawn(binary(), args, { stdio: ["ignore", "pipe", "inherit"], env: {} });
  for await (const line of createInterface(process.stdout)) {
    return { process, welcome: JSON.parse(line) as { url: string; sandbox_key: string } };
  }
  throw new Error("the server ended before it was ready");
}

function binary(): string {
  return set("COINSLOT_BINARY");
}

/** A variable that run.ts sets. */
export function set(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run the tests by npm test`);
  }
  return value;
}
