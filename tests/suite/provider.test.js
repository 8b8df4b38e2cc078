/* The dialogue against an OpenAI-compatible server that this project did not write. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { release } from "../lib/release.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { chatOf } from "../lib/ws.js";

const PLAN = "## Plan\n\n1. **Basics** — 10 h\n2. **Practice** — 20 h\n\nDo you like it?";
const REVISED = "Done: now with *testing*.\n\n1. **Basics** — 10 h\n2. **Testing** — 20 h";
const MODULES = JSON.stringify({ modules: [
	{ module_number: 1, title: "Basics", description: "First steps.", estimated_duration_hours: 10, learning_objectives: ["a", "b"], status: "not_started" },
	{ module_number: 2, title: "Testing", description: "Trust.", estimated_duration_hours: 20, learning_objectives: ["c"], status: "not_started" },
] });

let model, stack;

before(async () => {
	model = new LLMock({ port: 0, host: "127.0.0.1" });
	model.on({ userMessage: "add testing" }, { content: REVISED });
	model.on({ userMessage: "Make modules of this plan" }, { content: MODULES });
	model.on({ userMessage: "propose a plan for this course" }, { content: PLAN });
	await model.start();
	stack = await startStack({ sim: false, env: { DEFAULT_OPENAI_BASE_URL: `${model.url}/v1`, DEFAULT_OPENAI_API_KEY: "some-key",
		DEFAULT_OPENAI_MODEL: "gpt-4o" } });
});
after(() => release(stack, model));

test("welcome, discussion and finalization run against another server", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack({ language: "en" });
	const ws = await chatOf(stack, rest, track.session_id);
	const restored = await ws.restore();
	const welcome = restored.history[0]?.content ?? (await ws.next("ai_response")).message;

	assert.equal(welcome, PLAN);
	const { response } = await ws.turn("Please add testing");
	assert.equal(response.message, REVISED);
	assert.match(response.model_used, /gpt-4o/);
	const final = await rest.finalize({ session_id: track.session_id, user_id: rest.user.id, skill_area: "x", track_id: track.id });
	assert.equal(final.success, true);
	assert.deepEqual(final.modules.map((m) => m.title), ["Basics", "Testing"]);
	await ws.close();
});
