/* INV-10: what is accounted is what the model was asked and said. */

import { callsByCmid, groupBy, replyWords } from "./logs.js";

const same = (row, usage) => row.prompt_tokens === usage.prompt_tokens && row.completion_tokens === usage.completion_tokens;

/* A call is one attempt's: as many attempts account the same figures as calls had them, at most. */
function* accountedTwice(turn, rows, calls) {
	const figures = (x) => `${x.prompt_tokens}+${x.completion_tokens}`;
	const had = groupBy(calls.filter((call) => call.usage), (call) => figures(call.usage));

	for (const [key, list] of groupBy(rows.filter((r) => r.prompt_tokens > 0 && r.usage_estimated === false), figures))
		if (list.length > (had.get(key)?.length ?? list.length))
			yield { turn: turn.id, text: `${list.length} attempts account ${key} tokens, which ${had.get(key).length} calls had` };
}

export function* inv10(logs) {
	const attempts = groupBy(logs.db.attempts, (row) => row.turn_id);
	const replies = new Map(logs.db.messages.filter((row) => row.sender_type !== "user").map((row) => [row.turn_id, row]));
	const calls = callsByCmid(logs);

	for (const turn of logs.db.turns) {
		const rows = attempts.get(turn.id) ?? [];
		const last = rows.find((row) => row.attempt === turn.attempt);
		const reply = replies.get(turn.id);
		const mine = calls.get(turn.client_message_id) ?? [];

		if (rows.some((row) => row.user_id !== turn.user_id))
			yield { turn: turn.id, text: "an attempt is on another user's account" };
		if (rows.some((row) => row.prompt_tokens < 0 || row.completion_tokens < 0))
			yield { turn: turn.id, text: "a negative number of tokens" };
		for (const row of rows.filter((r) => r.prompt_tokens > 0 && r.usage_estimated === false))
			if (!mine.some((call) => call.usage && same(row, call.usage)))
				yield { turn: turn.id, text: `attempt ${row.attempt} accounts ${row.prompt_tokens}+${row.completion_tokens} tokens that no call of it had` };
		yield* accountedTwice(turn, rows, mine);
		if (turn.state !== "completed" || reply === undefined)
			continue;
		const call = mine.find((c) => c.n === replyWords(reply.text)?.[0]?.call);

		if (last === undefined || last.prompt_tokens === null || last.completion_tokens === null)
			yield { turn: turn.id, text: "a completed turn is not accounted" };
		else if (call?.usage && !last.usage_estimated && !same(last, call.usage))
			yield { turn: turn.id, text: `accounted ${last.prompt_tokens}+${last.completion_tokens} tokens, the model counted ${call.usage.prompt_tokens}+${call.usage.completion_tokens}` };
		else if (reply.tokens_used !== last.prompt_tokens + last.completion_tokens)
			yield { turn: turn.id, text: `the reply's ${reply.tokens_used} tokens are not its attempt's` };
	}
}
