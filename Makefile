# What a person types. The work is done by the small scripts of deploy/dev.
#
#   make dev-all        everything in the foreground, Ctrl-C ends it
#   make up             the same in the background (AI_WORKERS=3, BUILD=debug)
#   make test           all tests

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

DEV := deploy/dev
BUILD ?= release
export BUILD

NPM_DONE := node_modules/.package-lock.json
FRONTEND_SOURCES = $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print)

##@ First steps
.PHONY: help setup-env deps full-setup install

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

setup-env: ## make .env from deploy/env.example, unless it exists
	@$(DEV)/setup-env.sh

deps: ## install the Debian packages that are missing
	@$(DEV)/deps.sh

full-setup: deps setup-env install build frontend-build create-tables ## everything up to an empty, current database; keeps .env and data
	@echo "ready: make dev-all, or make up"

install: deps frontend-install ## packages of the system, the frontend and the tests
	@$(DEV)/npm.sh tests

##@ Build
.PHONY: build debug release frontend-install frontend-build clean

build: ## build the four daemons (BUILD=release, debug, tsan)
	@$(DEV)/build.sh $(BUILD) alp-gateway alp-chat alp-ai alp-store

debug: ## build everything with the sanitizers, tests too
	@$(DEV)/build.sh debug

release: ## build everything for use
	@$(DEV)/build.sh release

frontend-install: ## the frontend's npm packages
	@$(DEV)/npm.sh frontend

frontend-build: ## build the single-page application into frontend/dist
	@$(MAKE) -s frontend/dist/index.html

frontend/$(NPM_DONE): frontend/package-lock.json
	@$(DEV)/npm.sh frontend

frontend/dist/index.html: frontend/$(NPM_DONE) $(FRONTEND_SOURCES) docs/openapi.yaml docs/asyncapi.yaml
	@$(DEV)/npm.sh frontend build

clean: ## stop the stack; remove builds, logs and temporary files, not the database
	@$(DEV)/clean.sh

##@ Run
.PHONY: dev frontend-dev dev-all up stop-all down restart status logs

dev: deps build ## backend in the foreground, Ctrl-C stops it
	@$(DEV)/stack.sh dev

frontend-dev: deps frontend-install ## the frontend's development server on port 3000
	@$(DEV)/stack.sh frontend-dev

dev-all: deps build frontend-build ## backend and frontend in the foreground, Ctrl-C stops all
	@$(DEV)/stack.sh dev-all

up: deps build frontend-build ## start in the background, return when ready; on a running stack AI_WORKERS=N scales
	@$(DEV)/stack.sh up

stop-all: ## stop backend, frontend and the private database
	@$(DEV)/stack.sh stop

down: stop-all ## the same as stop-all

restart: build frontend-build ## stop the daemons, start them with the current settings
	@$(DEV)/stack.sh restart

status: ## what runs, and whether it is ready
	@$(DEV)/stack.sh status

logs: ## follow all logs, or some: make logs LOGS="chat ai-1"
	@$(DEV)/stack.sh logs $(LOGS)

##@ Database
.PHONY: db-up db-down db-reset db-reset-force create-tables migrate migrate-chat-id migrate-dry-run backup restore

db-up: deps ## start the database only, return when it answers
	@$(DEV)/db.sh up

db-down: ## stop the private database
	@$(DEV)/db.sh down

db-reset: build ## delete all data, after asking
	@$(DEV)/db.sh reset

db-reset-force: build ## delete all data, without asking
	@$(DEV)/db.sh reset-force

create-tables: deps build ## bring the schema up to date
	@$(DEV)/db.sh migrate

migrate: create-tables ## the same; carries an old database over

migrate-chat-id: create-tables ## the same, under its old name

migrate-dry-run: deps build ## say what migrate would do with the database, change nothing
	@$(DEV)/db.sh migrate-dry-run

backup: ## copy the database into FILE (var/backup/TIME.dump), also while the stack runs
	@$(DEV)/db.sh backup "$(FILE)"

restore: ## bring the backup FILE into a new database, named by ALP_VAR or DATABASE_URL
	@$(DEV)/db.sh restore "$(FILE)"

##@ Secrets
.PHONY: rotate rotate-end reset-password

rotate: ## a new KEY (SECRET_KEY, DATA_KEY, BUS_KEY); what the old one signed or sealed stays good
	@$(DEV)/rotate.sh "$(KEY)"

rotate-end: ## what the old KEY signed or sealed is good no more
	@$(DEV)/rotate.sh --end "$(KEY)"

reset-password: build ## a link with which the user EMAIL sets a new password, once
	@$(DEV)/db.sh reset-password "$(EMAIL)"

##@ Deliver
.PHONY: deb package-test

deb: deps frontend-build ## the Debian packages, in build/deb (DEB_VERSION=0.1.1)
	@$(DEV)/deb.sh

package-test: deb ## install, start, upgrade and remove the packages in a container that boots systemd (root)
	@$(DEV)/package-test.sh

##@ Check
.PHONY: test test-unit test-component test-contract test-suite test-browser test-chaos test-threads stack-test chaos chaos-campaign kills migrate-kills check bench screenshots frontend-report

test: ## all tests, under the sanitizers
	@$(DEV)/test.sh

test-unit: ## unit tests: C, frontend, simulator, the turn's model
	@$(DEV)/test.sh unit fakes model frontend

test-component: ## one real daemon against scripted peers
	@$(DEV)/test.sh component

test-contract: ## every operation, status, frame, foreign id and bad input of the API's description
	@$(DEV)/test.sh contract

test-suite: ## the four daemons together
	@$(DEV)/test.sh suite

test-browser: ## the whole story in Chromium
	@$(DEV)/test.sh browser

test-chaos: ## two minutes of chaos; each daemon killed at each of its fault points; the checker of such runs
	@$(DEV)/test.sh chaos

test-threads: deps ## C tests and those of one daemon once more, under ThreadSanitizer
	@$(DEV)/build.sh tsan
	@$(DEV)/npm.sh tests
	@ALP_BUILD=$(CURDIR)/build/tsan $(DEV)/node.sh tests/lib/run.js unit component

stack-test: ## docker-compose.yml for real: images, faults, upgrades; brings its own Docker where root has none
	@$(DEV)/stack-test.sh

SECONDS := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),600)
CHAOS_BUILD ?= chaos
chaos: deps ## the stack torn apart for SECONDS (600) under load, SEED (drawn); then the checker
	@$(DEV)/build.sh $(CHAOS_BUILD) alp-gateway alp-chat alp-ai alp-store
	@$(DEV)/npm.sh tests
	@$(DEV)/node.sh --max-old-space-size=8192 tests/chaos/run.js --build $(CHAOS_BUILD) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

chaos-campaign: deps ## 1,000 kill -9 over the four daemons and 10 restarts of PostgreSQL in 10 minutes; then the checker
	@$(DEV)/build.sh release alp-gateway alp-chat alp-ai alp-store
	@$(DEV)/npm.sh tests
	@$(DEV)/node.sh --max-old-space-size=8192 tests/chaos/run.js --build release --seconds 600 --kills 1000 --pg-restarts 10 $(if $(SEED),--seed $(SEED))

KILLS ?= 200
kills: deps ## kill -9 each daemon KILLS times (200) under load; what was acknowledged must be there
	@$(DEV)/build.sh release
	@$(DEV)/npm.sh tests
	@KILLS=$(KILLS) KILLS_BUILD=release $(DEV)/node.sh --test --test-reporter=spec tests/suite/kills.test.js

migrate-kills: deps ## old databases of every form, the migration killed at every statement (FROM=23: from that one on)
	@$(DEV)/build.sh release
	@$(DEV)/npm.sh tests
	@MIGRATE_KILLS=$(or $(FROM),all) KILLS_BUILD=release $(DEV)/node.sh --test --test-reporter=spec tests/component/store-takeover.test.js

check: ## format, clang-tidy, cppcheck, banned calls, shellcheck, the API's description
	@$(DEV)/check.sh

bench: deps frontend-build ## turns per second, added latency, CPU, memory, start time
	@$(DEV)/build.sh release
	@$(DEV)/npm.sh tests
	@$(DEV)/node.sh tests/bench/run.js

screenshots: frontend-build ## pictures of the running product, for the README
	@$(DEV)/deps.sh test
	@$(DEV)/build.sh release
	@$(DEV)/npm.sh tests
	@$(DEV)/node.sh tests/browser/screenshots.js

frontend-report: frontend-build ## size, accessibility, Lighthouse, smoothness of the built pages
	@$(DEV)/deps.sh test
	@$(DEV)/build.sh release
	@$(DEV)/npm.sh tests
	@$(DEV)/node.sh tests/browser/report.js
