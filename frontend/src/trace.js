/* W3C Trace Context: each thing a person asks for begins a trace, by which the servers' logs and spans find together. */
export function traceparent() {
	const hex = Array.from(crypto.getRandomValues(new Uint8Array(24)), (x) => x.toString(16).padStart(2, '0')).join('');

	return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}
