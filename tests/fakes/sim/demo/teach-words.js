/*
 * The teacher's phrases in both languages.
 */

const ru = {
	introduction: "Введение", concepts: "Основные понятия", explanation: "Разбираем подробно", examples: "Примеры из практики",
	keyPoints: "Главное", selfCheck: "Проверьте себя", exercises: "Упражнения",
	hello: (m, track) => `Добро пожаловать в модуль «${m.title}» курса «${track.title}»! ${m.about} Идём от простого к сложному, и на каждом шаге будет что сделать руками.`,
	concept: (goal) => `**${goal}** — к концу модуля вы умеете это сами`,
	explain: [
		"Начните с самого простого случая и доведите его до результата. Когда он работает, меняйте в нём по одной детали и смотрите, что изменилось: так причина и следствие видны сразу.",
		"Сравните два способа сделать одно и то же. Один обычно короче, другой понятнее. Выбирайте тот, который вы сможете объяснить другому через неделю.",
		"Запишите, где чаще всего ошибаются, и проверьте эти места первыми. Ошибка, которую вы нашли сами, запоминается лучше любого правила.",
	],
	example: (m) => `**Задача.** ${m.task[0].toUpperCase()}${m.task.slice(1)}.\n\n**Решение по шагам.**\n\n1. Опишите одним предложением, что должно получиться.\n2. Сделайте самую маленькую часть, которую можно проверить.\n3. Добавляйте по одной возможности и проверяйте после каждой.\n4. Покажите результат и запишите, что улучшить.`,
	points: ["Понимание проверяется делом, а не чтением", "Маленькие шаги с проверкой быстрее больших без неё", "Хороший вопрос экономит часы"],
	checks: (m) => [...m.goals.map((g) => `Получается ли у вас: ${g[0].toLowerCase()}${g.slice(1)}? Приведите пример.`), "Что в этом модуле было самым трудным и почему?"],
	invite: "Спрашивайте обо всём, что осталось непонятным: объясню проще, покажу пример или дам упражнение. 💬",
	answer: (q, m) => `Хороший вопрос! 👍 Вы спрашиваете: «${q}».\n\nВ модуле «${m.title}» это связано с целью «${m.goals[0]}». Коротко: ${m.about}\n\n**Попробуйте так:**\n\n1. Сформулируйте, что уже понятно.\n2. Возьмите самый простой случай и пройдите его до конца.\n3. Сравните результат с ожиданием и назовите разницу.\n\nНа каком шаге становится трудно?`,
	kinds: [
		{ words: /пример/i, answer: (m) => `Вот пример по теме «${m.title}». 🛠️\n\n${ru.example(m)}\n\nХотите разобрать его вместе шаг за шагом?` },
		{ words: /упражнен|задани|задач|потренир/i, answer: (m) => `Упражнение по теме «${m.title}» ✍️\n\n${ru.checks(m).map((c, i) => `${i + 1}. ${c}`).join("\n")}\n\nПришлите ответ на любое, разберём его вместе.` },
		{ words: /прост|не понима|не понял|непонятн/i, answer: (m) => `Давайте проще. 🙂\n\nПредставьте, что «${m.title}» нужно объяснить другу за минуту: ${m.about}\n\nЗапомните одну мысль: **${m.goals[0].toLowerCase()}**. Остальное вырастает из неё. Что из этого стоит раскрыть подробнее?` },
		{ words: /провер|тест|вопрос/i, answer: (m) => `Проверим понимание! 🎯\n\n${ru.checks(m).slice(0, 3).map((c, i) => `${i + 1}. ${c}`).join("\n")}\n\nОтвечайте по одному, я подскажу.` },
		{ words: /спасибо|понятно|понял/i, answer: (m) => `Отлично, вы хорошо продвигаетесь! 🎉 Следующий шаг модуля «${m.title}»: ${m.task}. Попробуем?` },
	],
	test: "Связь есть.",
	talk: (q) => `Спасибо за сообщение: «${q}». Я помогаю планировать курсы и учиться по ним. Назовите навык, уровень и сколько часов у вас есть, и я составлю план.`,
};

const en = {
	introduction: "Introduction", concepts: "Main concepts", explanation: "In detail", examples: "Practical examples",
	keyPoints: "Key points", selfCheck: "Check yourself", exercises: "Exercises",
	hello: (m, track) => `Welcome to the module "${m.title}" of the course "${track.title}"! ${m.about} We go from simple to harder, with something to do by hand at each step.`,
	concept: (goal) => `**${goal}**: by the end of the module you do this on your own`,
	explain: [
		"Start with the simplest case and bring it to a result. Once it works, change one detail at a time and watch what happens: cause and effect stay visible.",
		"Compare two ways to do the same thing. One is usually shorter, the other clearer. Choose the one you could explain to somebody in a week.",
		"Write down where people go wrong most often and check those places first. A mistake you found yourself is remembered better than any rule.",
	],
	example: (m) => `**Task.** ${m.task[0].toUpperCase()}${m.task.slice(1)}.\n\n**Step by step.**\n\n1. Say in one sentence what the result should be.\n2. Build the smallest part that can be checked.\n3. Add one thing at a time and check after each.\n4. Show the result and note what to improve.`,
	points: ["Understanding is proved by doing, not by reading", "Small checked steps are faster than big unchecked ones", "A good question saves hours"],
	checks: (m) => [...m.goals.map((g) => `Can you ${g[0].toLowerCase()}${g.slice(1)}? Give an example.`), "What was hardest in this module, and why?"],
	invite: "Ask about anything that is still unclear: I can put it more simply, show an example, or give you an exercise. 💬",
	answer: (q, m) => `Good question! 👍 You ask: "${q}".\n\nIn the module "${m.title}" it belongs to the goal "${m.goals[0]}". In short: ${m.about}\n\n**Try this:**\n\n1. Say what is already clear to you.\n2. Take the simplest case and follow it to the end.\n3. Compare the result with what you expected and name the difference.\n\nAt which step does it get difficult?`,
	kinds: [
		{ words: /example/i, answer: (m) => `Here is an example for "${m.title}". 🛠️\n\n${en.example(m)}\n\nShall we walk through it together?` },
		{ words: /exercise|task|practi[cs]e/i, answer: (m) => `An exercise for "${m.title}" ✍️\n\n${en.checks(m).map((c, i) => `${i + 1}. ${c}`).join("\n")}\n\nSend me your answer to any of them.` },
		{ words: /simpl|don't understand|do not understand|confus|unclear/i, answer: (m) => `Let us make it simpler. 🙂\n\nImagine explaining "${m.title}" to a friend in one minute: ${m.about}\n\nKeep one thought: **${m.goals[0].toLowerCase()}**. The rest grows out of it. Which part should I open up?` },
		{ words: /quiz|test|check/i, answer: (m) => `Let us check your understanding! 🎯\n\n${en.checks(m).slice(0, 3).map((c, i) => `${i + 1}. ${c}`).join("\n")}\n\nAnswer one at a time and I will help.` },
		{ words: /thank|got it|clear now|i see/i, answer: (m) => `Great, you are getting on well! 🎉 The next step of "${m.title}": ${m.task}. Shall we try?` },
	],
	test: "Connection works.",
	talk: (q) => `Thanks for your message: "${q}". I help to plan courses and to study them. Name a skill, your level and how many hours you have, and I will make a plan.`,
};

export const TEACH = { ru, en };
