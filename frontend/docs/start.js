/* Nothing is asked of another server: no validator badge, no fonts. */
window.ui = window.SwaggerUIBundle({
	url: '/openapi.json',
	dom_id: '#swagger-ui',
	deepLinking: true,
	validatorUrl: null,
	persistAuthorization: false,
	tryItOutEnabled: false,
	displayRequestDuration: true,
	defaultModelsExpandDepth: 0,
});
