import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Coinslot, type CoinslotOptions } from "@coinslot/sdk";

const sandbox = "sk_sandbox_0123";
const production = "sk_production_0123";

beforeEach(() => {
  delete process.env["COINSLOT_ACCESS_TOKEN"];
  delete process.env["COINSLOT_BASE_URL"];
});

describe("where the server is", () => {
  test("a sandbox is on this machine unless told otherwise", () => {
    assert.equal(new Coinslot({ accessToken: sandbox }).baseUrl, "http://localhost:8080");
    process.env["COINSLOT_BASE_URL"] = "http://pay.test";
    assert.equal(new Coinslot({ accessToken: sandbox }).baseUrl, "http://pay.test");
    assert.equal(new Coinslot({ accessToken: sandbox, baseUrl: "https://other.test/" }).baseUrl, "https://other.test/");
  });

  test("production is nowhere by default", () => {
    assert.throws(
      () => new Coinslot({ accessToken: production }),
      /^TypeError: baseUrl is missing: pass .* or set COINSLOT_BASE_URL/,
    );
    assert.equal(new Coinslot({ accessToken: production, baseUrl: "https://pay.test" }).baseUrl, "https://pay.test");
  });

  test("a key of neither kind needs the address too, or to be called the sandbox's", () => {
    assert.throws(() => new Coinslot({ accessToken: "key" }), /baseUrl is missing/);
    assert.equal(new Coinslot({ accessToken: "key", environment: "sandbox" }).baseUrl, "http://localhost:8080");
  });
});

describe("who calls", () => {
  test("the key comes from the environment where none is passed", () => {
    process.env["COINSLOT_ACCESS_TOKEN"] = production;
    process.env["COINSLOT_BASE_URL"] = "https://pay.test";
    assert.equal(new Coinslot().environment, "production");
    assert.equal(new Coinslot({ accessToken: sandbox }).environment, "sandbox");
  });

  test("white space around a key is not part of it", () => {
    const baseUrl = "https://pay.test";
    assert.equal(new Coinslot({ accessToken: ` ${production}\r\n`, baseUrl }).environment, "production");
    process.env["COINSLOT_ACCESS_TOKEN"] = `${sandbox}\n`;
    assert.equal(new Coinslot({ baseUrl }).environment, "sandbox");
  });

  test("an environment that contradicts the key is refused", () => {
    const baseUrl = "https://pay.test";
    for (const [accessToken, right, wrong] of [
      [sandbox, "sandbox", "production"],
      [production, "production", "sandbox"],
    ] as const) {
      assert.equal(new Coinslot({ accessToken, environment: right, baseUrl }).environment, right);
      assert.throws(
        () => new Coinslot({ accessToken, environment: wrong, baseUrl }),
        new RegExp(`environment is ${wrong}, but accessToken`),
      );
    }
  });
});

describe("options that make no sense are refused by name", () => {
  const cases: [CoinslotOptions, RegExp][] = [
    [{}, /accessToken is missing: pass it or set COINSLOT_ACCESS_TOKEN/],
    [{ accessToken: "" }, /accessToken is missing/],
    [{ accessToken: " \n" }, /accessToken is missing/],
    [{ accessToken: `${sandbox}\nA: b` }, /accessToken has spaces/],
    [{ accessToken: `Bearer ${sandbox}` }, /accessToken has spaces/],
    [{ accessToken: `${sandbox}é` }, /accessToken has spaces/],
    [{ accessToken: sandbox, baseUrl: "localhost:8080" }, /baseUrl must look like/],
    [{ accessToken: sandbox, baseUrl: "nonsense" }, /baseUrl must look like/],
    [{ accessToken: sandbox, baseUrl: "https://me:0123@pay.test" }, /baseUrl must look like/],
    [{ accessToken: sandbox, baseUrl: "https://pay.test/?a=0123" }, /baseUrl must look like/],
    [{ accessToken: sandbox, baseUrl: "https://pay.test/?" }, /baseUrl must look like/],
    [{ accessToken: sandbox, baseUrl: "https://pay.test/#0123" }, /baseUrl must look like/],
    [{ accessToken: sandbox, environment: "test" as "sandbox" }, /environment must be "sandbox" or "production"/],
    [{ accessToken: sandbox, timeout: 0 }, /timeout must be/],
    [{ accessToken: sandbox, timeout: Infinity }, /timeout must be/],
    [{ accessToken: sandbox, timeout: NaN }, /timeout must be/],
    [{ accessToken: sandbox, retries: -1 }, /retries must be/],
    [{ accessToken: sandbox, retries: 1.5 }, /retries must be/],
  ];
  for (const [options, message] of cases) {
    test(JSON.stringify(options), () => {
      assert.throws(
        () => new Coinslot(options),
        (error: Error) =>
          error instanceof TypeError && message.test(error.message) && !/0123/.test(error.message),
      );
    });
  }
});
