/** Copies text; false when the browser does not let us. */
export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		/* no permission, or a plain-http page, where the clipboard does not exist */
		return copyBySelection(text);
	}
}

function copyBySelection(text) {
	const area = document.createElement('textarea');

	area.value = text;
	area.className = 'visually-hidden';
	document.body.append(area);
	area.select();
	const copied = document.execCommand('copy');
	area.remove();
	return copied;
}
