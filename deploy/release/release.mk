# The rules of `make release` and `make reader`, included by the Makefile.

RELEASE_PARTS := build/release-parts
ARCHITECTURES := amd64 arm64
# An amd64 machine builds both.
BUILT_amd64 := build
BUILT_arm64 := build/arm64
IMAGE_PARTS := $(addprefix release-image-,$(ARCHITECTURES))

.PHONY: release-checked release-images release-reader $(IMAGE_PARTS)

release-images: $(IMAGE_PARTS)

# What is released is what is committed, under the version that it says.
release-checked:
	@[[ -n '$(VERSION)' ]] || { echo 'VERSION is missing: make release VERSION=x.y.z' >&2; exit 64; }
	@[[ -z "$$(git status --porcelain)" ]] || { echo 'there are changes that are not committed: git status' >&2; exit 65; }
	@for named in "$$(sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)" \
			"$$(sed -n 's/^version: //p' helm/vcml-agent/Chart.yaml)" \
			"$$(sed -n 's/^appVersion: //p' helm/vcml-agent/Chart.yaml)"; do \
		[[ $$named = '$(VERSION)' ]] || { \
			echo "package.json or Chart.yaml says $$named, and not $(VERSION): change and commit it" >&2; exit 65; }; \
	done
	@[[ -z '$(REGISTRY)' || -n '$(KEY)' ]] || { echo 'KEY is missing: docs/releasing.md' >&2; exit 64; }

$(IMAGE_PARTS): release-image-%: release-checked build build/arm64/exec.bpf.o build/arm64/vcml_hook.node \
		$(ARM64_NODE)
	@rm -rf $(RELEASE_PARTS)/$*
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(NODE) deploy/bundle.ts \
		$(RELEASE_PARTS)/$*/agent/opt/vcml-agent $(BUILT_$*)
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) deploy/release/prepare-image $* $(RELEASE_PARTS)/$*

# make reader and make release pack it in the same way.
release-reader: node_modules/.stamp build/report/page.html build/serve/page.html $(WASM)
	@rm -rf build/reader
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(NODE) deploy/reader.ts build/reader/package
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(NODE) deploy/release/pack-reader.ts \
		build/reader/package build/reader '$(URL)'
	@mv build/reader/package/sbom.spdx.json build/reader && rm -r build/reader/package

# The registry of the tests: half a minute.
REGISTRY_OF_TESTS := test/support/registry
build/registry/registry: $(REGISTRY_OF_TESTS)/main.go $(REGISTRY_OF_TESTS)/go.mod $(REGISTRY_OF_TESTS)/go.sum \
		| test/e2e/build build/apt-s3.stamp
	test/e2e/build registry $(@D)
	@touch $@
