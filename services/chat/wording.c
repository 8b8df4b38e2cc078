#include "wording.h"

static const struct {
	const char *code, *ru, *en;
} sentences[] = {
	{ "ai_not_configured", "Модель не настроена: задайте DEFAULT_OPENAI_API_KEY на сервере.",
	  "No model is configured: set DEFAULT_OPENAI_API_KEY on the server." },
	{ "ai_unavailable", "Модель сейчас не отвечает. Сообщение сохранено, попробуйте ещё раз.",
	  "The model does not answer right now. Your message is kept; try again." },
	{ "ai_refused", "Модель не смогла ответить на этот запрос.", "The model could not answer this request." },
	{ "rate_limited", "Модель просит подождать: слишком много запросов. Попробуйте чуть позже.",
	  "The model asks for a pause: too many requests. Try again a little later." },
	{ "budget_exceeded", "Исчерпан лимит расходов на модель.", "The budget for the model is used up." },
	{ "busy", "Сейчас слишком много запросов. Сообщение сохранено, попробуйте ещё раз.",
	  "Too much is going on right now. Your message is kept; try again." },
	{ "no_plan", "В этом чате ещё нет плана: сначала обсудите курс.",
	  "There is no plan in this chat yet: talk about the course first." },
	{ "storage_unavailable", "Хранилище временно недоступно.", "Storage is away for the moment." },
};

const char *wording_error(struct text code, const char *language)
{
	bool ru = strcmp(language, "en") != 0;

	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (text_is(code, sentences[i].code))
			return ru ? sentences[i].ru : sentences[i].en;
	return ru ? "Что-то пошло не так на нашей стороне. Попробуйте ещё раз."
		  : "Something went wrong on our side. Try again.";
}
