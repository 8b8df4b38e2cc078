/* What operators see of attempts: one line each, and numbers. */
#include "attempt.h"

#define MODEL_LABEL_SIZE 80

/* The model as a label: one that MODEL_PRICES knows, or the setting's own. A user may name any other: few labels, no texts of users. */
static const char *model_label(const struct attempt *a, char out[static MODEL_LABEL_SIZE])
{
	const struct ai *ai = a->ai;
	struct text model = text_from(a->model);
	struct text known = prices_known(ai->prices, model);

	if (known.len == 0 && text_is(model, ai->config->default_openai_model))
		known = model;
	snprintf(out, MODEL_LABEL_SIZE, TEXT_FMT, TEXT_ARG(known.len > 0 ? known : text_from("other")));
	metrics_label_value(out);
	return out;
}

static void count_tokens(struct metrics *m, const char *kind, const char *model, int64_t n)
{
	char labels[160];

	if (n <= 0)
		return;
	snprintf(labels, sizeof(labels), "kind=\"%s\",model=\"%s\"", kind, model);
	*metrics_counter(m, METRIC_AI_TOKENS, labels) += (uint64_t)n;
}

static void count_usage(struct metrics *m, const struct attempt *a)
{
	char model[MODEL_LABEL_SIZE], labels[MODEL_LABEL_SIZE + 16];

	snprintf(labels, sizeof(labels), "model=\"%s\"", model_label(a, model));
	count_tokens(m, "prompt", model, a->usage.prompt_tokens);
	count_tokens(m, "cached", model, a->usage.cached_tokens);
	count_tokens(m, "completion", model, a->usage.completion_tokens);
	if (a->usage.cost_nano > 0)
		*metrics_sum(m, METRIC_AI_COST, labels) += (double)a->usage.cost_nano / 1e9;
	histogram_add(metrics_histogram(m, METRIC_AI_SECONDS, labels), (double)(a->end_us - a->start_us) / 1e6);
	if (a->first_text_us > 0)
		histogram_add(metrics_histogram(m, METRIC_AI_FIRST_TOKEN, labels),
			      (double)(a->first_text_us - a->start_us) / 1e6);
}

static const char *status_class(long status)
{
	static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "none";
}

static void count_span(struct attempt *a)
{
	char model[MODEL_LABEL_SIZE];

	span_text(&a->span, "alp.attempt.result", attempt_result(a));
	span_text(&a->span, "alp.attempt.ending", ending_info(a->ending)->name);
	span_text(&a->span, "gen_ai.request.model", model_label(a, model));
	span_number(&a->span, "gen_ai.usage.input_tokens", a->usage.prompt_tokens);
	span_number(&a->span, "gen_ai.usage.output_tokens", a->usage.completion_tokens);
	span_number(&a->span, "http.response.status_code", a->reply.status);
	if (a->first_text_us > 0)
		span_number(&a->span, "alp.first_token_us", a->first_text_us - a->start_us);
	if (a->ending != ENDING_COMPLETE && a->ending != ENDING_FULL && a->ending != ENDING_CANCELLED)
		span_fail(&a->span);
	span_end(&a->span);
}

void count_end(struct attempt *a)
{
	struct metrics *m = a->ai->daemon->metrics;

	if (a->seals) {
		span_rename(&a->span, "key seal");
		span_end(&a->span);
		log_info(&a->log, "attempt.sealed", "ending=%s", ending_info(a->ending)->name);
		return;
	}
	metrics_count(m, METRIC_AI_ATTEMPTS, attempt_result(a));
	metrics_count(m, METRIC_AI_ENDINGS, ending_info(a->ending)->name);
	metrics_count(m, METRIC_AI_ANSWERS, status_class(a->reply.status));
	count_usage(m, a);
	count_span(a);
	log_info(&a->log, "attempt.done",
		 "result=%s ending=%s status=%ld finish=%s pieces=%zu bytes=%zu prompt=%lld "
		 "completion=%lld first_ms=%lld ms=%lld",
		 attempt_result(a), ending_info(a->ending)->name, a->reply.status,
		 a->reply.finish_reason[0] != '\0' ? "told" : "none", a->delta.log.n, reply_log_text(&a->delta.log).len,
		 (long long)a->usage.prompt_tokens, (long long)a->usage.completion_tokens,
		 a->first_text_us > 0 ? (long long)(a->first_text_us - a->start_us) / 1000 : -1LL,
		 (long long)(a->end_us - a->start_us) / 1000);
}

void count_refresh(void *arg)
{
	struct ai *ai = arg;
	struct metrics *m = ai->daemon->metrics;

	*metrics_gauge(m, METRIC_AI_SLOTS, "") = (double)ai->config->ai_slots;
	*metrics_gauge(m, METRIC_AI_SLOTS_BUSY, "") = ai->running;
	*metrics_gauge(m, METRIC_AI_UNCONFIRMED, "") = ai->unconfirmed;
	*metrics_gauge(m, METRIC_AI_BREAKERS_OPEN, "") = (double)breakers_open(&ai->breakers);
	*metrics_counter(m, METRIC_AI_BREAKERS_OPENED, "") = ai->breakers.opened;
	*metrics_counter(m, METRIC_AI_RETRIES_DENIED, "") = ai->breakers.retries_denied;
}

void count_numbers(void *arg, UT_string *json)
{
	const struct ai *ai = arg;

	json_str(json, "worker", ai->worker);
	json_i64(json, "slots", ai->config->ai_slots);
	json_i64(json, "busy", ai->running);
	json_i64(json, "unconfirmed", ai->unconfirmed);
	json_i64(json, "pulls", pulls_open(ai));
}
