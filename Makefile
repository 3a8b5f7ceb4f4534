# The one way to build, run and check this project; CI calls the same targets. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
STACK := target/release/stack
DEV_STACK := target/debug/stack
PROTOS := user product cart payment delivery
SERVICES := user product cart order payment delivery notification
CRATE :=
MINUTES := 4
TIMES := 1
TO :=
FROM :=
CHAOS_MINUTES := 10
SEED :=
BASE :=
ARGS :=
PARTS :=
LETTERS :=
REASON :=
FAULTS :=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  \033[1m%-21s\033[0m %s\n", $$1, $$2 }'

# ---- Run the shop ----------------------------------------------------------------------------------------------------

.PHONY: run
run: deps build ## Install what is missing, build, and run the shop on http://localhost:8080
	@exec $(STACK) up

.PHONY: demo
demo: ## Buy things in the running shop, watch it happen, and check the books
	@$(call in_shop,demo)

.PHONY: bench
bench: deps ## Measure this build on a temporary shop (ARGS="orders --against /path/of/another/checkout")
	cargo build --profile dist --workspace --bins
	@exec target/dist/stack bench $(ARGS)

.PHONY: doctor
doctor: ## Check the health and the books of the running shop, and say what to do (ARGS="--apply" repairs what is safe)
	@$(call in_shop,doctor $(ARGS))

.PHONY: chaos
chaos: deps build ## Break a temporary shop in every way for ten minutes (CHAOS_MINUTES=.. SEED=.. FAULTS=redis,network)
	@exec $(STACK) chaos --minutes $(CHAOS_MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) $(ARGS)

.PHONY: failpoints
failpoints: deps ## Kill every service of a temporary shop at each commit, publication, acknowledgement and call (TIMES=25)
	cargo build --workspace
	@exec $(DEV_STACK) chaos --failpoints --times $(TIMES) $(ARGS)

.PHONY: backup
backup: $(STACK) ## Write every database of the running shop to a folder (TO=backups/monday)
	@exec $(STACK) backup $(TO)

.PHONY: restore
restore: $(STACK) ## Bring the databases of a shop that does not run back (FROM=backups/monday ARGS=--replace)
	@exec $(STACK) restore $(FROM) $(ARGS)

.PHONY: letters
letters: ## List dead letters: events that a service gave up, and why (LETTERS="product-service/17" shows one)
	@$(call in_shop,letters $(LETTERS))

.PHONY: replay
replay: ## Put dead letters back onto their streams, once the cause is fixed (LETTERS=".." for some)
	@$(call in_shop,replay $(LETTERS))

.PHONY: discard
discard: ## Close dead letters whose events are no longer needed (LETTERS="product-service/17 .." REASON="why")
	@$(call in_shop,discard --reason "$(REASON)" $(LETTERS))

.PHONY: clean-data
clean-data: $(STACK) ## Remove the data of the shop (it must not run)
	@exec $(STACK) clean

$(STACK):
	cargo build --release --workspace

# A shop that runs in Docker is looked at from inside: its databases are not published.
in_shop = if [ -n "$$(docker compose ps --quiet gateway 2>/dev/null)" ]; then \
    docker compose run --rm --build --quiet-pull stack $(1); \
else $(MAKE) --silent $(STACK) && $(STACK) $(1); fi

# ---- Run it in Docker ------------------------------------------------------------------------------------------------

DEV := docker compose -f docker-compose.yml -f docker-compose.dev.yml
PROD := docker compose -f docker-compose.yml -f docker-compose.prod.yml

.PHONY: up
up: ## Build and run the shop in Docker, and say where everything is when it is ready
	docker compose up --build --detach
	@.ci/await-shop

.PHONY: dev-up
dev-up: ## The same with hot reload, debug logs, and the databases on this machine's ports
	$(DEV) up --build --detach
	@.ci/await-shop 3600

.PHONY: prod-up
prod-up: ## The same as in production: needs secrets of your own in .env
	$(PROD) up --build --detach
	@APP_ENV=production .ci/await-shop

.PHONY: down
down: ## Stop the shop in Docker; its data stays in named volumes
	docker compose down --remove-orphans

.PHONY: logs
logs: ## Follow the logs of the shop in Docker
	docker compose logs --follow --tail 50

.PHONY: dev-logs
dev-logs: ## Follow the builder and the services with hot reload
	$(DEV) logs --follow --tail 50

.PHONY: ps
ps: ## What runs in Docker, and how it is
	docker compose ps --all

# ---- Build -----------------------------------------------------------------------------------------------------------

.PHONY: deps
deps: ## Install PostgreSQL, Redis and nginx, if they are missing
	@.ci/deps

.PHONY: build
build: ## Build everything, optimised
	cargo build --release --workspace

# ---- Check -----------------------------------------------------------------------------------------------------------

.PHONY: test
test: deps ## Run all tests on a PostgreSQL and Redis that are started for them
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
	cargo build --workspace
	$(DEV_STACK) databases -- cargo nextest run --workspace

.PHONY: fuzz-api
fuzz-api: deps ## Fuzz the API documents (MINUTES=4; SEED=.. repeats a run; ARGS="--only cart --role nobody")
	cargo build --workspace
	.ci/fuzz-api --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

OUTSIDE := $(DEV_STACK) databases -- cargo nextest run --workspace --features stack/outside --test outside

.PHONY: test-browser
test-browser: deps ## Test the pages of the shop in Chromium, which this installs
	@.ci/browser
	cargo build --workspace
	$(OUTSIDE) -E 'test(/^browser/)'

.PHONY: test-midtrans-clients
test-midtrans-clients: deps ## Test the local Midtrans with the official clients, which this installs
	@.ci/midtrans-clients
	cargo build --workspace
	$(OUTSIDE) -E 'test(/^clients/)' --no-capture

.PHONY: test-compose
test-compose: ## Test the shop in Docker: buy, break, scale, production, hot reload (PARTS="journey crashes" for some)
	@.ci/compose-check $(PARTS)

.PHONY: bench-instructions
bench-instructions: ## Count the instructions of a request, layer by layer (needs valgrind, which this installs)
	@.ci/deps valgrind
	cargo bench -p chassis --bench per_request

.PHONY: check
check: ## The quick check while writing: formatting, clippy, unit tests (no PostgreSQL, no Redis)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace --lib --quiet

.PHONY: lint
lint: ## Formatting, lints and documentation, all without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

.PHONY: readme-check
readme-check: deps ## Do what README.md says, and check what it names (with Docker, if there is one)
	@.ci/readme-check

.PHONY: audit
audit: ## Check the dependencies: licences, sources, known vulnerabilities (asks the internet)
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	cargo deny --config .deny.toml check

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

# ---- Generated files -------------------------------------------------------------------------------------------------

.PHONY: sqlx
sqlx: deps ## Rewrite the sqlx metadata of the checked queries (CRATE=order-service for one crate)
	cargo run --quiet -p xtask -- sqlx $(CRATE)

.PHONY: sqlx-check
sqlx-check: deps ## Fail if that metadata is out of date
	cargo run --quiet -p xtask -- sqlx --check

.PHONY: swagger $(SERVICES:%=swagger-%)
swagger: $(SERVICES:%=swagger-%) ## Write openapi.json of every service (swagger-user for one)
$(SERVICES:%=swagger-%): swagger-%:
	@cargo build --quiet -p $*-service
	@target/debug/$*-service openapi --public-url http://localhost:8080 > crates/$*-service/openapi.json
	@echo "crates/$*-service/openapi.json"

.PHONY: openapi-check
openapi-check: ## Validate the API documents against OpenAPI 3.1 (`make test` compares them with the programs)
	@.ci/openapi-tools
	@target/openapi-tools/bin/openapi-spec-validator $(SERVICES:%=crates/%-service/openapi.json)

.PHONY: openapi-breaking
openapi-breaking: ## Fail if the API documents would break a client of an earlier revision (BASE=origin/main)
	@cargo run --quiet -p xtask -- openapi-breaking $(if $(BASE),--base $(BASE))

# Rust is generated from proto/ at every build, with no protoc. What is committed beside it are the descriptors in a
# normal form, crates/contracts/tests/proto/snapshots: what peers that were built earlier rely on.
.PHONY: proto $(PROTOS:%=proto-%)
proto: $(PROTOS:%=proto-%) ## Check proto/ for breaking changes, then write its committed descriptors (proto-cart for one)
$(PROTOS:%=proto-%): proto-%:
	@INSTA_UPDATE=always cargo test --quiet -p contracts --test proto -- $*_is_kept
