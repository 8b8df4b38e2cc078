/* What operators see of attempts: one line each, and numbers. */
#include "attempt.h"

static void count(struct ai *ai, const char *name, const char *label, const char *value, uint64_t n, const char *help)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "%s=\"%s\"", label, value);
	*metrics_counter(ai->daemon->metrics, name, labels, help) += n;
}

static void count_tokens(struct ai *ai, const char *kind, int64_t n)
{
	if (n > 0)
		count(ai, "alp_ai_tokens_total", "kind", kind, (uint64_t)n,
		      "Tokens, by kind; cached ones are prompt tokens too.");
}

static const char *status_class(long status)
{
	static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "none";
}

void count_end(const struct attempt *a)
{
	struct ai *ai = a->ai;
	struct metrics *metrics = ai->daemon->metrics;

	if (a->seals) {
		log_info(&a->log, "attempt.sealed", "ending=%s", ending_info(a->ending)->name);
		return;
	}
	count(ai, "alp_ai_attempts_total", "result", attempt_result(a), 1, "Attempts, by how they ended.");
	count(ai, "alp_ai_upstream_answers_total", "status", status_class(a->reply.status), 1,
	      "Answers of the model's server, by class of status.");
	count_tokens(ai, "prompt", a->usage.prompt_tokens);
	count_tokens(ai, "cached", a->usage.cached_tokens);
	count_tokens(ai, "completion", a->usage.completion_tokens);
	if (a->first_text_us > 0)
		histogram_add(metrics_histogram(metrics, "alp_ai_first_token_seconds", "",
						"Time from taking work to the first text."),
			      (double)(a->first_text_us - a->start_us) / 1e6);
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

	*metrics_gauge(m, "alp_ai_breakers_open", "", "Servers, each with a key, that are left alone now.") =
		(double)breakers_open(&ai->breakers);
	*metrics_counter(m, "alp_ai_breakers_opened_total", "", "Times that a server was left alone.") =
		ai->breakers.opened;
	*metrics_counter(m, "alp_ai_retries_denied_total", "",
			 "Failed attempts not worth a retry by AI_RETRY_PERCENT.") = ai->breakers.retries_denied;
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
