/* Every address of the application. What is not needed at once is loaded when it is opened. */

import { authView } from './views/auth.js';
import { landingView } from './views/landing.js';
import { lazyView } from './views/lazy.js';
import { tracksView } from './views/tracks.js';

const newTrack = lazyView(async () => (await import('./views/new_track.js')).newTrackView);
const track = lazyView(async () => (await import('./views/track.js')).trackView);
const plan = lazyView(async () => (await import('./views/plan.js')).planView, { wide: true, kind: 'chat' });
const module = lazyView(async () => (await import('./views/module.js')).moduleView);
const learn = lazyView(async () => (await import('./views/learn.js')).learnView, { wide: true, kind: 'chat' });
const lesson = lazyView(async () => (await import('./views/lesson.js')).lessonView);
const profile = lazyView(async () => (await import('./views/profile.js')).profileView);
const settings = lazyView(async () => (await import('./views/settings.js')).settingsView);
const statistics = lazyView(async () => (await import('./views/statistics.js')).statisticsView);
const users = lazyView(async () => (await import('./views/users.js')).usersView);

const forgot = lazyView(async () => (await import('./views/reset.js')).forgotView);
const reset = lazyView(async () => (await import('./views/reset.js')).resetView);

export const routes = [
	{ path: '/', view: landingView },
	{ path: '/auth', view: authView },
	{ path: '/forgot', view: forgot },
	{ path: '/reset', view: reset },
	{ path: '/tracks', view: tracksView, private: true },
	{ path: '/tracks/new', view: newTrack, private: true },
	{ path: '/tracks/:id', view: track, private: true },
	{ path: '/tracks/:id/plan', view: plan, private: true },
	{ path: '/tracks/:id/modules/:module', view: module, private: true },
	{ path: '/tracks/:id/modules/:module/learn', view: learn, private: true },
	{ path: '/tracks/:id/modules/:module/lessons/:number', view: lesson, private: true },
	{ path: '/profile', view: profile, private: true },
	{ path: '/statistics', view: statistics, private: true },
	{ path: '/settings', view: settings },
	{ path: '/users', view: users, private: true, role: 'admin' },
];
