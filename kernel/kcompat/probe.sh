#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# usage: probe.sh KDIR OUT
#        probe.sh --check KDIR
#
# Writes OUT/atom_kcompat_config.h: what the kernel in KDIR can do. Stable kernels take back API changes, so a version number
# does not tell; each question is a small source file that compiles or does not. A first one that must compile (the canary)
# keeps a broken tool chain from looking like an old kernel. The answers are kept until KDIR or this script changes.
#
# Exit status: 0 done, 1 headers or compiler are broken, 3 the kernel has no DRM accel (Debian's cloud flavour): there is nothing to
# build, which is no failure for who builds for many kernels. --check answers only that, by the configuration, without compiling.
set -eu

[ $# = 2 ] || { echo "usage: probe.sh KDIR OUT, or probe.sh --check KDIR" >&2; exit 1; }

check() {
	if [ ! -f "$1/include/config/auto.conf" ]; then
		echo "probe.sh: $1 is not the build folder of a configured kernel: it has no include/config/auto.conf" >&2
		exit 1
	fi
	if ! grep -qx 'CONFIG_DRM_ACCEL=y' "$1/include/config/auto.conf"; then
		echo "no DRM accel: the kernel in $1 is built without CONFIG_DRM_ACCEL and has no place for this driver" >&2
		exit 3
	fi
}

if [ "$1" = --check ]; then
	check "$2"
	exit 0
fi
check "$1"

kdir=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
config=$out/atom_kcompat_config.h

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null || echo unknown)
key=$( (
	echo "$kdir $release ${CC-}"
	cat "$here/probe.sh" "$kdir/include/generated/autoconf.h" 2>/dev/null
) | cksum)
if [ -f "$config" ] && grep -qF "/* key $key */" "$config"; then
	exit 0
fi

mkdir -p "$out"
work=$(mktemp -d "$out/probe.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The questions: NAME, then the source up to a line of two dashes.
questions() {
	cat <<-'QUESTIONS'
	CANARY
	#include <linux/module.h>
	#include <drm/drm_drv.h>
	#include <drm/drm_accel.h>
	int probe(struct drm_device *dev);
	int probe(struct drm_device *dev) { return drm_dev_is_unplugged(dev); }
	--
	SCHED_JOB_INIT_CLIENT_ID
	#include <drm/gpu_scheduler.h>
	int probe(struct drm_sched_job *j, struct drm_sched_entity *e);
	int probe(struct drm_sched_job *j, struct drm_sched_entity *e) { return drm_sched_job_init(j, e, 1, NULL, (u64)0); }
	--
	SCHED_INIT_ARGS
	#include <drm/gpu_scheduler.h>
	int probe(struct drm_gpu_scheduler *s, const struct drm_sched_init_args *args);
	int probe(struct drm_gpu_scheduler *s, const struct drm_sched_init_args *args) { return drm_sched_init(s, args); }
	--
	SCHED_NO_HANG
	#include <drm/gpu_scheduler.h>
	int probe(void);
	int probe(void) { return DRM_GPU_SCHED_STAT_NO_HANG; }
	--
	GPUVM_MAP_REQ
	#include <drm/drm_gpuvm.h>
	int probe(struct drm_gpuvm *vm, const struct drm_gpuvm_map_req *req);
	int probe(struct drm_gpuvm *vm, const struct drm_gpuvm_map_req *req) { return drm_gpuvm_sm_map(vm, NULL, req); }
	--
	GPUVM_BO_OBTAIN_LOCKED
	#include <drm/drm_gpuvm.h>
	void *probe(struct drm_gpuvm *vm, struct drm_gem_object *obj);
	void *probe(struct drm_gpuvm *vm, struct drm_gem_object *obj) { return drm_gpuvm_bo_obtain_locked(vm, obj); }
	--
	DRIVER_GEM_GPUVA
	#include <drm/drm_drv.h>
	int probe(void);
	int probe(void) { return DRIVER_GEM_GPUVA; }
	--
	SHMEM_VMA_FLAGS
	#include <linux/mm.h>
	#include <linux/shmem_fs.h>
	struct file *probe(void);
	struct file *probe(void) { return shmem_file_setup("", 0, mk_vma_flags(VMA_NORESERVE_BIT)); }
	--
	GEM_OBJECT_ACTIVE
	#include <drm/drm_gem.h>
	int probe(void);
	int probe(void) { return DRM_GEM_OBJECT_ACTIVE; }
	--
	GPU_BUDDY
	#include <linux/sizes.h>
	#include <linux/gpu_buddy.h>
	int probe(struct gpu_buddy *mm);
	int probe(struct gpu_buddy *mm) { return gpu_buddy_init(mm, SZ_1M, SZ_4K); }
	--
	IMPORT_NS_IDENT
	#include <linux/module.h>
	MODULE_IMPORT_NS(DMA_BUF);
	--
	WQ_PERCPU
	#include <linux/workqueue.h>
	int probe(void);
	int probe(void) { return WQ_PERCPU; }
	--
	ALLOC_OBJ
	#include <linux/slab.h>
	int *probe(int *n);
	int *probe(int *n) { return kzalloc_obj(*n, GFP_KERNEL); }
	--
	QUESTIONS
}

# One directory a question and one run of kbuild for all: with -k those that do not compile leave no object.
: >"$work/Kbuild"
echo 'ccflags-y += -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -Werror=int-conversion' >>"$work/Kbuild"
names=
name=
questions >"$work/questions"
while IFS= read -r line; do
	case $line in
	--) name= ;;
	*)
		if [ -z "$name" ]; then
			name=$line
			names="$names $name"
			echo "obj-m += $name.o" >>"$work/Kbuild"
			echo '/* SPDX-License-Identifier: GPL-2.0-only OR MIT */' >"$work/$name.c"
		else
			printf '%s\n' "$line" >>"$work/$name.c"
		fi
		;;
	esac
done <"$work/questions"

# Objects only: linking would ask modpost for licences. MAKEFLAGS of the caller (W=, C=, O=) must not reach this run.
targets=
for name in $names; do targets="$targets $name.o"; done
# shellcheck disable=SC2086 # a list
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -k -s -C "$kdir" M="$work" ${CC:+CC="$CC"} $targets >"$work/log" 2>&1 || true

if [ ! -f "$work/CANARY.o" ]; then
	cat "$work/log" >&2
	echo "probe.sh: a trivial DRM accel source does not compile against $kdir:" >&2
	echo "  its headers or the compiler are missing" >&2
	exit 1
fi

{
	echo "/* SPDX-License-Identifier: GPL-2.0-only OR MIT */"
	echo "/* Written by probe.sh for Linux $release. */"
	echo "/* key $key */"
	for name in $names; do
		[ "$name" = CANARY ] && continue
		if [ -f "$work/$name.o" ]; then
			echo "#define ATOM_HAVE_$name 1"
		else
			echo "#define ATOM_HAVE_$name 0"
		fi
	done
} >"$work/config"
mv "$work/config" "$config"
