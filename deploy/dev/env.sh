# shellcheck shell=bash
# Sourced after lib.sh: .env, the secrets, the choice of the model, and the
# environment that the daemons of this stack are started with.
# shellcheck disable=SC2034  # what is set here is read by the scripts

SECRETS=$VAR/secrets.env
ENV_DIR=$VAR/env

# setup_env: .env from the example, once; its secrets are made up here.
setup_env() {
	if [[ -e $ENV_FILE ]]; then
		say ".env exists and is kept as it is"
		return 0
	fi
	(umask 077 && sed -e "s/^SECRET_KEY=\$/SECRET_KEY=$(random_hex)/" \
		-e "s/^BUS_KEY=\$/BUS_KEY=$(random_hex)/" \
		-e "s/^DATA_KEY=\$/DATA_KEY=$(random_hex)/" \
		-e "s/^POSTGRES_PASSWORD=\$/POSTGRES_PASSWORD=$(random_hex)/" \
		"$ROOT/deploy/env.example" >"$ENV_FILE.new")
	mv -n "$ENV_FILE.new" "$ENV_FILE"
	load_env_file
	say "made .env from deploy/env.example, with secrets of its own"
}

is_placeholder() { [[ ${1,,} =~ (your[-_]|change[-_]?me|placeholder|secret[-_]key|example) ]]; }

kept_secret() {
	[[ ! -f $SECRETS ]] || sed -n "s/^$1=//p" "$SECRETS" | tail -n 1
}

# secret NAME: exports the configured one; where .env has none, or the word that
# asks for one, a random one that is kept beside the database.
secret() {
	local name=$1 value earlier

	value=$(setting "$name")
	if [[ -z $value ]] || is_placeholder "$value"; then
		value=$(kept_secret "$name")
		if [[ -z $value ]]; then
			value=$(random_hex)
			(umask 077 && printf '%s=%s\n' "$name" "$value" >>"$SECRETS")
			say "$name is not set, or a placeholder: made one, kept in ${SECRETS#"$ROOT"/}"
		fi
		earlier=$(kept_secret "${name}_OLD")
		[[ -z $earlier ]] || export "${name}_OLD=$earlier"
	fi
	export "$name=$value"
}

# secret_file NAME: where the value in force stands.
secret_file() {
	local value=${FROM_FILE[$1]-}

	if [[ -n $value ]] && ! is_placeholder "$value"; then
		printf '%s' "$ENV_FILE"
	else
		printf '%s' "$SECRETS"
	fi
}

export_secrets() {
	secret SECRET_KEY
	secret BUS_KEY
	secret DATA_KEY
}

# choose_model: a configured key or server is used as it is. Without either the
# simulator stands in: MODEL_SIM is its address then.
choose_model() {
	local key base

	key=$(setting DEFAULT_OPENAI_API_KEY)
	base=$(setting DEFAULT_OPENAI_BASE_URL)
	MODEL_SIM=
	if [[ -n $key ]] && ! is_placeholder "$key"; then
		return 0
	elif [[ ${base%/} != "${DEFAULTS[DEFAULT_OPENAI_BASE_URL]%/}" ]]; then
		export DEFAULT_OPENAI_API_KEY=none # a local server asks for no key, the protocol does
	else
		MODEL_SIM=$(setting SIM_LISTEN)
		export DEFAULT_OPENAI_API_KEY=demo DEMO_MODEL=true
		DEFAULT_OPENAI_BASE_URL=$(url_of "$MODEL_SIM")/v1
		export DEFAULT_OPENAI_BASE_URL
	fi
}

# model_line: what answers, for people.
model_line() {
	if [[ $(setting DEMO_MODEL) == true ]]; then
		printf 'DEMO: the bundled simulator at %s makes up the answers (no DEFAULT_OPENAI_API_KEY is set)' \
			"$(setting DEFAULT_OPENAI_BASE_URL)"
	else
		printf '%s at %s' "$(setting DEFAULT_OPENAI_MODEL)" "$(setting DEFAULT_OPENAI_BASE_URL)"
	fi
}

# write_env_dir: what is set now is what this stack runs with until it is
# stopped, also when a worker is added later from another terminal. One file per
# name, as chpst -e reads them.
write_env_dir() (
	umask 077
	rm -rf "$ENV_DIR"
	mkdir -p "$ENV_DIR"
	for name in "${SETTINGS[@]}"; do
		is_set "$name" || continue
		value=${FROM_FILE[$name]-}
		[[ ! -v $name ]] || value=${!name}
		[[ $value != *$'\n'* ]] || die "$name has more than one line"
		printf '%s\n' "$value" >"$ENV_DIR/$name"
	done
)

# use_env_dir: take the settings of the stack that runs, not this shell's.
use_env_dir() {
	local name file

	[[ -d $ENV_DIR ]] || return 0
	for name in "${SETTINGS[@]}"; do
		[[ $name != ALP_VAR ]] || continue
		file=$ENV_DIR/$name
		if [[ -f $file ]]; then
			export "$name=$(<"$file")"
		else
			unset "$name" "FROM_FILE[$name]"
		fi
	done
}
