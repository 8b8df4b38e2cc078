/*
 * The words by which a wish is recognised, Russian and English together.
 * JavaScript's \b and \w do not know Cyrillic, hence the longer forms.
 */

export const ORDINALS = [/перв|\bfirst\b|\b1st\b/i, /втор|\bsecond\b|\b2nd\b/i, /трет|\bthird\b|\b3rd\b/i, /четв[её]рт|\bfourth\b|\b4th\b/i,
	/пят(?:ый|ого|ом|ым)|\bfifth\b|\b5th\b/i, /шест(?:ой|ого|ом)|\bsixth\b|\b6th\b/i, /седьм|\bseventh\b|\b7th\b/i, /восьм|\beighth\b|\b8th\b/i];
export const LAST = /последн|\blast\b|\bfinal\b/i;
export const MODULE = "(?:модул[а-яё]*|modules?)";
const VERB = "(?:добав|включ|встав|убер|убрат|удал|исключ|выкин|сдела|сокра|увелич|уменьш|поменя|перенес|перемест|постав|переименуй|начн|замен|"
	+ "add|include|insert|remove|drop|delete|skip|make|cut|swap|move|put|rename|start|reduce|increase|replace)";
export const CLAUSE = new RegExp(`[.;!?\\n]+(?=\\s|$)|,?\\s+(?:а также|и|а|and|then|also|затем|потом)\\s+(?=(?:then |also |ещё |еще |потом |затем )?${VERB})|,\\s+(?=${VERB})`, "i");

export const ADD = /добав|включи|встав|нужен (?:ещ[её] )?(?:один )?модул|не хватает|хоч[уе][а-яё]* (?:ещ[её] )?(?:один )?модул|хотел[а-яё]* бы (?:ещ[её] )?модул|\badd\b|\binclude\b|\binsert\b|(?:want|need|like) (?:a|another|one more) module|\bmissing\b/i;
export const REMOVE = /убер|убрат|убра|удал|исключ|выкин|пропуст|не нуж(?:ен|на|но|ны)|без модул|\bremove\b|\bdrop\b|\bdelete\b|\bskip\b|get rid of|without (?:the )?(?:\w+ )?module|(?:don't|do not) need/i;
export const HOURS = /(?<!\d)(\d{1,4})\s*-?\s*(?:(?:more|fewer|less|extra|additional)\s+)?(?:ч(?![а-яё])|час[а-яё]*|h\b|hours?|hrs?\b)/i;
export const MORE_HOURS = /(?:больше|побольше|добав[а-яё]*|увелич[а-яё]*)\s+(?:\S+\s+){0,2}?(?:час|врем)|длиннее|подольше|(?:more|increase|add|extra)\s+(?:\S+\s+){0,3}?(?:hours?|time)|\blonger\b|увелич[а-яё]* (?:длительн|продолж|объ[её]м)/i;
export const FEWER_HOURS = /(?:меньше|поменьше|сокра[а-яё]*|уменьш[а-яё]*|убав[а-яё]*|урежь[а-яё]*)\s+(?:\S+\s+){0,3}?(?:час|врем|курс|план|длит|до\s|на\s)|короче|покороче|(?:fewer|less|reduce|cut)\s+(?:\S+\s+){0,3}?(?:hours?|time|to)|\bshort(?:er|en)\b|\d\s*(?:hours?|h)\s+(?:less|fewer)|(?:hours?|h)\s+shorter/i;
export const RELATIVE = /(?:на|by)\s+\d|добав[а-яё]*\s+(?:ещ[её]\s+)?\d|\d+\s+more\b|(?:add|extra)\s+(?:another\s+)?\d|\d\s*(?:hours?|h)\s+(?:less|fewer|more)/i;
export const PACES = [["slower", /медленн|не спеш|без спешки|спокойн|\bslow(?:er|ly| down)?\b|relaxed|calmer|less intens/i],
	["faster", /быстр|ускор|интенсивн|\bfast(?:er)?\b|speed (?:it )?up|quicker|more intens/i]];
export const PRACTICE = /(?:больше|побольше|добав[а-яё]*|усил[а-яё]*)\s+(?:\S+\s+)?(?:практи|задан|упражн)|практичн|меньше теори|more (?:\w+ )?(?:practi[cs]|exercis|hands)|hands.on|less theory|add (?:more )?(?:practice|exercises)/i;
export const THEORY = /(?:больше|побольше|добав[а-яё]*)\s+теори|меньше практи|more theory|less practice/i;
export const LEVELS = [["harder", /сложнее|труднее|(?:повысь|подними)[а-яё]* уровень|\bharder\b|more (?:difficult|advanced|challenging)/i],
	["easier", /проще|попроще|легче|полегче|(?:понизь|снизь)[а-яё]* уровень|\beasier\b|\bsimpler\b|less difficult/i]];
export const SWAP = /поменя[а-яё]*[^.]*местами|\bswap\b|\bexchange\b|switch the (?:order|places)/i;
export const MOVE = /перенес|перемест|постав[а-яё]*|передвин|\bmove\b|\bput\b/i;
export const START = /начн(?:и|ё|е)[а-яё]*\s+(?:\S+\s+)?с\s|начать\s+с\s|\bstart with\b|\bbegin with\b/i;
export const REORDER = /(?:друг[а-яё]*|нов[а-яё]*|измени[а-яё]*|поменя[а-яё]*|смени[а-яё]*)\s+(?:\S+\s+)?поряд[а-яё]*|(?:another|different|other|change the|new) order|reorder|rearrange/i;
export const RENAME = /переимену[а-яё]*|назови|\brename\b/i;
export const AT_START = /в (?:самое )?начало|первым|(?:to|at) the (?:start|beginning|top|front)|\bfirst\b$/i;
export const AT_END = /в (?:самый )?конец|последним|(?:to|at) the (?:end|bottom)|\blast\b$/i;
export const AFTER = new RegExp(`(?:после|after)\\s+(?:${MODULE}\\s*)?(?:№\\s*)?(\\d{1,2})`, "i");
export const BEFORE = new RegExp(`(?:перед|before)\\s+(?:${MODULE}\\s*)?(?:№\\s*)?(\\d{1,2})`, "i");
export const TO_PLACE = /(?:на место|на позицию|to (?:place|position|number))\s*№?\s*(\d{1,2})|на\s+(\d{1,2})(?:-?[а-яё]{1,2})?\s+место/i;
