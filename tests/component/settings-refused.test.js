/*
 * Settings that a daemon refuses: its start and --check-config say the same, in one
 * line, and never show a value that may be a secret.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { binary, cleanEnv, parseLog } from "../lib/daemon.js";

const LIMIT_MS = 20000;	/* of one process; a start that is not refused is ended then */
const DAEMONS = ["gateway", "chat", "ai", "store"];
const KEY = "0123456789abcdef".repeat(4);
/* Nobody is there, and a start that goes on by mistake hurts nobody: port 0 is the kernel's choice, port 1 nobody's. */
const LISTENED = ["GATEWAY_LISTEN", "GATEWAY_HEALTH", "CHAT_HEALTH", "STORE_HEALTH", "AI_HEALTH"];
const DIALLED = ["BUS_CHAT", "BUS_STORE", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT"];
const GOOD = {
	SECRET_KEY: KEY, BUS_KEY: KEY, DATA_KEY: KEY, DATABASE_URL: "postgresql://alp@127.0.0.1:1/none", STATIC_DIR: "",
	...Object.fromEntries(LISTENED.map((name) => [name, "127.0.0.1:0"])), ...Object.fromEntries(DIALLED.map((name) => [name, "127.0.0.1:1"])),
};
const NINE = Array.from({ length: 9 }, (_, i) => `127.0.0.1:${i + 1}`).join(",");

let dir;

before(() => {
	dir = mkdtempSync(join(tmpdir(), "alp-refused-"));
	mkdirSync(join(dir, `deep${"/d".repeat(20)}`), { recursive: true });
});
after(() => rmSync(dir, { recursive: true, force: true }));

/* What the program says and how it ends: { code, lines }. */
function run(name, settings, ...args) {
	const env = { ...GOOD, ...settings };

	for (const key of Object.keys(env).filter((one) => env[one] === undefined))
		delete env[key];
	return new Promise((resolve) => {
		execFile(binary(name), ["--env-file", join(dir, "mistake.env"), ...args], { cwd: dir, env: cleanEnv(env), timeout: LIMIT_MS },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, lines: (stdout + stderr).split("\n").filter(Boolean) }));
	});
}

const inAll = (...rows) => DAEMONS.flatMap((name) => rows.map(([what, ...rest]) => [what, name, ...rest]));

/* what is wrong, in which daemon, its settings, what it says, a line of its .env */
const REFUSED = [
	["no secret", "gateway", { SECRET_KEY: "" }, /SECRET_KEY is required/],
	["a secret that is not set at all", "gateway", { SECRET_KEY: undefined }, /SECRET_KEY is required/],
	["a short secret", "gateway", { SECRET_KEY: "canary" }, /SECRET_KEY must have at least 32/],
	["a default secret", "gateway", { SECRET_KEY: "your-secret-key-here" }, /SECRET_KEY must/],
	["a long default secret", "gateway", { SECRET_KEY: "canary-changeme-canary-changeme-canary" }, /SECRET_KEY must/],
	["one letter again and again", "gateway", { SECRET_KEY: "c".repeat(64) }, /SECRET_KEY must/],
	["a default secret among the old ones", "gateway", { SECRET_KEY_OLD: "your-secret-key-here" }, /SECRET_KEY_OLD must/],
	["another signature", "gateway", { ALGORITHM: "canary" }, /ALGORITHM/],
	["tokens without a life", "gateway", { ACCESS_TOKEN_EXPIRE_MINUTES: "0" }, /ACCESS_TOKEN_EXPIRE_MINUTES/],
	["a number out of its range", "gateway", { HASH_THREADS: "1000000" }, /HASH_THREADS: 1 to 16/],
	["a page that lies too deep", "gateway", { STATIC_DIR: "deep" }, /STATIC_DIR/],
	["too many addresses", "gateway", { BUS_CHAT: NINE }, /BUS_CHAT: at most 8/],
	["a short data key", "ai", { DATA_KEY: "canary" }, /DATA_KEY must have at least 32/],
	["a default data key", "ai", { DATA_KEY: "canary-change-me-canary-change-me" }, /DATA_KEY must/],
	["an old data key without a new one", "ai", { DATA_KEY: "" }, /DATA_KEY_OLD: without DATA_KEY/, "DATA_KEY_OLD=canary"],
	["a default data key among the old ones", "ai", { DATA_KEY_OLD: "canary-change-me-canary-change-me" }, /DATA_KEY_OLD must/],
	["prices that are none", "ai", { MODEL_PRICES: "canary" }, /MODEL_PRICES/],
	["a model's address that is none", "ai", { DEFAULT_OPENAI_BASE_URL: "canary" }, /DEFAULT_OPENAI_BASE_URL/],
	["a model's key that can be no header", "ai", { DEFAULT_OPENAI_API_KEY: "canary canary" }, /DEFAULT_OPENAI_API_KEY/],
	["no model", "ai", { DEFAULT_OPENAI_MODEL: "" }, /DEFAULT_OPENAI_MODEL/],
	["allowed hosts that are none", "ai", { AI_ALLOWED_HOSTS: "host" }, /AI_ALLOWED_HOSTS/],
	["no slots", "ai", { AI_SLOTS: "0" }, /AI_SLOTS: 1 to/],
	["fewer delta addresses than work addresses", "ai", { BUS_WORK: "127.0.0.1:1,127.0.0.1:2" }, /BUS_WORK, BUS_DELTA, BUS_CONTROL/],
	["an answer that fits into no message", "ai", { AI_REPLY_MAX: "8388608" }, /AI_REPLY_MAX/],
	["no attempts", "chat", { ATTEMPTS_MAX: "0" }, /ATTEMPTS_MAX: 1 to/],
	["a lease that is over at once", "chat", { LEASE_MS: "0" }, /LEASE_MS: 100 to/],
	["two addresses to listen at", "chat", { BUS_WORK: "127.0.0.1:1,127.0.0.1:2" }, /BUS_WORK: one address to listen at/],
	["two addresses to listen at", "store", { BUS_STORE: "127.0.0.1:1,127.0.0.1:2" }, /BUS_STORE: one address to listen at/],
	["no database", "store", { DATABASE_URL: "" }, /DATABASE_URL is required/],
	["a database's address that is none", "store", { DATABASE_URL: "postgres//alp:canary@127.0.0.1/none" }, /DATABASE_URL/],
	["an address that libpq can not read", "store", { DATABASE_URL: "postgresql://alp:canary%zz@127.0.0.1/none" }, /DATABASE_URL/],
	["too many connections", "store", { PG_CONNECTIONS: "1000000" }, /PG_CONNECTIONS: 1 to 64/],
	["guests that may store nothing", "store", { GUEST_CHATS_MAX: "0" }, /GUEST_CHATS_MAX: 1 to/],
	...inAll(
		["no bus key", { BUS_KEY: "" }, /BUS_KEY is required/],
		["a short bus key", { BUS_KEY: "canary" }, /BUS_KEY must have at least 32/],
		["a default bus key", { BUS_KEY: "canary-your-secret-key-here-0123456789" }, /BUS_KEY must/],
		["an unknown setting", {}, /unknown setting ALP_NO_SUCH/, "ALP_NO_SUCH=canary"],
		["a malformed number", { DRAIN_MS: "canary" }, /DRAIN_MS: a whole number/],
		["a log level that is none", { LOG_LEVEL: "canary" }, /LOG_LEVEL: debug, info, warning or error/],
	),
	["a short bus key in development", "store", { BUS_KEY: "canary", DEBUG: "true" }, /BUS_KEY must have at least 32/],
	["a setting that is there twice", "ai", {}, /LOG_LEVEL is set twice/, "LOG_LEVEL=canary\nLOG_LEVEL=canary"],
	["a line that is no setting", "chat", {}, /mistake.env:1: NAME=value was expected/, "canary"],
	["a malformed yes or no", "gateway", { DEBUG: "canary" }, /DEBUG: true or false/],
	["an address without a port", "store", { STORE_HEALTH: "canary" }, /STORE_HEALTH: host:port/],
	["an address with a scheme", "chat", { CHAT_HEALTH: "http://canary:1" }, /CHAT_HEALTH: host:port/],
	["a bus of an unknown scheme", "gateway", { BUS_CHAT: "canary://127.0.0.1:1" }, /BUS_CHAT: host:port/],
	["a log format that is none", "ai", { LOG_FORMAT: "canary" }, /LOG_FORMAT: text or json/],
	["a share of more than all", "store", { TRACE_PERCENT: "101" }, /TRACE_PERCENT: 0 to 100/],
	["a collector's address that is none", "chat", { OTEL_EXPORTER_OTLP_ENDPOINT: "canary" }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
	["headers that are none", "ai", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_HEADERS: "canary" }, /OTEL_EXPORTER_OTLP_HEADERS/],
	["no time to answer", "gateway", { BUS_TIMEOUT_MS: "0" }, /BUS_TIMEOUT_MS: 1 to/],
];

/* The reason in a line of the log, or behind the program's name. */
const reasonOf = (line) => parseLog(line)?.reason ?? /reason="(.*)"$/.exec(line)?.[1] ?? line.replace(/^alp-\w+: /, "");

describe("refused by a start and by --check-config, in the same one line", () => {
	for (const [what, name, settings, pattern, file = ""] of REFUSED)
		it(`${name}: ${what}`, async () => {
			writeFileSync(join(dir, "mistake.env"), file);
			const [started, checked] = await Promise.all([run(name, settings), run(name, settings, "--check-config")]);

			for (const { code, lines } of [started, checked]) {
				assert.equal(code, 1, lines.join("\n"));
				assert.equal(lines.length, 1, lines.join("\n"));
				assert.match(reasonOf(lines[0]), pattern);
				for (const value of [...Object.values(settings).filter((text) => text?.length > 8 && !text.includes("127.0.0.1:")), "canary"])
					assert.ok(!lines[0].includes(value), lines[0]);
			}
			assert.equal(reasonOf(checked.lines[0]), reasonOf(started.lines[0]));
		});
});

describe("--check-config of good settings says nothing and ends with 0", () => {
	before(() => writeFileSync(join(dir, "mistake.env"), ""));
	for (const [what, more] of [
		["as they are", {}],
		["placeholders in development", { DEBUG: "true", SECRET_KEY: "changeme", BUS_KEY: "change-me-change-me-change-me-change-me" }],
		["several instances, and schemes", { BUS_CHAT: "tcp://127.0.0.1:1", BUS_EVENT: "ws://127.0.0.1:1/alp" }],
		["a collector", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_HEADERS: "a=b%20c" }],
	])
		for (const name of DAEMONS)
			it(`${name}: ${what}`, async () => {
				assert.deepEqual(await run(name, more, "--check-config"), { code: 0, lines: [] });
			});

	it("several addresses are good for those who dial", async () => {
		const two = "127.0.0.1:1, 127.0.0.1:2";

		assert.deepEqual(await run("gateway", { BUS_CHAT: two, BUS_STORE: two, BUS_EVENT: two }, "--check-config"), { code: 0, lines: [] });
		assert.deepEqual(await run("ai", { BUS_WORK: two, BUS_DELTA: two, BUS_CONTROL: two }, "--check-config"), { code: 0, lines: [] });
	});
});
