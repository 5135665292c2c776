import { from, lastValueFrom } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { Decision, SettleRequest, StreamsPort } from "../../src/redis/port.js";
import { loadScripts } from "../../src/redis/script.js";
import { idOf } from "../support/deliveries.js";
import { FakeClient } from "../support/fake-client.js";
import { FakePort } from "../support/fake-port.js";
import { record } from "../support/virtual-time.js";

const ref = { stream: "orders", group: "shipping", consumer: "me" };
const { settle, take, renew, leave } = loadScripts();

/** What a command of the port answers. */
const answer = (input: unknown): Promise<unknown> => lastValueFrom(from(input as Promise<unknown>), { defaultValue: undefined });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("toPort", () => {
  it("accepts a port as it is", () => {
    const port = new FakePort();
    expect(toPort(port)).toBe(port);
  });

  it.each([undefined, null, 5, "redis://", {}, { options: {} }, { duplicate: () => undefined }])(
    "refuses %j, which is neither client nor port",
    (redis) => {
      expect(() => toPort(redis as never)).toThrow(
        new TypeError("Expected a `Redis` or `Cluster` of ioredis 5 or 6 as the first argument: it has `options` and `duplicate()`"),
      );
    },
  );

  it("opens no connection by itself", () => {
    const client = new FakeClient();
    toPort(client).placeOf("a");
    expect(client.duplicates).toEqual([]);
  });
});

describe("the connections of a Redis", () => {
  const optionsOf = (open: (port: StreamsPort) => unknown): Record<string, unknown> => {
    const client = new FakeClient({ keyPrefix: "app:", password: "secret", commandTimeout: 5 });
    open(toPort(client));
    expect(client.duplicates).toHaveLength(1);
    expect(client.duplicates[0]!.args).toHaveLength(1);
    return client.duplicates[0]!.args[0] as Record<string, unknown>;
  };

  it.each([
    ["commands", (port: StreamsPort) => port.openCommands()],
    ["reads", (port: StreamsPort) => port.openReader()],
  ])("for %s override what would break them, and no more", (_, open) => {
    const options = optionsOf(open);
    expect(options).toMatchObject({
      protocol: 2,
      replyMapping: "legacy",
      keyPrefix: "",
      stringNumbers: false,
      enableAutoPipelining: false,
      enableOfflineQueue: true,
      lazyConnect: false,
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: true,
    });
    for (const name of ["commandTimeout", "blockingTimeout"]) {
      expect(name in options).toBe(true); // undefined clears what was inherited
      expect(options[name]).toBeUndefined();
    }
    expect(options).not.toHaveProperty("password"); // inherited
  });

  it("for reads never reconnect by themselves: a read that is sent again hides that a reply was lost", () => {
    expect(optionsOf((port) => port.openReader())).toMatchObject({
      retryStrategy: null,
      reconnectOnError: null,
      connectionName: "rxjs-redis-streams:reader",
    });
  });

  it("for commands reconnect with a bounded, jittered wait, and leave a demoted master", () => {
    const options = optionsOf((port) => port.openCommands()) as {
      retryStrategy: (attempt: number) => number;
      reconnectOnError: (error: Error) => unknown;
      connectionName: string;
      socketTimeout: number;
    };
    const waits = [1, 2, 5, 100, 10_000].map(options.retryStrategy);
    for (const wait of waits) expect(wait > 0 && wait <= 2_000).toBe(true);
    expect(options.reconnectOnError(new Error("READONLY You can't write against a read only replica."))).toBe(2);
    expect(options.reconnectOnError(new Error("NOGROUP No such key"))).toBe(false);
    expect(options.connectionName).toBe("rxjs-redis-streams:commands");
    expect(options.socketTimeout).toBeGreaterThan(0);
  });

  it("are read together, in one command", () => {
    expect(["a", "b", "c"].map(toPort(new FakeClient()).placeOf)).toEqual([0, 0, 0]);
  });

  it("listen to errors: ioredis would print them", () => {
    const client = new FakeClient();
    const port = toPort(client);
    port.openCommands();
    port.openReader();
    expect(client.duplicates.map(({ connection }) => connection.listens("error"))).toEqual([true, true]);
  });
});

describe("the connections of a Cluster", () => {
  const cluster = (options: object = {}): FakeClient => new FakeClient(options, { isCluster: true });

  it("start from the same nodes, and keep password and TLS of the nodes' options", () => {
    const client = cluster({ redisOptions: { password: "secret", tls: { ca: "x" }, commandTimeout: 5, keyPrefix: "x:" } });
    toPort(client).openCommands();
    const [nodes, options] = client.duplicates[0]!.args as [unknown, { redisOptions: Record<string, unknown> }];
    expect(nodes).toEqual([]); // none of its own: those of the client
    expect(options).toMatchObject({
      scaleReads: "master",
      keyPrefix: "",
      enableAutoPipelining: false,
      enableOfflineQueue: true,
      lazyConnect: false,
    });
    expect(options.redisOptions).toMatchObject({
      password: "secret",
      tls: { ca: "x" },
      keyPrefix: "",
      protocol: 2,
      replyMapping: "legacy",
      maxRetriesPerRequest: null,
    });
    expect(options.redisOptions["commandTimeout"]).toBeUndefined();
  });

  it("leave to the Cluster what is its own", () => {
    const client = cluster();
    toPort(client).openReader();
    const [, options] = client.duplicates[0]!.args as [unknown, { redisOptions: Record<string, unknown> }];
    for (const name of ["enableOfflineQueue", "lazyConnect", "retryStrategy"]) expect(options.redisOptions).not.toHaveProperty(name);
    expect(options).toMatchObject({ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, scaleReads: "master" });
  });

  it("read together what shares a slot", () => {
    const [a1, b1, a2, c] = ["{a}:1", "{b}:1", "{a}:2", "c"].map(toPort(cluster()).placeOf);
    expect(a1).toBe(a2);
    expect(new Set([a1, b1, c]).size).toBe(3);
  });

  it("know that a prefix with a hash tag puts all in one slot", () => {
    expect(new Set(["a", "b"].map(toPort(cluster({ keyPrefix: "{app}:" })).placeOf)).size).toBe(1);
    expect(new Set(["a", "b"].map(toPort(cluster({ keyPrefix: "app:" })).placeOf)).size).toBe(2);
  });
});

describe("a reader", () => {
  const request = { group: "shipping", consumer: "me", streams: ["a", "b"], count: 7, blockMs: 500 };

  it("asks for what nobody has got, in lower case, with BLOCK", async () => {
    const client = new FakeClient();
    expect(await answer(toPort(client).openReader().read(request))).toEqual([]);
    expect(client.latest.calls).toEqual([
      ["xreadgroup", "group", "shipping", "me", "count", 7, "block", 500, "streams", "a", "b", ">", ">"],
    ]);
  });

  it("leaves BLOCK out when it is not to block", async () => {
    const client = new FakeClient();
    await answer(
      toPort(client)
        .openReader()
        .read({ ...request, blockMs: undefined }),
    );
    expect(client.latest.calls[0]).not.toContain("block");
  });

  it("prefixes the keys itself, and gives the streams their own names back", async () => {
    const entries = [["1-0", ["a", "1"]]];
    const client = new FakeClient({ keyPrefix: "app:" }, { reply: () => [["app:b", entries]] });
    expect(await answer(toPort(client).openReader().read(request))).toEqual([{ stream: "b", entries }]);
    expect(client.latest.calls[0]!.slice(-4)).toEqual(["app:a", "app:b", ">", ">"]);
  });

  it("leaves nothing in a reply that ioredis has decoded: its command outlives it", async () => {
    const replies: unknown[] = [];
    const client = new FakeClient({}, { reply: () => (replies.push([["a", [["1-0", ["a", "1"]]]]]), replies[0]) });
    expect(await answer(toPort(client).openReader().read(request))).toEqual([{ stream: "a", entries: [["1-0", ["a", "1"]]] }]);
    expect(replies).toEqual([[]]);
    const pages: unknown[] = [];
    const historian = new FakeClient({}, { reply: () => (pages.push([["1-0", ["a", "1"]]]), pages[0]) });
    const range = { start: "-", end: "+", count: 10, reverse: false };
    expect(await toPort(historian).openHistory().range("a", range)).toEqual([["1-0", ["a", "1"]]]);
    expect(pages).toEqual([[]]);
  });

  it("is not confused by a stream that is named like another with its prefix", async () => {
    const client = new FakeClient({ keyPrefix: "app:" }, { reply: () => [["app:app:a", [["1-0", ["a", "1"]]]]] });
    expect(
      await answer(
        toPort(client)
          .openReader()
          .read({ ...request, streams: ["a", "app:a"] }),
      ),
    ).toMatchObject([{ stream: "app:a" }]);
  });

  it("reads bytes when asked to, with ids and streams as text", async () => {
    const [bytes, text] = [Buffer.from([255, 0]), (value: string): Buffer => Buffer.from(value)];
    const reply = (): unknown => [[text("b"), [[text("1-0"), [bytes, bytes]], [text("2-0"), null]]]]; // prettier-ignore
    const client = new FakeClient({}, { reply });
    const pages = await answer(toPort(client).openReader({ payload: "buffer" }).read(request));
    expect(pages).toEqual([{ stream: "b", entries: [["1-0", [bytes, bytes]], ["2-0", null]] }]); // prettier-ignore
    expect(client.latest.bufferCalls).toEqual(client.latest.calls);
  });

  it("reads text from bytes, whose names are decoded once for all entries", async () => {
    const text = (value: string): Buffer => Buffer.from(value);
    const reply = (): unknown => [[text("b"), [[text("1-0"), [text("näme"), text("välue")]], [text("2-0"), null]]]]; // prettier-ignore
    const client = new FakeClient({}, { reply });
    const entries = [["1-0", ["näme", "välue"]], ["2-0", null]]; // prettier-ignore
    expect(await answer(toPort(client).openReader().read(request))).toEqual([{ stream: "b", entries }]);
  });

  it("says why the connection could not be made, which the rejected read does not", async () => {
    const client = new FakeClient({}, { reply: () => Promise.reject(new Error("Connection is closed.")) });
    const reader = toPort(client).openReader();
    client.latest.emit("error", new Error("WRONGPASS invalid username-password pair"));
    await expect(answer(reader.read(request))).rejects.toThrow("WRONGPASS");
  });

  it("passes the server's errors on as they are", async () => {
    const thrown = new Error("NOGROUP No such key");
    const client = new FakeClient({}, { reply: () => Promise.reject(thrown) });
    const reader = toPort(client).openReader();
    client.latest.emit("error", new Error("an earlier trouble"));
    await expect(answer(reader.read(request))).rejects.toBe(thrown);
  });

  it("is closed when the server has noticed", async () => {
    const client = new FakeClient();
    const closed = vi.fn();
    void answer(toPort(client).openReader().close()).then(closed);
    expect(client.latest.disconnects).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(closed).not.toHaveBeenCalled();
    client.latest.emit("end");
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is closed after a while as well when the server never notices", async () => {
    const closed = vi.fn();
    void answer(toPort(new FakeClient()).openReader().close()).then(closed);
    await vi.advanceTimersByTimeAsync(500);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

describe("the commands", () => {
  /** What was sent for one command of the port. */
  const sent = async (
    use: (commands: ReturnType<StreamsPort["openCommands"]>) => unknown,
    reply: unknown,
    keyPrefix = "",
  ): Promise<{ calls: unknown[][]; result: unknown }> => {
    const client = new FakeClient({ keyPrefix }, { reply: typeof reply === "function" ? (reply as () => unknown) : () => reply });
    const result = await answer(use(toPort(client).openCommands()));
    return { calls: client.latest.calls, result };
  };

  it("make a group with its stream, and say whether it was new", async () => {
    expect(await sent((commands) => commands.createGroup(ref, "5-0"), "OK", "app:")).toEqual({
      calls: [["xgroup", "create", "app:orders", "shipping", "5-0", "mkstream"]],
      result: true,
    });
    const busy = (): never => {
      throw new Error("BUSYGROUP Consumer Group name already exists");
    };
    expect((await sent((commands) => commands.createGroup(ref, "5-0"), busy)).result).toBe(false);
    const refused = (): never => {
      throw new Error("NOPERM no");
    };
    await expect(sent((commands) => commands.createGroup(ref, "5-0"), refused)).rejects.toThrow("NOPERM");
  });

  it("ask for the last id of a stream, which may not exist", async () => {
    expect(await sent((commands) => commands.lastGeneratedId("orders"), ["length", 1, "last-generated-id", "7-0"], "app:")).toEqual({
      calls: [["xinfo", "stream", "app:orders"]],
      result: "7-0",
    });
    const noKey = (): never => {
      throw new Error("ERR no such key");
    };
    expect((await sent((commands) => commands.lastGeneratedId("orders"), noKey)).result).toBeUndefined();
  });

  it("acknowledge in one XACK", async () => {
    expect(await sent((commands) => commands.ack(ref, [idOf(1), idOf(2)]), 2, "app:")).toEqual({
      calls: [["xack", "app:orders", "shipping", "1-0", "2-0"]],
      result: 2,
    });
  });

  it("take due retries, and idle entries of one consumer or of all others, some left alone", async () => {
    const due = await sent((commands) => commands.takeDue(ref, 10_000), [[], [], -1, []], "app:");
    expect(due.calls).toEqual([["evalsha", take.sha, 2, "app:orders", "{app:orders}:retry:shipping", "shipping", "me", 50, "due"]]);
    const idle = await sent(
      (commands) => commands.takeIdle(ref, { max: 20, minIdleMs: 100, owner: "me", cursor: "(3-0", leaveAlone: [idOf(1)] }),
      [[], [], "", []],
    );
    expect(idle.calls).toEqual([
      ["evalsha", take.sha, 2, "orders", "{orders}:retry:shipping", "shipping", "me", 20, "idle", 100, "me", "(3-0", 250, "count", "1-0"],
    ]);
    const others = await sent((commands) => commands.takeIdle(ref, { max: 20, minIdleMs: 100, cursor: "-" }), [[], [], "(9-0", ["2-0"]]);
    expect(others.calls[0]!.slice(6)).toEqual(["me", 20, "idle", 100, "", "-", 250, "count"]);
    expect(others.result).toMatchObject({ cursor: "(9-0", mine: ["2-0"] });
  });

  it("take entries and read dead letters as bytes when asked to, and nothing else", async () => {
    const [bytes, text] = [Buffer.from([255, 0]), (value: string): Buffer => Buffer.from(value)];
    const replies: unknown[] = [
      [[[text("1-0"), [bytes, bytes], 3]], [text("2-0")], 50, []],
      [[[text("1-0"), [bytes, bytes], 3]], [], text("(1-0"), [text("4-0")]],
      [[text("7-0"), [bytes, bytes]]],
      1,
    ];
    const client = new FakeClient({}, { reply: () => replies.shift() });
    const commands = toPort(client).openCommands("buffer");
    const entries = [["1-0", [bytes, bytes], 3]];
    expect(await answer(commands.takeDue(ref, 1))).toEqual({ entries, deleted: ["2-0"], nextDueMs: 50 });
    expect(await answer(commands.takeIdle(ref, { max: 1, minIdleMs: 0, cursor: "-" }))).toEqual({ entries, deleted: [], cursor: "(1-0", mine: ["4-0"] }); // prettier-ignore
    expect(await answer(commands.deadLetters(ref, { stream: undefined, after: undefined, count: 1 }))).toEqual([["7-0", [bytes, bytes]]]);
    await answer(commands.ack(ref, [idOf(1)]));
    expect(client.latest.bufferCalls.map(([command]) => command)).toEqual(["evalsha", "evalsha", "xrange"]);
    expect(client.latest.calls.at(-1)![0]).toBe("xack");
  });

  it("renew in chunks of 500, and join the answers", async () => {
    const ids = Array.from({ length: 1_001 }, (_, index) => idOf(index + 1));
    let page = 0;
    const { calls, result } = await sent(
      (commands) => commands.renew(ref, ids),
      () => [[`lost-${(page += 1)}`], [`deleted-${page}`], [`absent-${page}`]],
    );
    expect(calls.map((call) => [call[0], call[1], call.length - 6])).toEqual([["evalsha", renew.sha, 500], ["evalsha", renew.sha, 500], ["evalsha", renew.sha, 1]]); // prettier-ignore
    expect(result).toEqual({ lost: ["lost-1", "lost-2", "lost-3"], deleted: ["deleted-1", "deleted-2", "deleted-3"], absent: ["absent-1", "absent-2", "absent-3"] }); // prettier-ignore
  });

  it("leave page by page, and add up", async () => {
    let page = 0;
    const { calls, result } = await sent(
      (commands) => commands.leave(ref, { remove: true, only: [idOf(4)] }),
      () => ((page += 1) === 1 ? [100, "(100-0"] : [3, ""]),
      "app:",
    );
    expect(calls).toEqual([
      ["evalsha", leave.sha, 2, "app:orders", "{app:orders}:retry:shipping", "shipping", "me", "-", 100, "remove", "4-0"],
      ["evalsha", leave.sha, 2, "app:orders", "{app:orders}:retry:shipping", "shipping", "me", "(100-0", 100, "remove", "4-0"],
    ]);
    expect(result).toBe(103);
  });

  it("read dead letters beside the stream, or where they are told", async () => {
    const first = await sent((commands) => commands.deadLetters(ref, { stream: undefined, after: undefined, count: 10 }), [], "app:");
    expect(first.calls).toEqual([["xrange", "{app:orders}:dlq:shipping", "-", "+", "count", 10]]);
    const next = await sent((commands) => commands.deadLetters(ref, { stream: "graveyard", after: idOf(9), count: 10 }), [], "app:");
    expect(next.calls).toEqual([["xrange", "app:graveyard", "(9-0", "+", "count", 10]]);
  });

  describe("settle", () => {
    const decisions: Decision[] = [
      { verb: "ack", id: idOf(1) },
      { verb: "retry", id: idOf(2), delayMs: 250 },
      { verb: "dead", id: idOf(3), note: "{note}", pairs: ["a", "1"] },
      { verb: "release", id: idOf(4) },
    ];
    const request: SettleRequest = { mode: "ack", deadLetterStream: undefined, decisions };

    it("sends all decisions in one script, and reads an outcome each", async () => {
      const { calls, result } = await sent(
        (commands) => commands.settle(ref, request),
        [4, 2, "notPending", 4, "OOM command not allowed"],
        "app:",
      );
      expect(calls).toEqual([
        ["evalsha", settle.sha, 4, "app:orders", "{app:orders}:retry:shipping", "{app:orders}:dlq:shipping", "{app:orders}:failures:shipping",
          "shipping", "me", "keep", "1", "4",
          "ack", "1-0", 0, "retry", "2-0", 0, "250", "dead", "3-0", 0, "{note}", "release", "4-0", 0, ""],
      ]); // prettier-ignore
      expect(result).toEqual([
        { _tag: "done" },
        { _tag: "notPending" },
        { _tag: "done" },
        { _tag: "failed", error: new Error("OOM command not allowed") },
      ]);
    });

    it("names another dead-letter stream", async () => {
      const { calls } = await sent((commands) => commands.settle(ref, { ...request, deadLetterStream: "graveyard" }), [4], "app:");
      expect(calls[0]![5]).toBe("app:graveyard");
    });

    it("sends the pairs of an entry that was trimmed meanwhile", async () => {
      let page = 0;
      const { calls, result } = await sent(
        (commands) => commands.settle(ref, request),
        () => ((page += 1) === 1 ? [4, 3, "gone"] : [1]),
      );
      expect(calls[1]!.slice(12)).toEqual(["deadKept", "3-0", 0, "{note}", 2, "a", "1"]);
      expect(result).toEqual([{ _tag: "done" }, { _tag: "done" }, { _tag: "done" }, { _tag: "done" }]);
    });

    it("keeps the outcomes in order over chunks of 100", async () => {
      const many = Array.from({ length: 220 }, (_, index): Decision => ({ verb: "release", id: idOf(index + 1) }));
      const { calls, result } = await sent((commands) => commands.settle(ref, { ...request, decisions: many }), (...args: string[]) => [args.filter((word) => word === "release").length, 1, "notPending"]); // prettier-ignore
      expect(calls).toHaveLength(3);
      const outcomes = (result as { _tag: string }[]).map(({ _tag }) => _tag);
      expect(outcomes).toHaveLength(220);
      expect(outcomes.flatMap((tag, index) => (tag === "notPending" ? [index] : []))).toEqual([0, 100, 200]);
    });

    it.each([
      ["xackdel", [["xackdel", -5]]],
      ["delete", [null]],
    ])("acknowledges and deletes by %s, as the server can", async (verb, info) => {
      const { calls } = await sent((commands) => commands.settle(ref, { ...request, mode: "ackAndDelete" }), (command: string) => (command === "command" ? info : [4])); // prettier-ignore
      expect(calls[0]).toEqual(["command", "info", "xackdel"]);
      expect(calls[1]![9]).toBe(verb);
    });

    it("assumes nothing about a server whose ACL hides COMMAND INFO", async () => {
      const reply = (command: string): unknown => {
        if (command === "command") throw new Error("NOPERM this user has no permissions to run the 'command|info' command");
        return [4];
      };
      expect((await sent((commands) => commands.settle(ref, { ...request, mode: "ackAndDelete" }), reply)).calls[1]![9]).toBe("delete");
    });

    it("asks again about a server that can't answer at the moment", async () => {
      const reply = (): never => {
        throw new Error("LOADING Redis is loading the dataset in memory");
      };
      await expect(sent((commands) => commands.settle(ref, { ...request, mode: "ackAndDelete" }), reply)).rejects.toThrow("LOADING");
    });

    it("refuses fewer outcomes than decisions: what is not accounted for would wait for ever", async () => {
      await expect(sent((commands) => commands.settle(ref, request), [3])).rejects.toMatchObject({ _tag: "ReplyError" });
    });
  });

  it("send the source of a script where the server does not have it", async () => {
    const reply = (command: string): unknown => {
      if (command === "evalsha") throw new Error("NOSCRIPT No matching script. Please use EVAL.");
      return [[], [], -1, []];
    };
    const { calls } = await sent((commands) => commands.takeDue(ref, 5), reply);
    expect(calls.map(([command, script]) => [command, script])).toEqual([["evalsha", take.sha], ["eval", take.source]]); // prettier-ignore
  });

  it("say why the connection could not be made", async () => {
    const client = new FakeClient({}, { reply: () => Promise.reject(new Error("Connection is closed.")) });
    const commands = toPort(client).openCommands();
    client.latest.emit("error", new Error("NOAUTH Authentication required."));
    await expect(answer(commands.ack(ref, [idOf(1)]))).rejects.toThrow("NOAUTH");
  });

  it("tell when the connection broke, why, and when it is tried again", () => {
    const client = new FakeClient();
    const broken = record(toPort(client).openCommands().broken);
    const { retryStrategy } = client.duplicates[0]!.args[0] as { retryStrategy: (attempt: number) => number };
    retryStrategy(1);
    client.latest.emit("error", new Error("connect ECONNREFUSED"));
    const delayMs = retryStrategy(2);
    broken.stop();
    retryStrategy(3);
    expect(broken.values).toMatchObject([{ attempt: 1 }, { attempt: 2, delayMs, cause: new Error("connect ECONNREFUSED") }]);
    expect(delayMs).toBeGreaterThan(0);
  });

  describe("are closed", () => {
    /** Answers when the test says so. */
    const slow = (): { client: FakeClient; answerAll: () => void } => {
      const answers: (() => void)[] = [];
      const reply = (): Promise<unknown> => new Promise((resolve) => answers.push(() => resolve(1)));
      return { client: new FakeClient({}, { reply }), answerAll: () => answers.splice(0).forEach((each) => each()) };
    };

    it("at once when nothing is under way", () => {
      const client = new FakeClient();
      toPort(client).openCommands().close();
      expect(client.latest.disconnects).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("when what was sent is answered", async () => {
      const { client, answerAll } = slow();
      const commands = toPort(client).openCommands();
      const acked = answer(commands.ack(ref, [idOf(1)]));
      commands.close();
      commands.close();
      expect(client.latest.disconnects).toBe(0);
      answerAll();
      expect(await acked).toBe(1);
      expect(client.latest.disconnects).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("soon after as well when it never is", async () => {
      const { client } = slow();
      const commands = toPort(client).openCommands();
      void answer(commands.ack(ref, [idOf(1)]));
      commands.close();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(client.latest.disconnects).toBe(1);
    });
  });
});
