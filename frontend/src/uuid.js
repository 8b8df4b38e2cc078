/* crypto.randomUUID exists in secure contexts only; a plain-http LAN address is not one. */
export function uuid() {
	const b = crypto.getRandomValues(new Uint8Array(16));

	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
	return [8, 12, 16, 20, 32].map((end, i, cuts) => hex.slice(cuts[i - 1] ?? 0, end)).join('-');
}
