/*
 * What the checker reads: the logs of one run, on one monotonic clock (ms).
 *
 *   seed, clock: { start, faultsEnd, ready, end }
 *   client     what every tab sent and saw, in order: { t, user, tab, ev, ... }
 *     user     { id }                        who the user is in the database
 *     open { place }, close { code }         of the tab's socket
 *     send     { cmid, place, text }         place: the marker of the dialogue it is for
 *     ack      { cmid, turn, chat, id, seq, text? }   text: another tab's message
 *     nack     { cmid, code }
 *     delta    { turn, chat, epoch, offset, text }
 *     reset    { turn, epoch }
 *     final    { turn, chat, cmid, id, seq, epoch, text, state }
 *     failed   { turn, cmid, code }          the turn ended without a reply
 *     stopped  { turn }                      it was stopped before its first piece
 *     stop, resume { turn, epoch, offset }, restore   asked by the tab
 *     history  { chat, older, messages: [{ id, seq, sender, text }], active }   older: so many are before these
 *     stray    { marker, text }              a frame of any kind that has another user's or place's marker
 *     silent, looked                         the tab has said its last; its last look at the dialogue has succeeded
 *   sim        calls: { n, life, asked, ended?, outcome?, key, messages, usage?, text? }
 *   faults     { t, until, kind, target, hit }   hit: it met work in flight
 *   processes  { t, name, what: start | end | ready, code, signal }
 *   db         rows of users, sessions, chats, messages, turns, attempts, modules
 *   outputs    { name, text }: everything the daemons wrote or answered to operators
 *   secrets    texts that must be in none of it
 *   resources  { before, after, cores, reports, sanitized }; before, after: { processes: { name: { fds, threads, kb } },
 *              sessions }; sanitized: kb says nothing, the sanitizer keeps what was freed
 */

const LOGS = ["client", "sim", "faults", "processes", "db", "outputs", "secrets", "resources"];
const TABLES = ["users", "sessions", "chats", "messages", "turns", "attempts", "modules"];
const CLOCK = ["start", "faultsEnd", "ready", "end"];
const MUST_SEND = ["client", "sim", "processes", "outputs"];	/* a run without any of these recorded nothing */

export const KILLS_IN_FLIGHT = 0.3;

export const isKill = (fault) => fault.kind === "kill" || fault.kind === "point";

/* Why the run proves nothing: empty when it does. */
export function invalidities(logs) {
	const missing = [
		...LOGS.filter((name) => logs[name] === undefined || logs[name] === null).map((name) => `the log "${name}" is missing`),
		...CLOCK.filter((name) => !Number.isFinite(logs.clock?.[name])).map((name) => `clock.${name} is missing`),
		...TABLES.filter((name) => !Array.isArray(logs.db?.[name])).map((name) => `the dump of "${name}" is missing`),
		...MUST_SEND.filter((name) => logs[name]?.length === 0).map((name) => `the log "${name}" is empty`),
	];

	if (missing.length > 0)
		return missing;
	const kills = logs.faults.filter(isKill);
	const hits = kills.filter((fault) => fault.hit).length;

	if (kills.length > 0 && hits < kills.length * KILLS_IN_FLIGHT)
		return [`only ${hits} of ${kills.length} kills hit work in flight`];
	return [];
}

export function groupBy(list, key) {
	const groups = new Map();

	for (const item of list) {
		const k = key(item);

		if (!groups.has(k))
			groups.set(k, []);
		groups.get(k).push(item);
	}
	return groups;
}

export const of = (logs, ...kinds) => logs.client.filter((e) => kinds.includes(e.ev));

export const tabOf = (e) => `${e.user} tab ${e.tab}`;

/* The place that each tab looks at, all its life. */
export const tabPlaces = (logs) => new Map(of(logs, "open").map((e) => [tabOf(e), e.place]));

/* The texts of the bench: who wrote it, where, which message; and how long a reply it asked for. */
export const MARKER = /@(user\d+|place\d+x\d+)\b/g;
const PLACE = /^place(\d+)x\d+$/;
const CMID = /@msg=([0-9a-f-]{36})/;
const WORDS = /\[\[sim:marked=(\d+)\]\]/;
const WORD = /^c(\d+)w(\d+)$/;

/* Who may see the texts of a dialogue; the markers in a text that are of none of those. */
export const allowed = (place) => new Set([place, `user${PLACE.exec(place)[1]}`]);
export const strangers = (text, place) => [...text.matchAll(MARKER)].map(([, m]) => m).filter((m) => !allowed(place).has(m));

export const cmidOf = (text) => CMID.exec(text)?.[1] ?? null;
export const wordsAsked = (text) => Number(WORDS.exec(text)?.[1] ?? NaN);

/* A reply's words: [{ call, index }], or null for a text that has others. */
export function replyWords(text) {
	const words = text.trim() === "" ? [] : text.trim().split(/\s+/).map((word) => WORD.exec(word));

	return words.includes(null) ? null : words.map(([, call, index]) => ({ call: Number(call), index: Number(index) }));
}

/* Calls of a turn are those whose last question carries its message id. */
export function callsByCmid(logs) {
	return groupBy(logs.sim, (call) => cmidOf(call.messages.findLast((m) => m.role === "user")?.content ?? ""));
}

const AROUND_MS = 2000;
const VIEW = new Set(["open", "close", "restore", "history"]);	/* what a tab shows begins anew */

/* Everything that is known of one turn and of the tabs that saw it, in the order of time. */
export function timeLine(logs, { turn, cmid }) {
	const turns = logs.db.turns.filter((row) => row.id === turn || (cmid && row.client_message_id === cmid));
	const ids = new Set([turn, ...turns.map((row) => row.id)].filter(Boolean));
	const cmids = new Set([cmid, ...turns.map((row) => row.client_message_id)].filter(Boolean));
	const isAbout = (e) => ids.has(e.turn) || cmids.has(e.cmid) || ids.has(e.active?.turn);
	const about = logs.client.filter(isAbout);
	const tabs = new Set(about.map(tabOf)), since = about[0]?.t - AROUND_MS, until = about.at(-1)?.t;
	const isView = (e) => VIEW.has(e.ev) && tabs.has(tabOf(e)) && e.t >= since && e.t <= until;
	const client = logs.client.filter((e) => isAbout(e) || isView(e))
		.map((e) => ({ t: e.t, what: `${e.user} tab ${e.tab} ${e.ev} ${brief(e)}` }));
	const calls = logs.sim.filter((call) => cmids.has(cmidOf(call.messages.at(-1)?.content ?? "")))
		.flatMap((call) => [{ t: call.asked, what: `call ${call.n} begins` },
			...(call.ended === undefined ? [] : [{ t: call.ended, what: `call ${call.n} ends: ${call.outcome}` }])]);
	const own = [...client, ...calls].sort((a, b) => a.t - b.t);
	const [from, to] = [own[0]?.t ?? logs.clock.start, own.at(-1)?.t ?? logs.clock.end];
	const around = logs.faults.filter((f) => f.t >= from - AROUND_MS && f.t <= to + AROUND_MS)
		.map((f) => ({ t: f.t, what: `FAULT ${f.kind} ${f.target}${f.detail ? ` ${f.detail}` : ""}` }));

	return [...own, ...around].sort((a, b) => a.t - b.t)
		.map(({ t, what }) => `${((t - logs.clock.start) / 1000).toFixed(3).padStart(9)} s  ${what}`)
		.concat(turns.map((row) => `   in the database: ${JSON.stringify(row)}`));
}

function brief({ cmid, turn, epoch, offset, text, code, seq, state, gateway, messages, active }) {
	return Object.entries({ cmid: cmid?.slice(0, 8), turn: turn?.slice(0, 8), epoch, offset, seq, state, code,
		text: text?.slice(0, 60), gateway, messages: messages?.length,
		active: active && `(${brief(active)})` }).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}=${v}`).join(" ");
}
