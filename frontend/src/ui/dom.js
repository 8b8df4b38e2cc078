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

/** A reply that is being written is drawn so often: enough for the eye, and a third of what each frame would cost. */
export const WRITING_MS = 50;

/** One call per animation frame at the most, and per gap in milliseconds, with the newest argument. */
export function oncePerFrame(work, gap = 0) {
	let frame = 0;
	let timer = 0;
	let drawn = -Infinity;
	let newest;

	const draw = () => {
		timer = 0;
		frame = requestAnimationFrame(() => {
			frame = 0;
			drawn = performance.now();
			work(newest);
		});
	};
	const schedule = (value) => {
		newest = value;
		if (frame || timer)
			return;
		const wait = drawn + gap - performance.now();

		if (wait > 0)
			timer = setTimeout(draw, wait);
		else
			draw();
	};
	schedule.cancel = () => {
		cancelAnimationFrame(frame);
		clearTimeout(timer);
		frame = timer = 0;
	};
	return schedule;
}

let lastId = 0;

export function freshId(prefix) {
	lastId += 1;
	return `${prefix}-${lastId}`;
}
