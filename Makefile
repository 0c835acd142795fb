# SPDX-License-Identifier: MIT
#
# The entry to everything: make help. The parts build by their own tools (CMake, kbuild, QEMU's meson); this file only knows the
# order, says how long each step took, and brings the packages. What is fetched or built once lives in the cache
# (${XDG_CACHE_HOME:-~/.cache}/atom); what belongs to this checkout in build/.

KERNEL ?= distro
FUZZ_SECONDS ?= 60
ONLY ?=
# What make run asks and shows instead of its own examples. Through the environment: any characters will do.
export QUESTION IMAGE
# Tests that reach every part of the driver in little time.
SMOKE ?= device_info.*:memory.*:lifetime.*:data_fault.*:kunit.*:stress_load.eight_*:of/fail_nth*/bo_create_*:of/fail_nth*/queue_create
export ATOM_STEPS ?= $(CURDIR)/build/steps

STEP := packaging/host/step
VM := emulator/vm/atom-vm
HOST := build/host

# Each step is parallel in itself.
.NOTPARALLEL:
.SUFFIXES:

.PHONY: all help deps host qemu kernel-headers module models run check check-host check-asan check-tsan check-llama check-kernel check-vm check-debug check-debug-smoke \
	check-upstream packages check-packages check-packages-smoke stress bench fuzz fuzz-ioctl kernel-matrix upstream-series docs vm clean \
	begin debug-kernel

all: host qemu module

help:
	@echo 'make run             build and fetch what is missing, boot the machine, run trained models in it (QUESTION="..", IMAGE=FILE)'
	@echo 'make check           all tests: on the host, then in the machine'
	@echo 'make check-host      tests that need no machine'
	@echo 'make check-llama     all cases of llama.cpp'"'"'s test-backend-ops on its backend (check-host: a part)'
	@echo 'make check-asan      engine, device model, libatom and lowering under AddressSanitizer and UBSan'
	@echo 'make check-tsan      the same under ThreadSanitizer'
	@echo 'make check-kernel    the driver under W=1, sparse and checkpatch --strict, for two kernels'
	@echo 'make check-vm        tests in the machine (KERNEL=distro, newest or debug)'
	@echo 'make check-debug     the tests in the machine under KASAN, lockdep, kmemleak and DMA-API debug'
	@echo 'make stress          the long forms of the tests of load, recovery and life (KERNEL=..., ONLY=TESTS)'
	@echo 'make bench           measure, print and write build/bench.json (ONLY=GROUP: one group)'
	@echo 'make fuzz            fuzz the device model, tools and the lowering of models (FUZZ_SECONDS=N for each target, default 60)'
	@echo 'make fuzz-ioctl      fuzz the driver'"'"'s ioctls on the debug kernel, or on KERNEL=... (FUZZ_SECONDS=N, SEED=N as printed)'
	@echo 'make docs            reference and guide of libatom, in build/docs/html'
	@echo 'make vm              a shell in the machine'
	@echo 'make kernel-matrix   build the driver for every kernel from 6.12 to the newest that Debian offers; boot the oldest and the newest'
	@echo 'make upstream-series write the driver as patches for the kernel source KERNEL_SRC, and apply them there'
	@echo 'make check-upstream  the series on the newest kernel'"'"'s source: checkpatch, W=1, Kconfig, MAINTAINERS'
	@echo
	@echo 'make                 build all: host, qemu, module'
	@echo 'make host            libatom, the model, samples and tests, in build/host'
	@echo 'make qemu            QEMU with the device; prints its path'
	@echo 'make module          the driver for KERNEL (distro, newest or debug), in build/kernel/RELEASE'
	@echo 'make models          fetch the trained models and the pictures that make run uses'
	@echo 'make kernel-headers  fetch the kernel; prints KDIR for make -C KDIR M=...'
	@echo 'make debug-kernel    build the debug kernel into the cache'
	@echo 'make packages        Debian packages, in build/packages'
	@echo 'make check-packages  the packages, twice the same, and in Debian 12 and 13: install, upgrade, boot, purge, what goes wrong (as root)'
	@echo 'make deps            install the missing Debian packages (as root)'
	@echo 'make clean           remove build/; the cache stays'

# One file of step times for each call of make that tests or runs.
begin:
	@mkdir -p build && : >$(ATOM_STEPS)

deps:
	@packaging/host/install-packages

host: deps
	@$(STEP) 'host' -- packaging/host/build-host

qemu: deps
	@$(STEP) 'qemu' -- emulator/qemu/build

kernel-headers: deps
	@$(STEP) 'kernel $(KERNEL)' -- emulator/vm/kernel headers $(KERNEL)

module: kernel-headers
	@$(STEP) 'module for $(KERNEL)' -- sh -c 'emulator/vm/kernel build-module --kernel $(KERNEL) kernel \
		"build/kernel/$$(emulator/vm/kernel release $(KERNEL))"'

debug-kernel: deps
	@$(STEP) 'debug kernel' -- emulator/vm/kernel headers debug

models: deps
	@$(STEP) 'models' -- packaging/host/models >/dev/null

run: begin host qemu module models
	@$(STEP) 'run' -- samples/demo --question="$$QUESTION" --image="$$IMAGE"
	@$(STEP) --summary

check: begin check-host check-kernel check-vm
	@$(STEP) --summary

check-host: host qemu
	@$(STEP) 'tests of the build tools' -- tests/host/build_tools_test.py
	@$(STEP) 'tests on the host' -- sh -c 'ATOM_QEMU=$$(emulator/qemu/build) ctest --test-dir $(HOST) --output-on-failure --no-tests=error'

# All of llama.cpp's conformance program; check-host runs a part.
check-llama: host
	@$(STEP) 'operators of llama.cpp' -- samples/ggml-backend/check

check-asan: deps
	@$(STEP) 'tests under ASan and UBSan' -- tests/sanitized address,undefined

check-tsan: deps
	@$(STEP) 'tests under TSan' -- tests/sanitized thread

check-kernel: deps
	@$(STEP) 'checks of the driver source' -- tests/kernel/static_checks

check-vm: host qemu module
	@$(STEP) 'tests of the machine' -- tests/vm/harness_test.py --kernel $(KERNEL)
	@$(STEP) 'models in the machine ($(KERNEL))' -- tests/vm/models_test.py --kernel $(KERNEL)
	@$(STEP) 'tests in the machine ($(KERNEL))' -- tests/vm/run --kernel $(KERNEL) $(if $(filter debug,$(KERNEL)),--test-seconds 600 --timeout 5400)
	@$(STEP) 'ONNX vectors in the machine ($(KERNEL))' -- tests/vm/conformance --kernel $(KERNEL)
ifneq ($(KERNEL),debug)
	@$(STEP) 'llama.cpp in the machine ($(KERNEL))' -- tests/vm/llama --kernel $(KERNEL)
endif

check-debug:
	@$(MAKE) --no-print-directory check-vm KERNEL=debug

# The part of check-debug that CI has time for.
check-debug-smoke:
	@$(MAKE) --no-print-directory host qemu module KERNEL=debug
	@$(STEP) 'smoke test in the machine (debug)' -- tests/vm/run --kernel debug --test-seconds 600 --filter '$(SMOKE)'

# Hours on the debug kernel.
stress: host qemu module
	@$(STEP) 'stress in the machine ($(KERNEL))' -- tests/vm/run --kernel $(KERNEL) --stress $(if $(ONLY),--filter '$(ONLY)')

bench: host qemu module
	@$(STEP) 'bench' -- tests/bench/run $(if $(ONLY),--only $(ONLY))

fuzz: deps
	@$(STEP) 'fuzz' -- tests/fuzz/run $(FUZZ_SECONDS)

fuzz-ioctl: FUZZ_KERNEL := $(if $(filter file,$(origin KERNEL)),debug,$(KERNEL))
fuzz-ioctl: host qemu
	@$(MAKE) --no-print-directory module KERNEL=$(FUZZ_KERNEL)
	@$(STEP) 'fuzz ioctls ($(FUZZ_KERNEL))' -- $(VM) --kernel $(FUZZ_KERNEL) --memory 3072 --timeout $$(($(FUZZ_SECONDS) * 2 + 900)) --silence 600 -- \
		$(CURDIR)/$(HOST)/tests/vm/atom_ioctl_fuzz $(FUZZ_SECONDS) $(or $(SEED),$$(date +%s)) $(CURDIR)/tests/vm/fuzz/corpus

kernel-matrix: host qemu
	@$(STEP) 'kernel matrix' -- tests/kernel/matrix --tests '$(SMOKE)'

upstream-series:
	@test -n '$(KERNEL_SRC)' || { echo 'make upstream-series KERNEL_SRC=FOLDER: the source of a kernel as new as the newest of trixie-backports' >&2; exit 2; }
	@$(STEP) 'upstream series' -- packaging/upstream/series '$(KERNEL_SRC)'

check-upstream: deps
	@$(STEP) 'upstream series' -- tests/kernel/upstream_series

docs: deps
	@mkdir -p build && doxygen libatom/doc/Doxyfile && echo $(CURDIR)/build/docs/html/index.html

vm: qemu module
	@$(VM) --kernel $(KERNEL) --share $(CURDIR)/build

packages: deps
	@$(STEP) 'packages' -- packaging/build-packages

check-packages: packages
	@packaging/host/install-packages more/systems
	@$(STEP) 'recipes of other distributions' -- tests/packaging/recipes_test.py
	@$(STEP) 'packages built again' -- tests/packaging/reproducible_test.py
	@$(STEP) 'packages in Debian 12 and 13' -- tests/packaging/systems_test.py

# The part of check-packages that CI has time for, where the machine allows it.
# The emulator's package is compiled anew, which takes as long as all the others: make check-packages.
check-packages-smoke: deps
	@packaging/host/install-packages more/systems
	@$(STEP) 'packages' -- packaging/build-packages --without-qemu >/dev/null
	@if packaging/host/debian-system --check; then \
		ATOM_PACKAGES=$$(packaging/build-packages --without-qemu) $(STEP) 'packages in Debian 13' -- tests/packaging/systems_test.py \
		$(addprefix Debian13.test_,installing_builds_the_module_and_skips_the_kernel_for_clouds purging_leaves_nothing \
		an_ordinary_user_computes_on_the_device_inside_of_the_process); fi

clean:
	rm -rf build
