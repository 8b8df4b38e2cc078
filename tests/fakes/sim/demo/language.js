/*
 * In which language to answer: an explicit line (Language: ru) decides, else
 * the letters of the newest user message, else those of the whole request.
 */

const EXPLICIT = /^[ \t>*#-]*(?:language|язык)(?:\*\*)?\s*:(?:\*\*)?\s*["'«]?(ru|en|russian|english|русский|английский)/im;

function share(text) {
	const cyrillic = (text.match(/[а-яё]/gi) ?? []).length;
	const latin = (text.match(/[a-z]/gi) ?? []).length;

	return { letters: cyrillic + latin, russian: cyrillic * 3 >= latin };
}

export function languageOf(messages) {
	for (const { role, text } of messages) {
		const found = role === "system" && EXPLICIT.exec(text);

		if (found)
			return /^(ru|рус)/i.test(found[1]) ? "ru" : "en";
	}
	const last = share(messages.findLast((m) => m.role === "user")?.text ?? "");

	if (last.letters >= 12)
		return last.russian ? "ru" : "en";
	const all = share(messages.map((m) => m.text).join("\n"));

	return all.letters > 0 && all.russian ? "ru" : "en";
}
