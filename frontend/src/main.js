/* Joins the parts: who is signed in, the server, the routes, the page. */

import './styles/index.css';
import { createApi } from './api.js';
import { createAuth } from './auth.js';
import { initLanguage, onLanguage, currentLanguage, t } from './i18n/index.js';
import { saveLearning } from './learning_prefs.js';
import { takeOver } from './legacy.js';
import { createRouter } from './router.js';
import { routes } from './routes.js';
import { openSession } from './session.js';
import { createSessions } from './sessions.js';
import { listenForShortcuts } from './shortcuts.js';
import { confirmDialog } from './ui/dialog.js';
import { mountNotices, toast } from './ui/notices.js';
import { createShell } from './ui/shell.js';
import { missingView } from './views/missing.js';

/* how long the first page waits to know whether the model is a real one */
const FIRST_ANSWER_MS = 500;

initLanguage();

const storage = sessionStorage;
const old = takeOver(localStorage);
const auth = createAuth({ storage, shared: localStorage, renewNow: () => api.renewToken(), locks: navigator.locks });
let demo = false;

if (old.learning)
	saveLearning(old.learning);
if (old.token && !auth.isSignedIn())
	auth.save({ access_token: old.token, user: old.user });

const api = createApi({
	fetch: (...args) => fetch(...args),
	token: auth.token,
	language: currentLanguage,
	texts: {
		network: () => t('error.network'),
		timeout: () => t('error.timeout'),
		server: (status) => t('error.server', { status }),
	},
	renew: auth.renew,
	onUnauthorized: signInAgain,
});

const sessions = createSessions((sessionId, chatId) => openSession({
	sessionId, chatId, api, storage, language: currentLanguage, renew: auth.renew, onUnauthorized: signInAgain,
}));

const shell = createShell(document.getElementById('app'), { user: auth.user, onSignOut: signOut, isDemo: () => demo });

const app = {
	api,
	auth,
	storage,
	navigate: (path, options) => router.navigate(path, options),
	redraw: () => shell.draw(),
	setTitle(title) {
		document.title = `${title} · ${t('app.name')}`;
	},
	acquireSession: sessions.acquire,
	releaseSession: sessions.release,
	/** A track of the caller; another's and an unknown one get the same words. */
	async loadTrack(id) {
		try {
			return await api.track(id);
		} catch (error) {
			if (error.status === 404 || error.status === 400)
				error.message = t('track.missing');
			throw error;
		}
	},
	signedIn(answer, goal) {
		sessions.closeAll();
		auth.save(answer);
		shell.draw();
		router.navigate(goal, { replace: true });
		if (answer.claimed?.tracks > 0)
			toast(t('auth.claimed', { n: answer.claimed.tracks }));
	},
	/** The sign-in is over on the server too: nothing of the person stays here. */
	leave(words) {
		sessions.closeAll();
		auth.signOut();
		shell.draw();
		router.navigate('/');
		if (words)
			toast(words);
	},
};

function here() {
	return location.pathname + location.search;
}

/* The sign-in ran out. Nothing typed is lost, and the person comes back to this place. */
function signInAgain() {
	if (!auth.isSignedIn())
		return;
	auth.expire();
	sessions.closeAll();
	shell.draw();
	/* somebody who is signing in already goes on with it */
	if (location.pathname !== '/auth')
		router.navigate(`/auth?next=${encodeURIComponent(here())}`, { replace: true });
}

async function signOut() {
	const sure = !auth.user()?.is_guest
		|| await confirmDialog({ title: t('signOut.title'), text: t('signOut.text'), yes: t('signOut.yes') });

	if (!sure)
		return;
	try {
		await api.logout(false);
		app.leave();
	} catch {
		/* this browser forgets all the same; the token runs out by itself */
		app.leave(t('signOut.offline'));
	}
}

const router = createRouter({
	routes,
	missing: { view: missingView },
	app,
	show: shell.show,
	guard(route) {
		if (route.private && !auth.isSignedIn())
			return `/auth?next=${encodeURIComponent(here())}`;
		return route.role && auth.user()?.role !== route.role ? '/tracks' : null;
	},
});

/* Whether answers come from the simulator must be said; a server that cannot tell is asked again. */
async function learnConfig() {
	try {
		const config = await api.defaultConfig();
		if (config?.demo_model !== demo) {
			demo = config.demo_model === true;
			shell.draw();
		}
	} catch {
		setTimeout(learnConfig, 5000);
	}
}

/* A new tab of somebody who is signed in: the cookie tells who, before a page is shown. */
async function comeBack() {
	if (!auth.mayBeSignedIn())
		return;
	try {
		if (!await auth.renew())
			auth.expire();
	} catch (error) {
		toast(error.message, 'error');
	}
	shell.draw();
}

/* The answer when it comes at once, and no waiting for it otherwise. */
const soon = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, FIRST_ANSWER_MS))]);

async function start() {
	mountNotices(document.body);
	onLanguage(() => {
		shell.draw();
		router.refresh();
	});
	auth.onElsewhere(() => {
		sessions.closeAll();
		storage.clear();
		location.reload();
	});
	listenForShortcuts(app);
	const back = comeBack();
	/* that answers are made up is said with the first page, not pushed into it; index.html has asked already */
	await soon(learnConfig());
	shell.draw();
	await back;
	router.start();
}

start();
