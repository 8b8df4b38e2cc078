/*
 * The demo persona plans a course from the track's own data, changes the plan
 * when asked, and gives it back as JSON, in both languages.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, post, simulator, textOf } from "./testing.js";

const PROMPT = {
	ru: `Ты помогаешь планировать курсы.
Language: ru
Трек: Изучение Python
Навык: Python
Уровень: начальный
Часы: 30
Ожидания: Хочу освоить основы для анализа данных`,
	en: `You help to plan courses.
Language: en
Track: Guitar for fun
Skill: Guitar
Level: intermediate
Hours: 18
Expectations: play songs at parties`,
};
const FINALIZE = "Return strictly valid JSON: {\"modules\":[{\"module_number\":1,\"title\":\"\",\"description\":\"\","
	+ "\"estimated_duration_hours\":1,\"learning_objectives\":[],\"status\":\"not_started\"}]}";

/* A dialogue with the persona: say(text) adds both sides and returns the reply. */
async function dialogue(t, prompt, limits = {}) {
	const sim = await simulator(t, "--token-delay-ms", "0");
	const messages = [{ role: "system", content: prompt }];
	const ask = async (list, more = limits) => {
		const answer = await post(sim, { model: "gpt-4o-mini", messages: list, ...more });

		return JSON.parse(answer.body).choices[0].message.content;
	};

	return {
		messages, ask,
		async say(text) {
			messages.push({ role: "user", content: text });
			const reply = await ask(messages);

			messages.push({ role: "assistant", content: reply });
			return reply;
		},
		finalize: async () => JSON.parse(await ask([{ role: "system", content: `${prompt}\n${FINALIZE}` },
			...messages.slice(1), { role: "user", content: "JSON" }])).modules,
	};
}

/* The table of a reply: { titles, hours, total }. */
function tableOf(reply) {
	const rows = [...reply.matchAll(/^\| (\d+) \| (.+?) \| (\d+) \|$/gm)];

	return {
		titles: rows.map(([, , title]) => title),
		hours: rows.map(([, , , hours]) => Number(hours)),
		total: Number(/^\| \| \*\*(?:Итого|Total)\*\* \| \*\*(\d+)\*\* \|$/m.exec(reply)?.[1]),
	};
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

function checkPlan(reply, hours) {
	const table = tableOf(reply);

	assert.equal(table.total, hours);
	assert.equal(sum(table.hours), hours);
	assert.ok(table.hours.every((h) => h >= 1));
	return table;
}

test("the opening plan is built from the track, in Russian", async (t) => {
	const talk = await dialogue(t, PROMPT.ru, { max_tokens: 1500 });
	const reply = await talk.say("Составь план курса");
	const { titles } = checkPlan(reply, 30);

	assert.match(reply, /^# 🎓 План курса «Изучение Python»/);
	assert.match(reply, /Хочу освоить основы для анализа данных/);
	assert.ok(titles.length >= 4 && titles.length <= 6);
	assert.equal([...reply.matchAll(/^### Модуль \d+\. /gm)].length, titles.length);
	assert.match(reply, /## 🚀 Практические проекты\n\n1\. .+\n2\. /);
	assert.match(reply, /1\. Нравится.+\n2\. .+\n3\. Готовы.+$/);
	assert.doesNotMatch(reply, /undefined|\[object|NaN/);
});

test("the opening plan is built from the track, in English", async (t) => {
	const talk = await dialogue(t, PROMPT.en, { max_tokens: 1500 });
	const reply = await talk.say("Please make a plan");

	checkPlan(reply, 18);
	assert.match(reply, /^# 🎓 Course plan: Guitar for fun/);
	assert.match(reply, /Guitar: basic techniques/);
	assert.match(reply, /play songs at parties/);
	assert.match(reply, /3\. Are you ready to finalize.+\?$/);
	assert.doesNotMatch(reply, /[а-яё]/i);
});

test("the level changes the content and the hours always add up", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const plans = [];

	for (const level of ["beginner", "intermediate", "advanced"]) {
		for (const hours of [1, 3, 7, 10, 40, 72, 500]) {
			const prompt = `Language: en\nSkill: Rust\nLevel: ${level}\nHours: ${hours}`;
			const reply = await talk.ask([{ role: "system", content: prompt }, { role: "user", content: "plan" }]);

			checkPlan(reply, hours);
			if (hours === 40)
				plans.push(reply);
		}
	}
	assert.equal(new Set(plans.map((p) => tableOf(p).titles[0])).size, 3);
});

test("a long dialogue in Russian keeps every change up to the final modules", async (t) => {
	const talk = await dialogue(t, PROMPT.ru);

	await talk.say("Составь план курса");
	const added = await talk.say("Добавь модуль про тестирование");

	assert.match(added, /^Готово/);
	assert.ok(checkPlan(added, 30).titles.includes("Тестирование"));
	const both = await talk.say("Убери модуль 2 и поменяй местами модули 1 и 3");
	const { titles } = checkPlan(both, 30);

	assert.equal(titles.length, 5);
	assert.equal(titles[2], tableOf(added).titles[0]);
	checkPlan(await talk.say("Уложись в 20 часов, пожалуйста"), 20);
	assert.match(await talk.say("помедленнее"), /Темп:\*\* 3 ч в неделю/);
	assert.match(await talk.say("Побольше практики"), /Практика:\*\* 65 %/);
	const aside = await talk.say("Что будет в модуле 3?");

	assert.match(aside, /^\*\*Модуль 3\. /);
	assert.match(aside, /Темп:\*\* 3 ч в неделю/);
	const thanks = await talk.say("Спасибо, отличный план!");
	const table = checkPlan(thanks, 20);
	const modules = await talk.finalize();

	assert.deepEqual(modules.map((m) => m.title), table.titles);
	assert.deepEqual(modules.map((m) => m.estimated_duration_hours), table.hours);
	assert.deepEqual(modules.map((m) => m.module_number), modules.map((_, i) => i + 1));
	for (const m of modules) {
		assert.deepEqual(Object.keys(m), ["module_number", "title", "description", "estimated_duration_hours", "learning_objectives", "status"]);
		assert.ok(m.description.length > 20 && m.learning_objectives.length >= 2 && m.learning_objectives.length <= 4);
		assert.equal(m.status, "not_started");
	}
});

test("a long dialogue in English keeps every change up to the final modules", async (t) => {
	const talk = await dialogue(t, PROMPT.en);

	await talk.say("Please make a plan");
	for (const [text, note] of [
		["Add a module about fingerstyle", /added module 5 "Fingerstyle"/],
		["Remove the second module", /removed module "Typical tasks: workshop"/],
		["Make it 24 hours", /total hours: 18 before, 24 now/],
		["a bit faster please", /faster pace: 8 h a week/],
		["More practice!", /more practice: 75 %/],
		["Move module 4 to the start", /module "Fingerstyle" is now number 1/],
		["rename module 1 to Warm-up", /module 1 is now called "Warm-up"/],
	])
		assert.match(await talk.say(text), note);
	await talk.say("what is in module 3?");
	await talk.say("how long does it take?");
	const modules = await talk.finalize();

	assert.deepEqual(modules.map((m) => m.title), ["Warm-up", "Guitar: basic techniques step by step", "Mistakes and feedback",
		"Tools and workflow", "Capstone project: Guitar"]);
	assert.equal(sum(modules.map((m) => m.estimated_duration_hours)), 24);
	assert.match(modules[0].description, /Fingerstyle/);
});

/* Said after a 30-hour plan of five modules: what the reply must note. */
const PHRASES = {
	ru: [
		["добавь, пожалуйста, модуль о базах данных", /модуль 5 «Всё о базах данных»/],
		["Хочу ещё модуль по регулярным выражениям", /«Практикум по регулярным выражениям»/],
		["добавь модуль про удаление файлов", /добавлен модуль 5 «Удаление файлов»/],
		["не хватает темы про визуализацию данных", /«Визуализация данных»/],
		["Добавь модуль «Git и GitHub» после модуля 1", /модуль 2 «Git и GitHub»/],
		["можно добавить модуль про отладку?", /«Отладка»/],
		["удали третий модуль", /убран модуль «Структуры данных и файлы»/],
		["убери последний модуль", /убран модуль «Итоговый проект: Python»/],
		["исключи модуль про циклы", /убран модуль «Условия, циклы и функции»/],
		["убери модуль 9", /такого модуля в плане нет/],
		["давай сделаем 45 часов", /было 30, стало 45/],
		["добавь 10 часов", /было 30, стало 40/],
		["сократи на 5 часов", /было 30, стало 25/],
		["сократи до 12 ч", /было 30, стало 12/],
		["сократи курс", /было 30, стало 23/],
		["нужно больше часов", /было 30, стало 38/],
		["на модуль 2 дай 10 часов", /модуль 2 теперь занимает 10 ч, весь курс 34 ч/],
		["уложись в 2 часа", /меньше 5 ч не получится/],
		["сделай темп быстрее", /темп быстрее: 8 ч в неделю/],
		["больше теории", /теории больше/],
		["меньше теории", /практики больше/],
		["сложнее", /уровень выше: средний/],
		["попроще", /уровень и так начальный/],
		["перенеси модуль 4 в начало", /«Объекты и модули» теперь стоит на месте 1/],
		["поставь модуль 1 после 3", /«Первые шаги: среда и синтаксис Python» теперь стоит на месте 3/],
		["начни с модуля про файлы", /«Структуры данных и файлы» теперь стоит на месте 1/],
		["поменяй местами второй и третий модули", /модули 2 и 3 поменялись местами/],
		["измени порядок тем", /порядок тем изменён/],
		["переименуй модуль 1 в «Старт»", /модуль 1 теперь называется «Старт»/],
		["Убери модуль 1. Добавь модуль про pandas. Сделай 40 часов", /убран[^]*«Pandas»[^]*стало 40/],
	],
	en: [
		["could you add a module on recursion?", /added module 5 "Recursion"/],
		["I want another module about regular expressions", /"Regular expressions"/],
		["include a section about deleting files", /added module 5 "Deleting files"/],
		["Add a module about Git after module 1", /added module 2 "Git"/],
		["drop the last module", /removed module "Capstone project: Python"/],
		["skip the module about loops", /removed module "Conditions, loops and functions"/],
		["remove module 12", /no such module/],
		["fit it in 20 hours", /30 before, 20 now/],
		["10 more hours", /30 before, 40 now/],
		["add 5 hours", /30 before, 35 now/],
		["5 hours less", /30 before, 25 now/],
		["fewer hours", /30 before, 23 now/],
		["make it longer", /30 before, 38 now/],
		["module 2 should take 10 hours", /module 2 now takes 10 h, the whole course 34 h/],
		["slow down", /calmer pace: 3 h/],
		["more theory", /more theory/],
		["make it harder", /higher level: intermediate/],
		["swap modules 2 and 3", /modules 2 and 3 changed places/],
		["move module 4 before module 2", /"Objects and modules" is now number 2/],
		["start with the module about files", /"Data structures and files" is now number 1/],
		["different order please", /new order/],
		["remove module 1 and add a module about pandas, then make it 40 hours", /removed[^]*"Pandas"[^]*40 now/],
	],
};

for (const language of ["ru", "en"]) {
	test(`a learner's own words are understood (${language})`, async (t) => {
		const prompt = PROMPT.ru.replace("Language: ru", `Language: ${language}`);
		const talk = await dialogue(t, prompt);

		await talk.say("план");
		for (const [text, note] of PHRASES[language]) {
			const reply = await talk.ask([...talk.messages, { role: "user", content: text }]);

			assert.match(reply, note, text);
			assert.equal(sum(tableOf(reply).hours), tableOf(reply).total, text);
		}
	});
}

test("what asks for nothing changes nothing and shows the plan", async (t) => {
	const talk = await dialogue(t, PROMPT.ru);
	const plan = tableOf(await talk.say("план"));

	for (const text of ["привет", "спасибо", "а почему именно так?", "сколько недель это займёт?", "готов финализировать", "🙂",
		"Расскажи анекдот", "   ", "| сломать | таблицу |"])
		assert.deepEqual(tableOf(await talk.ask([...talk.messages, { role: "user", content: text }])), plan, text);
});

test("a wish whose answer failed is carried out with the next one", async (t) => {
	const talk = await dialogue(t, PROMPT.en);

	await talk.say("plan");
	const reply = await talk.ask([...talk.messages, { role: "user", content: "add a module about chords" },
		{ role: "user", content: "make it 30 hours" }]);

	assert.ok(checkPlan(reply, 30).titles.includes("Chords"));
});

test("a plan that was cut off is not taken for the newest one", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const plan = await talk.say("plan");
	const cut = plan.slice(0, plan.indexOf("| 3 |"));
	const reply = await talk.ask([...talk.messages, { role: "user", content: "faster" },
		{ role: "assistant", content: cut }, { role: "user", content: "make it 20 hours" }]);

	assert.equal(checkPlan(reply, 20).titles.length, tableOf(plan).titles.length);
	assert.match(reply, /Pace:\*\* 8 h/);
});

test("changes survive when the beginning of the dialogue is no longer sent", async (t) => {
	const talk = await dialogue(t, PROMPT.en);

	await talk.say("plan");
	await talk.say("add a module about chords");
	await talk.say("remove module 1");
	const [system, ...rest] = talk.messages;
	const reply = await talk.ask([system, ...rest.slice(-1), { role: "user", content: "make it 25 hours" }]);

	assert.equal(checkPlan(reply, 25).titles.length, 5);
	assert.ok(tableOf(reply).titles.includes("Chords"));
});

test("a plan fits the token limit by leaving detail out, not by being cut", async (t) => {
	const talk = await dialogue(t, PROMPT.ru);

	for (const limit of [1500, 1000, 700, 500]) {
		const reply = await talk.ask([talk.messages[0], { role: "user", content: "план" }], { max_tokens: limit });

		checkPlan(reply, 30);
		assert.match(reply, /\?$/);
		const change = await talk.ask([talk.messages[0], { role: "user", content: "план" }, { role: "assistant", content: reply },
			{ role: "user", content: "добавь модуль про тесты" }], { max_tokens: limit });

		checkPlan(change, 30);
	}
	const modules = await talk.ask([{ role: "system", content: `${PROMPT.ru}\n${FINALIZE}` }, { role: "user", content: "JSON" }],
		{ max_tokens: 1500 });

	assert.equal(sum(JSON.parse(modules).modules.map((m) => m.estimated_duration_hours)), 30);
});

test("finalization gives an array where the prompt names one, and reads a plan quoted in the prompt", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const plan = await talk.say("plan, but first: add a module about chords");
	const prompt = "Produce the modules strictly as a valid JSON array, nothing else.";
	const quoted = `Skill: Guitar\nCourse plan:\n${plan}\nShape: [{"module_number": 1, "title": "..."}]`;
	const modules = JSON.parse(await talk.ask([{ role: "system", content: prompt }, { role: "user", content: quoted }]));

	assert.deepEqual(modules.map((m) => m.title), tableOf(plan).titles);
});

test("finalization reads a plan that another model wrote", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const foreign = `Sure! Here is your course.

**Module 1: Open chords** (4 hours)
You learn the five basic shapes.
- Play A, C, D, E and G
- Change between them in time

**Module 2: Rhythm and strumming** (6 hours)
- Count and strum

**Module 3: Your first songs** (8 hours)
Three songs from start to end.`;
	const [system] = talk.messages;

	talk.messages.splice(0, 9, system, { role: "user", content: "plan" }, { role: "assistant", content: foreign });
	const modules = await talk.finalize();

	assert.deepEqual(modules.map((m) => [m.title, m.estimated_duration_hours]),
		[["Open chords", 4], ["Rhythm and strumming", 6], ["Your first songs", 8]]);
	assert.match(modules[0].description, /five basic shapes/);
	assert.deepEqual(modules[0].learning_objectives, ["Play A, C, D, E and G", "Change between them in time"]);
});

test("the same dialogue gets the same answers in another run", async (t) => {
	const run = async () => {
		const talk = await dialogue(t, PROMPT.ru);
		const replies = [];

		for (const text of ["план", "добавь модуль про тестирование", "уложись в 24 часа", "спасибо"])
			replies.push(await talk.say(text));
		return [...replies, JSON.stringify(await talk.finalize())];
	};

	assert.deepEqual(await run(), await run());
});

test("a plan is streamed word by word, and whole at once, with the same text", async (t) => {
	const sim = await simulator(t, "--token-delay-ms", "0");
	const text = `${PROMPT.ru}\nСоставь план курса`;
	const streamed = await post(sim, chat(text, { stream: true }));
	const whole = await post(sim, chat(text));

	assert.equal(textOf(streamed), JSON.parse(whole.body).choices[0].message.content);
	checkPlan(textOf(streamed), 30);
});

test("the language is that of the prompt, else that of the words", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const ask = (system, user) => talk.ask([{ role: "system", content: system }, { role: "user", content: user }]);

	assert.match(await ask("Language: ru\nSkill: Guitar", "Make a plan"), /План курса/);
	assert.match(await ask("Язык: английский\nНавык: Гитара", "Составь план"), /Course plan/);
	assert.match(await ask("You plan.\nSkill: Python", "Составь план курса, пожалуйста"), /План курса/);
	assert.match(await ask("Ты куратор.\nНавык: Python\nУровень: средний", "план"), /План курса/);
});

test("the course plan as JSON has the named keys", async (t) => {
	const talk = await dialogue(t, PROMPT.ru);
	const prompt = "Ответь только JSON с ключами course_description, learning_objectives, modules, practical_assignments, final_project.";
	const plan = JSON.parse(await talk.ask([{ role: "system", content: prompt },
		{ role: "user", content: "Навык: Python\nУровень: средний\nЧасы: 24" }]));

	assert.deepEqual(Object.keys(plan), ["course_description", "learning_objectives", "modules", "practical_assignments", "final_project"]);
	assert.equal(sum(plan.modules.map((m) => m.estimated_duration_hours)), 24);
});

test("the module's teacher opens with a summary and answers questions", async (t) => {
	for (const [language, prompt, first, ask] of [
		["ru", "Ты преподаватель.\nLanguage: ru\nТрек: Изучение Python\nНавык: Python\nМодуль: Условия, циклы и функции\nОписание модуля: Управляем ходом программы",
			"Напиши конспект модуля: введение, основные понятия, примеры, вопросы для самопроверки", "Приведи пример"],
		["en", "You are a teacher.\nLanguage: en\nTrack: Learn Python\nSkill: Python\nModule: Conditions, loops and functions\nObjectives: Write loops; Write functions",
			"Write the module summary: introduction, concepts, examples, self-check questions", "Show me an example"],
	]) {
		const talk = await dialogue(t, prompt);
		const summary = await talk.say(first);

		assert.match(summary, /^# 📘 (Условия, циклы и функции|Conditions, loops and functions)/, language);
		assert.equal([...summary.matchAll(/^## /gm)].length, 6, language);
		assert.match(await talk.say(ask), /Вот пример|Here is an example/, language);
		assert.match(await talk.say(language === "ru" ? "Зачем нужны функции в этом курсе?" : "Why do functions matter here?"),
			/Хороший вопрос|Good question/, language);
	}
});

test("lessons, the connection test and small talk are answered", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const lesson = await talk.ask([{ role: "system", content: "You write lessons.\nLanguage: en" },
		{ role: "user", content: "Lesson: Working with files\nModule: Data structures and files" }]);

	assert.match(lesson, /^# 📗 Working with files/);
	assert.match(await talk.ask([{ role: "user", content: "ping" }]), /Connection works/);
	assert.match(await talk.ask([{ role: "user", content: "Привет!" }], { max_tokens: 5 }), /^Связь/);
	assert.match(await talk.ask([{ role: "user", content: "What is the weather like today?" }]), /I help to plan courses/);
});

test("hostile words in the track do not break the plan", async (t) => {
	const talk = await dialogue(t, PROMPT.en);
	const prompt = "Language: en\nSkill: a|b `c` **d** <script>\nHours: 1e9\nLevel: ???\nExpectations: | | |";
	const reply = await talk.ask([{ role: "system", content: prompt }, { role: "user", content: "plan" }]);

	checkPlan(reply, 1);
	assert.doesNotMatch(reply, /<script>/);
	const start = performance.now();

	await talk.ask([{ role: "system", content: PROMPT.en }, { role: "user", content: `add a module about ${" ".repeat(31000)}x` }]);
	await talk.ask([{ role: "system", content: `Skill: ${" a".repeat(30000)}\n${"\n".repeat(30000)}` }, { role: "user", content: `${"| ".repeat(15000)}plan` }]);
	assert.ok(performance.now() - start < 5000);
});
