# The rules of `make e2e`, included by the Makefile.
#
# The components of a real Kubernetes node come from Go modules and npm packages: 7 minutes the first
# time, on two cores. Debian's Go is enough: if it is too old, it fetches the right one itself.

E2E := build/e2e
KUBE_BIN ?= $(CURDIR)/$(E2E)/bin
export KUBE_BIN

E2E_COMPONENTS := $(addprefix $(KUBE_BIN)/,kube containerd crio crictl otelcol kubectl helm helm3 promtool policy-crds.yaml)
E2E_PROGRAMS := $(patsubst test/e2e/images/%.c,$(E2E)/programs/%,$(wildcard test/e2e/images/*.c))
E2E_TESTS := test/e2e/**/*.test.ts
# What the runtime decides is tested with CRI-O as well. Others name containerd and its folders.
CRI_O_TESTS := test/e2e/{authority,exec-requests,kinds,node,helm/install}.test.ts

.PHONY: e2e-set-up

e2e-set-up: $(E2E_COMPONENTS) $(E2E_PROGRAMS) $(E2E)/agent-images.tar build/machine.stamp $(CLICKHOUSE) \
	build/s3/versitygw build/registry/registry

$(KUBE_BIN)/kube: test/e2e/kube/main.go test/e2e/kube/go.mod
$(KUBE_BIN)/containerd: test/e2e/containerd/go.mod
# How they are built is written there alone.
$(KUBE_BIN)/crio $(KUBE_BIN)/crictl: test/e2e/build
$(KUBE_BIN)/otelcol: test/e2e/collector/builder.yaml test/e2e/collector/go.mod

$(E2E_COMPONENTS): | test/e2e/build build/apt-build.stamp build/apt-e2e.stamp node_modules/.stamp
	test/e2e/build $(@F) $(KUBE_BIN)
	@touch $@

$(E2E)/programs/%: test/e2e/images/%.c | build/apt-build.stamp
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -Werror -static $< -o $@

$(E2E)/agent-images.tar: node_modules/.stamp build/exec.bpf.o build/vcml_hook.node $(KUBE_BIN)/otelcol \
		$(shell find agent bin deploy record -type f) test/e2e/agent-image.ts test/e2e/agent-layer.ts \
		test/e2e/build-agent-images.ts test/e2e/images.ts | build/apt-e2e.stamp
	$(NODE) test/e2e/build-agent-images.ts

# The kernel of the second machine is one of those in test/kernels.
build/machine.stamp: test/kernels/fetch | build/apt-kernels.stamp
	test/kernels/fetch machine
	@touch $@
