# Two commands are enough: `make run` and `make test`. Each sets up what it needs first.
.PHONY: help setup run test check bench lock translations
.DEFAULT_GOAL := help

BIN := .venv/bin
# A HOST or PORT that merely happens to stand in the environment is not a wish.
asked = $(if $(filter command%,$(origin $(1))),--$(2) "$($(1))")

help: ## name the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: ## install everything into .venv (quick when nothing changed)
	@sh scripts/setup.sh

run: setup ## start everything: make run [HOST=…] [PORT=…] [CARRIER=simulated|twilio|asterisk]
	@case '$(call asked,CARRIER,carrier)' in *asterisk*) sh scripts/setup.sh telephone ;; esac
	@exec $(BIN)/python -m scripts.run $(call asked,HOST,host) $(call asked,PORT,port) $(call asked,CARRIER,carrier)

test: setup ## run the tests: make test [ARGS="tests/surveys -k name"]
	@sh scripts/setup.sh browser
	@sh scripts/setup.sh telephone
ifdef ARGS
	@exec $(BIN)/python -m pytest -n 2 $(ARGS)
else
	@# Playwright keeps an event loop running in its process: the browser's tests get processes of their own.
	@$(BIN)/python -m pytest -n 2 --ignore=tests/browser
	@exec $(BIN)/python -m pytest -n 2 tests/browser
endif

check: setup ## style, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: setup ## measure the product, quickly
	@exec $(BIN)/python -m scripts.bench --quick --json

lock: setup ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url -o requirements.lock

translations: setup ## collect the sentences of the code into the catalogues
	@exec $(BIN)/python -m scripts.translations
