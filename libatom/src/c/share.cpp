// SPDX-License-Identifier: MIT
// Timelines and fences as files.
#include "c/completions.hpp"

using namespace atom::c;

int atom_timeline_export(const atom_timeline *timeline, int *fd)
{
	return guarded([&] {
		int &place = live(fd, "fd");
		place = live(timeline, "timeline").value.export_fd();
	});
}

int atom_timeline_import(const atom_device *device, int fd, atom_timeline **out)
{
	return give(out,
	            [&] { return atom::timeline::import_fd(live(device, "device").value, fd); });
}

int atom_timeline_import_sync_file(atom_timeline *timeline, uint64_t point, int fd)
{
	return guarded([&] { live(timeline, "timeline").value.import_sync_file(point, fd); });
}

int atom_fence_export_sync_file(const atom_fence *fence, int *fd)
{
	return guarded([&] {
		int &place = live(fd, "fd");
		place = fence_of(live(fence, "fence")).export_sync_file();
	});
}
