// SPDX-License-Identifier: MIT
// What contexts say of their queues.
#include <cstring>

#include <drm/atom_accel.h>

#include "c_fixture.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using namespace std::chrono_literals;

class a_context : public on_fake_kernel {
protected:
	[[nodiscard]] drm_atom_queue_create made(const queue &q) const
	{
		return kernel->how_made(q.id());
	}
};

context_options background()
{
	context_options options;
	options.priority = priority::low;
	options.job_timeout = 250ms;
	options.name = "background";
	return options;
}

TEST_F(a_context, says_how_its_queues_are_made)
{
	const context own(dev, background());
	const queue plain(own);
	EXPECT_EQ(made(plain).priority, DRM_ATOM_QUEUE_PRIORITY_LOW);
	EXPECT_EQ(made(plain).job_timeout_ms, 250U);
	EXPECT_STREQ(reinterpret_cast<const char *>(made(plain).name), "background");
	queue_options options;
	options.priority = priority::normal;
	options.job_timeout = 60s;
	options.name = "now";
	const queue special(own, options);
	EXPECT_EQ(made(special).priority, DRM_ATOM_QUEUE_PRIORITY_NORMAL);
	EXPECT_EQ(made(special).job_timeout_ms, 60000U);
	EXPECT_STREQ(reinterpret_cast<const char *>(made(special).name), "now");
}

TEST_F(a_context, says_what_is_usual_if_it_is_not_asked)
{
	const queue q(ctx);
	EXPECT_EQ(made(q).priority, DRM_ATOM_QUEUE_PRIORITY_NORMAL);
	EXPECT_EQ(made(q).job_timeout_ms, 0U) << "the device's";
	EXPECT_EQ(made(q).name[0], 0);
	EXPECT_EQ(ctx.options().priority, priority::normal);
	EXPECT_EQ(ctx.options().job_timeout, 0ms);
	EXPECT_EQ(ctx.options().name, "");
	error_of(errc::invalid_argument, [] { (void)context().options(); });
}

TEST_F(a_context, is_not_made_of_what_no_queue_could_have)
{
	const std::size_t before = kernel->objects();
	const auto refused = [&](const context_options &options) {
		std::error_code ec;
		EXPECT_FALSE(context::create(dev, options, ec));
		EXPECT_EQ(ec, errc::invalid_argument);
		return error_of(errc::invalid_argument, [&] { (void)context(dev, options); });
	};
	context_options options;
	options.priority = priority::of_context;
	EXPECT_EQ(refused(options), "create context: there is no priority 255");
	options = {};
	options.job_timeout = 60001ms;
	EXPECT_EQ(refused(options),
	          "create context: job_timeout of 60001 ms is not within 0 and 60000 ms (the "
	          "administrator's limit)");
	options.job_timeout = -1ms;
	refused(options);
	options = {};
	options.name = "sixteen letters.";
	refused(options);
	options.name = "a\nb";
	EXPECT_EQ(refused(options), "create context: its name is not of printable ASCII");
	EXPECT_EQ(kernel->objects(), before);
	error_of(errc::invalid_argument, [&] { (void)context(device(), background()); });
}

TEST_F(a_context, leaves_it_to_the_kernel_who_may_have_which_priority)
{
	context_options options;
	options.priority = priority::high;
	const context own(dev, options);
	error_of(errc::permission_denied, [&] { (void)queue(own); });
	queue_options normal;
	normal.priority = priority::normal;
	EXPECT_TRUE(queue(own, normal));
}

TEST_F(a_context, has_options_in_c)
{
	auto *device = new atom_device{dev};
	auto options = sized<atom_context_options>();
	options.priority = 1;
	options.job_timeout_ms = 250;
	options.name = "background";
	atom_context *own = nullptr;
	ASSERT_EQ(atom_context_create_with(device, &options, &own), ATOM_OK) << atom_last_error();
	atom_queue *q = nullptr;
	ASSERT_EQ(atom_queue_create(own, nullptr, &q), ATOM_OK) << atom_last_error();
	EXPECT_EQ(made(q->value).priority, DRM_ATOM_QUEUE_PRIORITY_LOW);
	EXPECT_EQ(made(q->value).job_timeout_ms, 250U);
	EXPECT_STREQ(reinterpret_cast<const char *>(made(q->value).name), "background");
	atom_queue_destroy(q);
	auto normal = sized<atom_queue_options>();
	normal.priority = 2;
	ASSERT_EQ(atom_queue_create(own, &normal, &q), ATOM_OK) << atom_last_error();
	EXPECT_EQ(made(q->value).priority, DRM_ATOM_QUEUE_PRIORITY_NORMAL);
	atom_queue_destroy(q);
	atom_context_destroy(own);

	ASSERT_EQ(atom_context_create_with(device, nullptr, &own), ATOM_OK);
	normal.priority = 5;
	EXPECT_EQ(atom_queue_create(own, &normal, &q), ATOM_ERROR_INVALID_ARGUMENT);
	atom_context_destroy(own);
	options.priority = 5;
	EXPECT_EQ(atom_context_create_with(device, &options, &own), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_STREQ(atom_last_error(), "there is no priority 5");
	options.size = 0;
	EXPECT_EQ(atom_context_create_with(device, &options, &own), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_context_create_with(nullptr, nullptr, &own), ATOM_ERROR_INVALID_ARGUMENT);
	atom_device_destroy(device);
}

} // namespace
} // namespace atom::test
