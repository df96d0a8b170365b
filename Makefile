# The ways in: `make run` and `make test` set up what they need on first use.
PORT ?= 8080
COMMAND = .venv/bin/message-contacts

.DEFAULT_GOAL := help
.PHONY: help install run test check conformance prove bench docs pin

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.installed ## Set up .venv; quick when nothing has changed

.venv/.installed: pyproject.toml constraints.txt scripts/install
	@scripts/install

run: install ## Start the service on 127.0.0.1:8080 with demo data and captured mail (PORT= for another port)
	@exec $(COMMAND) serve --demo --port $(PORT)

test: install ## Run the whole test suite
	@scripts/test

check: install ## Check format, lint, types, layers and generated pages
	@scripts/check

conformance: install ## Run the vendor's own clients against the service
	@scripts/conformance

prove: install ## Run what takes longer: messages through a real mail server
	@scripts/prove

bench: install ## Measure, and compare with what others reach
	@scripts/bench

docs: install ## Write the generated reference pages anew
	@.venv/bin/python scripts/generate_docs.py

pin: install ## Write the versions in .venv to constraints.txt
	@scripts/pin
