/* Joins the parts: who is signed in, the server, the routes, the page. */

import './styles/index.css';
import { createApi } from './api.js';
import { createAuth } from './auth.js';
import { initLanguage, onLanguage, currentLanguage, t } from './i18n/index.js';
import { createRouter } from './router.js';
import { openSession } from './session.js';
import { createSessions } from './sessions.js';
import { confirmDialog } from './ui/dialog.js';
import { mountNotices } from './ui/notices.js';
import { createShell } from './ui/shell.js';
import { authView } from './views/auth.js';
import { landingView } from './views/landing.js';
import { missingView } from './views/missing.js';
import { newTrackView } from './views/new_track.js';
import { planView } from './views/plan.js';
import { trackView } from './views/track.js';
import { tracksView } from './views/tracks.js';

const routes = [
	{ path: '/', view: landingView },
	{ path: '/auth', view: authView },
	{ path: '/tracks', view: tracksView, private: true },
	{ path: '/tracks/new', view: newTrackView, private: true },
	{ path: '/tracks/:id', view: trackView, private: true },
	{ path: '/tracks/:id/plan', view: planView, private: true },
];

initLanguage();

const storage = sessionStorage;
const auth = createAuth(storage);
let demo = false;

const api = createApi({
	fetch: (...args) => fetch(...args),
	token: auth.token,
	language: currentLanguage,
	texts: {
		network: () => t('error.network'),
		timeout: () => t('error.timeout'),
		server: (status) => t('error.server', { status }),
	},
	onUnauthorized: signInAgain,
});

const sessions = createSessions((sessionId, chatId) =>
	openSession({ sessionId, chatId, api, storage, language: currentLanguage, onUnauthorized: signInAgain }));

const shell = createShell(document.getElementById('app'), { user: auth.user, onSignOut: signOut, isDemo: () => demo });

const app = {
	api,
	auth,
	storage,
	navigate: (path, options) => router.navigate(path, options),
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
		auth.save(answer);
		shell.draw();
		router.navigate(goal, { replace: true });
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
	router.navigate(`/auth?next=${encodeURIComponent(here())}`, { replace: true });
}

async function signOut() {
	const sure = !auth.user()?.is_guest
		|| await confirmDialog({ title: t('signOut.title'), text: t('signOut.text'), yes: t('signOut.yes') });

	if (!sure)
		return;
	sessions.closeAll();
	auth.signOut();
	shell.draw();
	router.navigate('/');
}

const router = createRouter({
	routes,
	missing: { view: missingView },
	app,
	show: shell.show,
	guard: (route) => (route.private && !auth.isSignedIn() ? `/auth?next=${encodeURIComponent(here())}` : null),
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

mountNotices(document.body);
onLanguage(() => {
	shell.draw();
	router.refresh();
});
shell.draw();
router.start();
learnConfig();
