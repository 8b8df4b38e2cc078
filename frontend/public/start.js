/*
 * Before the first paint: the look and the language that were chosen, and
 * which of the pages drawn into index.html is shown until the scripts draw
 * the living one: the landing page, to whoever is not signed in. See
 * src/theme.js, src/i18n/index.js (chooseLanguage), build/first_page.js.
 */
(function () {
	var root = document.documentElement;
	var theme = null;
	var language = null;
	var known = false;

	try {
		theme = localStorage.getItem('theme');
		language = localStorage.getItem('language');
		known = localStorage.getItem('signed_in_as') || sessionStorage.getItem('auth_token');
	} catch (error) {
		/* no storage here: what the system and the browser say it is */
	}
	if (theme === 'light' || theme === 'dark')
		root.setAttribute('data-theme', theme);
	if (language !== 'ru' && language !== 'en')
		language = /^(ru|be|uk|kk)\b/i.test(navigator.language || '') ? 'ru' : 'en';
	root.lang = language;
	if (location.pathname === '/' && !known)
		root.setAttribute('data-first-page', language);
})();
