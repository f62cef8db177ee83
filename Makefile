# Thin doors to the scripts; `make help` lists them.
.PHONY: help run test bench fuzz lint clean
.DEFAULT_GOAL := help
SECONDS ?= 60

help:  ## this list
	@sed -n 's/^\([a-z]*\):  ## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

run:  ## build a release, show the main job once and serve on 127.0.0.1:8088
	@tools/install_packages build
	@tools/build release signetd signet
	@exec build/release/signetd dev --listen 127.0.0.1:8088 --data ./data --show

test:  ## build with ASan and UBSan and run every test
	@tools/install_packages test
	@tools/build dev
	@ctest --preset dev -j 3 --output-junit junit.xml

bench:  ## measure a release build beside its peers; QUICK=1: one short round
	@tools/install_packages bench
	@bench/run $(if $(QUICK),--quick)

fuzz:  ## run each fuzz target for SECONDS (60)
	@tools/install_packages fuzz
	@tools/fuzz_smoke $(SECONDS)

lint:  ## formatting, layers, generated pages, clang-tidy
	@tools/install_packages lint
	@tools/lint

clean:  ## remove what was built; ./data stays
	@rm -rf build tests/e2e/node_modules
