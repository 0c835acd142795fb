// SPDX-License-Identifier: MIT
#include "c/job_list.hpp"

#include "c/completions.hpp"

namespace atom::c {
namespace {

buffer_view view_of(const atom_view &v)
{
	if (v.buffer == nullptr)
		return {};
	const buffer_view &all = v.buffer->value.view();
	if (v.offset > all.size())
		core::fail(errc::out_of_range, "submit: an argument starts behind its buffer");
	return all.slice(v.offset, v.bytes == 0 ? all.size() - v.offset : v.bytes);
}

/** Appends @p count elements of @p from to @p to, which has room for them. */
template <class To, class From, class F>
span<const To> append(std::vector<To> &to, const From *from, uint32_t count, const char *name,
                      const F &convert)
{
	const To *first = to.data() + to.size();
	for (uint32_t i = 0; i < count; ++i)
		to.push_back(convert((&live(from, name))[i]));
	return {first, count};
}

} // namespace

void job_list::clear() noexcept
{
	given_.clear();
	jobs_.clear();
	views_.clear();
	fences_.clear();
}

span<const submission> job_list::convert(const atom_submission *jobs, uint32_t count)
{
	clear();
	std::size_t views = 0, fences = 0;
	for (uint32_t i = 0; i < count; ++i) {
		given_.push_back(read(element(jobs, i, "jobs")));
		views += given_.back().argument_count;
		fences += std::size_t{given_.back().wait_count} + given_.back().signal_count;
	}
	views_.reserve(views);
	fences_.reserve(fences);
	for (const atom_submission &job : given_)
		jobs_.push_back(add(job));
	return jobs_;
}

submission job_list::add(const atom_submission &job)
{
	submission to;
	if (job.commands != nullptr)
		to.commands = &job.commands->value;
	to.arguments = append(views_, job.arguments, job.argument_count, "arguments", view_of);
	to.waits = append(fences_, job.waits, job.wait_count, "waits", fence_of);
	to.signals = append(fences_, job.signals, job.signal_count, "signals", fence_of);
	to.cookie = job.cookie;
	return to;
}

} // namespace atom::c
