/* Before the first paint: the look that was chosen, if one was. See src/theme.js. */
try {
	var chosen = localStorage.getItem('theme');
	if (chosen === 'light' || chosen === 'dark')
		document.documentElement.setAttribute('data-theme', chosen);
} catch (error) {
	/* no storage here: the system's look it is */
}
