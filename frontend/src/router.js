/*
 * History-API routes. A route's view gets {params, query, app} and returns
 * {node, title, destroy?}. Links inside the page are taken over; everything
 * else (new tab, download, other origin) stays the browser's.
 */

/** '/tracks/:id' against '/tracks/7' gives {id: '7'}; null when it does not match. */
export function matchPath(pattern, path) {
	const want = pattern.split('/').filter(Boolean);
	const have = path.split('/').filter(Boolean);
	const params = {};

	if (want.length !== have.length)
		return null;
	for (let i = 0; i < want.length; i++) {
		if (want[i].startsWith(':'))
			params[want[i].slice(1)] = decode(have[i]);
		else if (want[i] !== have[i])
			return null;
	}
	return params;
}

function decode(part) {
	try {
		return decodeURIComponent(part);
	} catch {
		/* a lone percent sign: what was typed is the best name for it */
		return part;
	}
}

export function findRoute(routes, path) {
	for (const route of routes) {
		const params = matchPath(route.path, path);
		if (params)
			return { route, params };
	}
	return null;
}

/** A place inside this application, or the fallback: never another site. */
export function safePath(path, fallback) {
	return typeof path === 'string' && /^\/(?![/\\])/.test(path) ? path : fallback;
}

function isOurs(event, link) {
	return !event.defaultPrevented && event.button === 0
		&& !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
		&& link.origin === location.origin && !link.target && !link.hasAttribute('download');
}

/**
 * guard(route, url): a path to go to instead, or null. show(view, moved):
 * puts view.node on the page; moved is false when the same place is only
 * drawn again.
 */
export function createRouter({ routes, missing, guard, show, app }) {
	let current = null;

	function render(moved) {
		const url = new URL(location.href);
		const found = findRoute(routes, url.pathname) ?? { route: missing, params: {} };
		const elsewhere = guard(found.route, url);

		if (elsewhere) {
			history.replaceState(null, '', elsewhere);
			return render(moved);
		}
		current?.destroy?.();
		current = found.route.view({ params: found.params, query: url.searchParams, app });
		show(current, moved);
	}

	function navigate(path, { replace = false } = {}) {
		history[replace ? 'replaceState' : 'pushState'](null, '', path);
		render(true);
	}

	return {
		navigate,
		/** Draws the current place again, for example in another language. */
		refresh: () => render(false),
		start() {
			addEventListener('popstate', () => render(true));
			document.addEventListener('click', (event) => {
				const link = event.target.closest?.('a[href]');
				if (!link || !isOurs(event, link))
					return;
				event.preventDefault();
				navigate(link.pathname + link.search);
			});
			/* the browser has put focus and scroll where a fresh page has them */
			render(false);
		},
	};
}
