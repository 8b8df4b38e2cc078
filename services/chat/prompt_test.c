#include "prompt.h"

#include "chat.h"
#include "unit.h"

static struct turn *make_turn(enum turn_kind kind, const char *language)
{
	struct turn *turn = talloc_zero(NULL, struct turn);

	turn->kind = kind;
	turn->context.language = text_from(language);
	turn->context.title = text_from("Rust \"quoted\" {{plan}}");
	turn->context.hours = 30;
	turn->context.plan = text_from("THE PLAN");
	turn->context.history = text_from("{\"role\":\"user\",\"content\":\"hello\"}");
	return turn;
}

/* The messages array the model will get; the caller frees. */
static cJSON *messages_of(const struct turn *turn)
{
	char *json = talloc_asprintf(turn, "[" TEXT_FMT "]", TEXT_ARG(turn->messages));
	cJSON *tree = json_parse(text_from(json), NULL);

	assert_true(cJSON_IsArray(tree));
	return tree;
}

static void prompt_of_every_kind_and_language_is_a_message_list(void **state)
{
	static const char *const languages[] = { "ru", "en", "" };

	(void)state;
	for (int kind = KIND_WELCOME; kind <= KIND_LESSON; kind++)
		for (size_t i = 0; i < 3; i++) {
			struct turn *turn = make_turn((enum turn_kind)kind, languages[i]);
			cJSON *tree;

			prompt_build(turn);
			tree = messages_of(turn);
			assert_int_equal(cJSON_GetArraySize(tree), 2);
			assert_true(text_is(json_get_text(tree->child, "role"), "system"));
			assert_true(text_is(json_get_text(tree->child->next, "role"), "user"));
			assert_non_null(strstr(json_get_text(tree->child, "content").p,
					       i == 1 ? "Language: en" : "Language: ru"));
			cJSON_Delete(tree);
			talloc_free(turn);
		}
}

static void prompt_takes_user_text_as_data_only(void **state)
{
	struct turn *turn = make_turn(KIND_WELCOME, "en");
	cJSON *tree;

	(void)state;
	prompt_build(turn);
	tree = messages_of(turn);
	assert_non_null(strstr(json_get_text(tree->child, "content").p, "Title: Rust \"quoted\" {{plan}}"));
	assert_null(strstr(json_get_text(tree->child, "content").p, "THE PLAN"));
	cJSON_Delete(tree);
	talloc_free(turn);
}

static void prompt_after_a_complaint_tells_the_model_its_fault(void **state)
{
	struct turn *turn = make_turn(KIND_FINALIZE, "en");
	cJSON *tree;

	(void)state;
	prompt_build(turn);
	prompt_keep_complaint(turn, text_from("[oops"), "broken JSON");
	prompt_build(turn);
	tree = messages_of(turn);
	assert_int_equal(cJSON_GetArraySize(tree), 4);
	assert_true(text_is(json_get_text(cJSON_GetArrayItem(tree, 2), "content"), "[oops"));
	assert_non_null(strstr(json_get_text(cJSON_GetArrayItem(tree, 3), "content").p, "broken JSON"));
	cJSON_Delete(tree);
	talloc_free(turn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prompt_of_every_kind_and_language_is_a_message_list),
		cmocka_unit_test(prompt_takes_user_text_as_data_only),
		cmocka_unit_test(prompt_after_a_complaint_tells_the_model_its_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
