/*
 * h('p', {class: 'x', onclick: f}, 'text', node): an element. Strings become
 * text, never markup; null and false children are left out. An attribute that
 * is false, null or undefined is left out, true is set without a value.
 */
export function h(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith('on'))
			node.addEventListener(name.slice(2), value);
		else
			setAttribute(node, name, value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

export function setAttribute(node, name, value) {
	if (value === false || value === null || value === undefined)
		node.removeAttribute(name);
	else
		node.setAttribute(name, value === true ? '' : value);
}

/** Writes only what changed, so that a selection and a screen reader are left alone. */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

/** One call per animation frame at the most, with the newest argument. */
export function oncePerFrame(work) {
	let frame = 0;
	let newest;

	const schedule = (value) => {
		newest = value;
		frame ||= requestAnimationFrame(() => {
			frame = 0;
			work(newest);
		});
	};
	schedule.cancel = () => {
		cancelAnimationFrame(frame);
		frame = 0;
	};
	return schedule;
}

let lastId = 0;

export function freshId(prefix) {
	lastId += 1;
	return `${prefix}-${lastId}`;
}
