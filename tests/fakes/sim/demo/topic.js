/*
 * The title of a module to add, out of the learner's words.
 */

import { MODULE } from "./wish-words.js";

/* "про X" stands in the accusative, which for feminine words differs from the title's nominative. */
const KEEP_ENDING = /^(?:меню|интервью|шоу|ревю|ноу-хау)$/i;

function nominative(topic) {
	const words = topic.split(" ");

	for (let i = 0; i < words.length; i++) {
		const word = words[i];

		if (/(?:ую|юю)$/i.test(word)) {
			words[i] = word.replace(/ую$/i, "ая").replace(/юю$/i, "яя");
			continue;
		}
		if (/[а-яё]{2}[ую]$/i.test(word) && !KEEP_ENDING.test(word))
			words[i] = word.replace(/у$/i, "а").replace(/ю$/i, "я");
		break;	/* only the first noun changes; what follows it already depends on it */
	}
	return words.join(" ");
}

export function capital(text) {
	return text ? text[0].toUpperCase() + text.slice(1) : text;
}

const POLITE = /[\s,]+(?:пожалуйста|please|ещ[её]|тоже|too|as well)(?=[\s,]|$)/gi;
const PLACE = new RegExp(`[\\s,]+(?:(?:в|to|at) (?:самый |самое |the )?(?:конец|начало|start|beginning|end)|(?:после|перед|after|before)\\s+(?:${MODULE}\\s*)?№?\\s*\\d+.*|(?:в|в наш|в этот|to the|to our|into the) (?:план|курс|plan|course))\\s*$`, "i");
const TOPIC_MAX = 80;

/* A phrase as a title: no politeness, no place, no markdown, not too long. */
export function cleanTopic(text) {
	const bare = ` ${text} `.replace(POLITE, " ").trim().replace(PLACE, "").replace(/[|`*_#<>[\]]/g, " ")
		.replace(/\s+/g, " ").trim().replace(/^["'«„“]+|["'»“”.,!]+$/g, "").trim();

	return bare.length > TOPIC_MAX ? `${bare.slice(0, TOPIC_MAX).trim()}…` : bare;
}

/* The title of a module to add, from "модуль про X", "модуль о X", "a module about X", "добавь X". */
export function addedTopic(clause) {
	const forms = [
		[new RegExp(`(?:${MODULE}|тем[а-яё]*|раздел[а-яё]*|блок[а-яё]*|section|topic|part)\\s+(?:про|на тему|посвящ[её]нн[а-яё]*)\\s+(.+)`, "i"), nominative],
		[new RegExp(`(?:${MODULE}|тем[а-яё]*|раздел[а-яё]*|блок[а-яё]*)\\s+(об?о?\\s+.+)`, "i"), (t) => `всё ${t}`],
		[new RegExp(`(?:${MODULE}|тем[а-яё]*|раздел[а-яё]*|блок[а-яё]*)\\s+(по\\s+.+)`, "i"), (t) => `практикум ${t}`],
		[new RegExp(`(?:${MODULE}|section|topic|part)\\s+(?:about|on|for|covering|dedicated to|devoted to)\\s+(.+)`, "i"), (t) => t],
		[new RegExp(`${MODULE}\\s*[:—–-]?\\s*["«“](.+?)["»”]`, "i"), (t) => t],
		[/(?:добав[а-яё]*|включи[а-яё]*|встав[а-яё]*|не хватает)\s+(?:ещ[её]\s+)?(?:немного\s+)?(?:про|тему|раздел|блок)\s+(.+)/i, nominative],
		[/(?:добав[а-яё]*|включи[а-яё]*|встав[а-яё]*)\s+(?:ещ[её]\s+)?(.+)/i, nominative],
		[/(?:add|include|insert)\s+(?:something (?:about|on)\s+|a (?:section|topic|part) (?:about|on)\s+|some\s+)?(.+)/i, (t) => t],
	];

	for (const [form, shape] of forms) {
		const topic = cleanTopic(form.exec(clause)?.[1] ?? "");

		if (topic && !new RegExp(`^(?:(?:ещ[её]|один|новый|a|an|another|one|more|new)\\s*)*${MODULE}?$`, "i").test(topic))
			return capital(shape(topic));
	}
	return null;
}
