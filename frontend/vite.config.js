import { defineConfig } from 'vite';
import { compress } from './build/compress.js';
import { docs } from './build/docs.js';
import { firstPage } from './build/first_page.js';

const gateway = `http://${process.env.GATEWAY_LISTEN || '127.0.0.1:8000'}`;
const port = Number(process.env.FRONTEND_PORT || 3000);

const proxy = {
	'/api': { target: gateway },
	'/ws': { target: gateway, ws: true },
	'/docs': { target: gateway },
	'/redoc': { target: gateway },
	'/openapi.json': { target: gateway },
	'/asyncapi.json': { target: gateway },
};

export default defineConfig({
	server: { host: '127.0.0.1', port, strictPort: true, proxy },
	preview: { host: '127.0.0.1', port, strictPort: true, proxy },
	build: {
		target: 'es2022',
		/* light-dark(): the two looks stand side by side in tokens.css */
		cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
		assetsInlineLimit: 0,
		/* The page's content policy allows no inline script. */
		modulePreload: { polyfill: false },
	},
	plugins: [docs(), firstPage(), compress()],
	test: { environment: 'node', include: ['src/**/*.test.js'] },
});
