/*
 * The demo persona's phrases in both languages. Functions take what is filled in.
 */

function plural(n, one, few, many) {
	const tens = n % 100;
	const ones = n % 10;

	if (tens > 10 && tens < 20)
		return many;
	return ones === 1 ? one : ones > 1 && ones < 5 ? few : many;
}

const ru = {
	level: { beginner: "начальный", intermediate: "средний", advanced: "продвинутый" },
	yourLanguage: "выбранном языке",
	capstone: {
		title: (skill) => `Итоговый проект: ${skill}`,
		about: "Собираем всё изученное в одну законченную работу и показываем её.",
		aboutGoal: (goal) => `Собираем изученное в работу под вашу цель: «${goal}».`,
		goals: ["Спланировать и выполнить проект", "Показать результат и ответить на вопросы", "Наметить следующие шаги"],
		task: "защита итоговой работы",
	},
	custom: {
		about: (title) => `Модуль по вашей просьбе. Разбираем «${title}» на примерах курса: от простого к рабочему.`,
		goals: (title) => [`Объяснить, зачем нужна тема «${title}»`, "Применить её в задаче курса", "Узнавать и исправлять частые ошибки"],
		task: "небольшая работа на материале курса",
	},
	plan: {
		heading: (title) => `🎓 План курса «${title}»`,
		welcome: { beginner: "Рад знакомству! Начнём с нуля и пойдём маленькими уверенными шагами.",
			intermediate: "Рад знакомству! Основы у вас есть, поэтому сразу берёмся за то, что даёт рост.",
			advanced: "Рад знакомству! Вы уже многое умеете, поэтому план построен вокруг сложных задач." },
		facts: (p, level) => `**Навык:** ${p.skill} · **Уровень:** ${level} · **Всего:** ${p.hours} ч · `
			+ `**Темп:** ${p.pace} ч в неделю (≈ ${Math.ceil(p.hours / p.pace)} нед.) · **Практика:** ${p.practice} %`,
		expectations: (text) => `> 💬 Вы написали: «${text}». План построен вокруг этого.`,
		goalsHeading: "🎯 Цели",
		goals: (p) => [`Уверенно применять тему «${p.skill}» в своих задачах`, "Довести до конца работу, которую не стыдно показать",
			"Понимать, как учиться дальше самостоятельно"],
		table: "🗺️ Обзор", columns: ["№", "Модуль", "Часы"], total: "Итого",
		modules: "📚 Модули", module: (n, m) => `Модуль ${n}. ${m.title} — ${m.hours} ч`, task: "Практика",
		projects: "🚀 Практические проекты",
		adviceHeading: "💡 Как заниматься",
		advice: (p) => `Занимайтесь понемногу, но регулярно: ${Math.max(1, Math.round(p.pace / 3))}–${Math.max(2, Math.round(p.pace / 2))} ч за раз. `
			+ "После каждого модуля объясните главное своими словами.",
		questionsHeading: "❓ Три вопроса",
		questions: ["Нравится ли вам такой план?", "Что изменить: темы, порядок, часы, темп?", "Готовы ли вы финализировать план и создать модули?"],
	},
	talk: {
		done: "Готово, план обновлён. ✅", partly: "Вот что получилось:",
		changes: "**Что изменилось:**",
		current: "🗺️ План сейчас",
		ask: "Так лучше? Можно менять дальше: темы, порядок, часы, темп. Если всё устраивает, финализируйте план.",
		thanks: "Рад, что план вам подходит! 🎉 Нажмите кнопку финализации, и я превращу его в модули курса. Перед этим ещё можно что-то поменять.",
		ready: "Отлично, план готов. ✅ Нажмите кнопку финализации: модули будут созданы точно по таблице ниже.",
		hello: "Здравствуйте! 👋 План перед вами. Скажите, что в нём изменить, или спросите о любом модуле.",
		time: (p) => `Весь курс занимает **${p.hours} ч**. При темпе ${p.pace} ч в неделю это примерно ${Math.ceil(p.hours / p.pace)} ${plural(Math.ceil(p.hours / p.pace), "неделя", "недели", "недель")}.`,
		about: (n, m) => `**Модуль ${n}. ${m.title}** занимает ${m.hours} ч. ${m.about}`,
		skills: "После него вы сможете:",
		unclear: (text) => `Спасибо, учту: «${text}». Чтобы изменить план, скажите, например:`,
		examples: ["«добавь модуль про …»", "«убери модуль 2»", "«уложись в 20 часов» или «больше часов»", "«помедленнее», «больше практики», «поменяй местами модули 2 и 3»"],
	},
	note: {
		added: (t, n, h) => `добавлен модуль ${n} «${t}» (${h} ч), время остальных перераспределено`,
		exists: (t) => `модуль «${t}» в плане уже есть, оставил как есть`,
		removed: (t) => `убран модуль «${t}», его часы разошлись по остальным`,
		missing: "такого модуля в плане нет, поэтому ничего не убирал",
		last: "это последний модуль, без него плана не останется",
		full: "в плане уже десять модулей, больше не стоит: лучше заменить один из них",
		hours: (a, b) => `всего часов: было ${a}, стало ${b}`,
		fewest: (n) => `меньше ${n} ч не получится: по часу на модуль`,
		moduleHours: (n, h, total) => `модуль ${n} теперь занимает ${h} ч, весь курс ${total} ч`,
		slower: (p) => `темп спокойнее: ${p} ч в неделю`,
		faster: (p) => `темп быстрее: ${p} ч в неделю`,
		practice: (p, project) => `практики больше: ${p} %${project ? ", добавлен ещё один проект" : ""}`,
		theory: (p) => `теории больше, практика теперь ${p} %`,
		harder: (l) => `уровень выше: ${l}, темы заменены`,
		easier: (l) => `уровень ниже: ${l}, темы заменены`,
		sameLevel: (l) => `уровень и так ${l}`,
		swapped: (a, b) => `модули ${a} и ${b} поменялись местами`,
		moved: (t, n) => `модуль «${t}» теперь стоит на месте ${n}`,
		reordered: "порядок тем изменён, итоговая работа осталась в конце",
		renamed: (n, t) => `модуль ${n} теперь называется «${t}»`,
	},
};

const en = {
	level: { beginner: "beginner", intermediate: "intermediate", advanced: "advanced" },
	yourLanguage: "your language",
	capstone: {
		title: (skill) => `Capstone project: ${skill}`,
		about: "We bring everything together in one finished work and show it.",
		aboutGoal: (goal) => `We bring everything together in a work made for your goal: "${goal}".`,
		goals: ["Plan and complete a project", "Present the result and answer questions", "Sketch the next steps"],
		task: "presenting the final work",
	},
	custom: {
		about: (title) => `A module you asked for. We study "${title}" on the course's own examples, from simple to real ones.`,
		goals: (title) => [`Explain what "${title}" is good for`, "Apply it to a task of the course", "Notice and fix frequent mistakes"],
		task: "a small work based on the course material",
	},
	plan: {
		heading: (title) => `🎓 Course plan: ${title}`,
		welcome: { beginner: "Nice to meet you! We start from zero and take small, steady steps.",
			intermediate: "Nice to meet you! You know the basics, so we go straight to what makes you grow.",
			advanced: "Nice to meet you! You can do a lot already, so this plan is built around hard problems." },
		facts: (p, level) => `**Skill:** ${p.skill} · **Level:** ${level} · **Total:** ${p.hours} h · `
			+ `**Pace:** ${p.pace} h a week (≈ ${Math.ceil(p.hours / p.pace)} wk) · **Practice:** ${p.practice} %`,
		expectations: (text) => `> 💬 You wrote: "${text}". The plan is built around that.`,
		goalsHeading: "🎯 Goals",
		goals: (p) => [`Use ${p.skill} with confidence in your own tasks`, "Finish a work you can be proud to show",
			"Know how to keep learning on your own"],
		table: "🗺️ Overview", columns: ["No.", "Module", "Hours"], total: "Total",
		modules: "📚 Modules", module: (n, m) => `Module ${n}. ${m.title} — ${m.hours} h`, task: "Practice",
		projects: "🚀 Practice projects",
		adviceHeading: "💡 How to study",
		advice: (p) => `Study little but often: ${Math.max(1, Math.round(p.pace / 3))}–${Math.max(2, Math.round(p.pace / 2))} h at a time. `
			+ "After each module explain the main points in your own words.",
		questionsHeading: "❓ Three questions",
		questions: ["Do you like this plan?", "What should change: topics, order, hours, pace?", "Are you ready to finalize it and create the modules?"],
	},
	talk: {
		done: "Done, the plan is updated. ✅", partly: "Here is the result:",
		changes: "**What changed:**",
		current: "🗺️ The plan now",
		ask: "Is this better? Topics, order, hours and pace can change further. If it suits you, finalize the plan.",
		thanks: "Glad you like it! 🎉 Press the finalize button and I will turn it into course modules. You can still change things before that.",
		ready: "Great, the plan is ready. ✅ Press the finalize button: the modules will match the table below exactly.",
		hello: "Hello! 👋 The plan is in front of you. Tell me what to change, or ask about any module.",
		time: (p) => `The whole course takes **${p.hours} h**. At ${p.pace} h a week that is about ${Math.ceil(p.hours / p.pace)} ${Math.ceil(p.hours / p.pace) === 1 ? "week" : "weeks"}.`,
		about: (n, m) => `**Module ${n}. ${m.title}** takes ${m.hours} h. ${m.about}`,
		skills: "After it you will be able to:",
		unclear: (text) => `Thanks, noted: "${text}". To change the plan, say for example:`,
		examples: ["\"add a module about …\"", "\"remove module 2\"", "\"fit it in 20 hours\" or \"more hours\"", "\"slower\", \"more practice\", \"swap modules 2 and 3\""],
	},
	note: {
		added: (t, n, h) => `added module ${n} "${t}" (${h} h); the other modules share the remaining time`,
		exists: (t) => `the plan already has a module "${t}", left as it is`,
		removed: (t) => `removed module "${t}"; its hours went to the others`,
		missing: "there is no such module, so nothing was removed",
		last: "this is the last module; without it no plan would be left",
		full: "the plan has ten modules already; better replace one of them",
		hours: (a, b) => `total hours: ${a} before, ${b} now`,
		fewest: (n) => `less than ${n} h is not possible: an hour for each module`,
		moduleHours: (n, h, total) => `module ${n} now takes ${h} h, the whole course ${total} h`,
		slower: (p) => `calmer pace: ${p} h a week`,
		faster: (p) => `faster pace: ${p} h a week`,
		practice: (p, project) => `more practice: ${p} %${project ? ", one more project added" : ""}`,
		theory: (p) => `more theory, practice is now ${p} %`,
		harder: (l) => `higher level: ${l}, topics replaced`,
		easier: (l) => `lower level: ${l}, topics replaced`,
		sameLevel: (l) => `the level is ${l} already`,
		swapped: (a, b) => `modules ${a} and ${b} changed places`,
		moved: (t, n) => `module "${t}" is now number ${n}`,
		reordered: "the topics have a new order; the final work stays last",
		renamed: (n, t) => `module ${n} is now called "${t}"`,
	},
};

export const WORDS = { ru, en };
