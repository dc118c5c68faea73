# `make` lists the targets. Each target installs its tools on first use.

# The interpreter of .python-version; a version manager may provide it under either name.
PYTHON := $(shell for name in python3.13 python3; do $$name -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$name && break; done)
ARCH ?= arm64
BASE ?= origin/$(or $(GITHUB_BASE_REF),main)
SBOM ?= .aws-sam/sbom.json
VENV := .venv
BIN := $(VENV)/bin
# The same layout as on AWS: layers under /opt, the runtime client under /var/runtime.
LAYER := $(VENV)/opt/DependenciesLayer/python
ENCRYPTION := $(VENV)/opt/EncryptionLayer/python
RUNTIME := $(VENV)/var/runtime
# No byte code is compiled ahead: most modules of the tools are never imported.
PACKAGES := lib/python3.13/site-packages
PIP := -qq --disable-pip-version-check --no-compile
UV := .venv-uv/bin/uv
# uv takes a tenth of pip's processor time. It does not read pip's settings, so pip installs where these are needed.
install = $(UV) pip install --quiet --python $(1)/bin/python --require-hashes $(2) || { \
	echo "uv cannot install into $(1); pip tries it with its own settings"; \
	.venv-uv/bin/python -m pip --python $(1)/bin/python install $(PIP) --no-warn-script-location --require-hashes $(2); }
export SAM_CLI_TELEMETRY := 0
# The tests start hundreds of processes, and each would compile every module that it imports.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest -n auto
PARALLEL := $(MAKE) --no-print-directory --jobs
# GNU make 4 prints the output of each linter in one piece.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

LOCKED := layers/dependencies/requirements layers/encryption/requirements $(addprefix requirements/,uv runtime dev translator sam audit checks emulator web)
# The slowest first, because they run in parallel.
LINTERS := mypy template web bandit ty imports rules ruff format

.DEFAULT_GOAL := help
.PHONY: help run fire reset check test lint $(addprefix lint-,$(LINTERS)) format docs api-check build sbom sam audit deploy-check doctor smoke mutate prove bench screenshots lock vendor previous clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/ready ## Run the whole service on this machine; Ctrl-C stops it. For full logs: LOG_FORMAT=json make run
	@exec $(BIN)/python -m local run --trial-limits

fire: $(VENV)/ready ## List the schedules, or trigger one of the running service: make fire SCHEDULE=ExpiredSessions
	@$(BIN)/python -m local fire $(SCHEDULE)

reset: $(VENV)/ready ## Remove the local data and the generated secrets
	@$(BIN)/python -m local reset

check: lint ## Run lint, unit and contract tests, in about a minute
	$(PYTEST) tests/unit tests/contract

test: ## Run every check: lint, unit, integration, contract, end to end; for your own engines see docs/compatibility.md
	@$(PARALLEL) $(VENV)/web .venv-translator/ready
	@$(PARALLEL) $(SYNC) --keep-going lint $(VENV)/compiled
	$(PYTEST) $(if $(TESTS),$(TESTS),--cov)

lint: $(VENV)/web ## Check style, types, import rules and the template
	@$(PARALLEL) $(SYNC) --keep-going $(addprefix lint-,$(LINTERS))

lint-mypy:
	$(BIN)/mypy

lint-template: $(VENV)/template

lint-web:
	$(BIN)/python -m tools.web lint

lint-bandit:
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive layers functions local tools

lint-ty:
	$(BIN)/ty check

lint-imports:
	$(BIN)/lint-imports

lint-rules:
	$(BIN)/ast-grep test --skip-snapshot-tests
	$(BIN)/ast-grep scan layers functions local tools
	$(BIN)/ast-grep scan --rule lint/rules/wait-within-csp.yml tests

lint-ruff:
	$(BIN)/ruff check

lint-format:
	$(BIN)/ruff format --check

# It takes half a minute, so it runs only after a change.
$(VENV)/template: template.yaml
	$(BIN)/cfn-lint template.yaml
	@touch $@

# After a set-up, so that the workers of the first run do not each compile the same modules.
$(VENV)/compiled: $(VENV)/ready
	@$(BIN)/python -m pytest --collect-only -qq > $@.log || { cat $@.log; exit 1; }
	@mv $@.log $@

format: $(VENV)/ready ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/web ## Write the generated pages of docs/, and the types of the API for the page
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.web types

api-check: $(VENV)/ready ## Compare the API document with the one of BASE: a change that breaks clients needs a new version
	$(BIN)/python -m tools.api_changes $(BASE)

build: .venv-sam/ready sbom ## Build the deployment: make build ARCH=arm64 (or x86_64)
	ARCH=$(ARCH) PYTHON="$(CURDIR)/.venv-sam/bin/python" .venv-sam/bin/sam build --parameter-overrides Architecture=$(ARCH)

sbom: .venv-sam/ready ## Write the bill of materials (CycloneDX) of a build: .aws-sam/sbom.json
	@mkdir -p $(dir $(SBOM))
# The lock files cover all systems; a build runs on Linux only. A package of both layers is listed once.
	@sed "/; sys_platform == 'win32'/,/[^\\]$$/d" layers/dependencies/requirements.txt layers/encryption/requirements.txt \
		| awk '/^[a-z]/ { known = seen[$$1]++ } !known' | .venv-sam/bin/cyclonedx-py requirements \
		--output-reproducible --output-format JSON --output-file $(SBOM) -

sam: .venv-sam/ready ## Install the SAM command line into .venv-sam
	.venv-sam/bin/sam validate --lint --region us-east-1

deploy-check: $(VENV)/ready .venv-translator/ready .venv-sam/ready .venv-checks/ready .venv-emulator/ready ## Check the deployment without an AWS account
	@$(BIN)/python -m tests.deploy_check

doctor: $(VENV)/ready ## Check an AWS account before a deployment: make doctor PROFILE=hobby PARAMETERS="TmdbApiKey=KEY …"
	@$(BIN)/python -m tools.doctor --profile $(or $(PROFILE),hobby) $(PARAMETERS)

smoke: $(VENV)/ready ## Try a deployed service as a user would: make smoke URL=https://…
	@$(BIN)/python -m tools.smoke $(URL)

mutate: $(VENV)/ready .venv-translator/ready ## Break copies of template.yaml one edit at a time, and list the edits that no check notices
	@$(BIN)/python -m tests.mutate

prove: $(VENV)/ready ## Inject faults under load, and write docs/reliability.md; short: SHORT=1; of fulfilment: FULFILMENT=1, or bell, sweep, soak, dead-server
	@$(BIN)/python -m $(if $(FULFILMENT),tests.prove.fulfilment $(filter-out 1,$(FULFILMENT)),tests.prove $(if $(SHORT),--short))

bench: $(VENV)/$(if $(WEB),web,ready) ## Measure cold starts, warm calls, round trips and growth, and write docs/performance.md; short: QUICK=1; the page: WEB=1
	@$(BIN)/python -m $(if $(WEB),tests.page_budget,benchmarks $(if $(QUICK),--quick))

screenshots: $(VENV)/web ## Write docs/screens: each page on a phone and on a desktop
	@$(BIN)/python -m tests.screenshots

audit: .venv-audit/ready ## Check all locked packages for known vulnerabilities
	@status=0; for each in $(LOCKED); do \
		echo "$$each.txt"; \
		.venv-audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off --requirement $$each.txt || status=1; \
	done; exit $$status

lock: $(VENV)/ready .venv-uv/ready ## Update the lock files
	for each in $(LOCKED); do \
		$(UV) pip compile --quiet --upgrade --universal --python-version 3.13 --generate-hashes --no-annotate \
			--custom-compile-command 'make lock' $$each.in --output-file $$each.txt || exit 1; \
	done
	$(MAKE) --no-print-directory $(VENV)/web
	$(BIN)/python -m tools.web lock

vendor: $(VENV)/web ## Write the files of the page that come from npm packages: web/vendor, web/icons.svg
	$(BIN)/python -m tools.web vendor

previous: ## After a release, store it for the tests of an upgrade: make previous RELEASE=v1.0.0
	git archive --format=tar.gz --output tests/previous_release/release.tar.gz $(RELEASE) \
		$$(git ls-tree --name-only $(RELEASE) template.yaml layers functions web)

clean: ## Remove all installed and built files
	rm -rf $(VENV) .venv-* .aws-sam .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage

$(VENV)/ready: .venv-uv/ready requirements/dev.txt requirements/runtime.txt layers/dependencies/requirements.txt layers/encryption/requirements.txt
	@echo "Setting up $(VENV) (once):"
	@echo "  1/4 tools and engines"
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(call install,$(VENV),-r requirements/dev.txt)
	@echo "  2/4 the layers of packages, in Lambda's layout"
	@$(call install,$(VENV),--target $(LAYER) -r layers/dependencies/requirements.txt)
	@$(call install,$(VENV),--target $(ENCRYPTION) -r layers/encryption/requirements.txt)
	@echo "  3/4 the Lambda runtime client"
	@$(call install,$(VENV),--no-deps --target $(RUNTIME) -r requirements/runtime.txt)
	@echo "  4/4 the project itself"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Node.js and Playwright, for the linters and the tests of the page; `make run` needs neither, so they are apart.
$(VENV)/web: $(VENV)/ready .venv-web/ready
	@echo "$(CURDIR)/.venv-web/$(PACKAGES)" >$(VENV)/$(PACKAGES)/web.pth
	@touch $@

# These tools pin older libraries than the functions use, so each has a separate virtual environment.
.venv-%/ready: .venv-uv/ready requirements/%.txt
	@echo "Setting up .venv-$* (once)"
	@$(PYTHON) -m venv --clear --without-pip .venv-$*
	@$(call install,.venv-$*,-r requirements/$*.txt)
	@touch $@

.venv-uv/ready: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "MediaNest needs Python 3.13 (see .python-version), but neither python3.13 nor python3 has that version. Install it, then run make again."; exit 1; }
	@echo "Setting up .venv-uv (once)"
	@$(PYTHON) -m venv --clear .venv-uv
	@.venv-uv/bin/python -m pip install $(PIP) --require-hashes -r requirements/uv.txt
	@touch $@
