// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Streams of counters
 *
 * PERF_OPEN gives a file that yields a record of the device's counters every so
 * often. Whoever is slow loses the oldest records, and sees how many. The readings
 * are of the device as a whole, which sysfs tells everybody too, so that no
 * privilege is needed; only the second half of the streams that a device has is for
 * those with CAP_PERFMON, and of the first half a user without it may have a half.
 * A stream outlives the file that it was opened by. It wakes
 * no sleeping device, and rests while the system sleeps.
 *
 * When the device leaves, or dies, poll() says POLLHUP; what was recorded can be read,
 * then read() fails with -ENODEV or -EIO.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "atom_device.h"
#include "atom_perf.h"

#define ATOM_PERF_STREAMS	64
/* Records that a stream keeps for its reader; a power of two. */
#define ATOM_PERF_RECORDS	256

/**
 * struct atom_perf_stream - an open stream
 */
struct atom_perf_stream {
	/** @adev: Device; a reference is held. */
	struct atom_device *adev;
	/** @link: Entry of struct atom_perf.streams. */
	struct list_head link;
	/** @uid: Who opened it. */
	kuid_t uid;
	/** @work: Takes a sample. */
	struct delayed_work work;
	/** @period: Jiffies between two samples. */
	unsigned long period;
	/** @wait: Readers. */
	wait_queue_head_t wait;
	/** @lock: Protects what follows. */
	spinlock_t lock;
	/** @written: Samples ever taken. */
	u64 written;
	/** @read: Of these, those that were read or dropped. */
	u64 read;
	/** @dropped: Samples dropped because nobody read them. */
	u64 dropped;
	/** @error: Why no more samples come, or 0. */
	int error;
	/** @records: Samples by number. */
	struct drm_atom_perf_record records[ATOM_PERF_RECORDS];
};

static struct drm_atom_perf_record *atom_perf_slot(struct atom_perf_stream *stream, u64 number)
{
	return &stream->records[number & (ATOM_PERF_RECORDS - 1)];
}

static void atom_perf_add(struct atom_perf_stream *stream,
			  const struct drm_atom_dev_telemetry *now, u64 timestamp_ns)
{
	spin_lock(&stream->lock);
	if (stream->written - stream->read == ATOM_PERF_RECORDS) {
		stream->read++;
		stream->dropped++;
	}
	*atom_perf_slot(stream, stream->written) = (struct drm_atom_perf_record) {
		.sequence = stream->written + 1,
		.timestamp_ns = timestamp_ns,
		.busy_compute_ns = now->busy_compute_ns,
		.busy_dma_ns = now->busy_dma_ns,
		.modelled_ns = now->modelled_ns,
		.dram_read = now->dram_read,
		.dram_write = now->dram_write,
		.dma_read = now->dma_read,
		.dma_write = now->dma_write,
		.jobs_done = now->jobs_done,
		.macs = now->macs,
		.energy_uj = now->energy_uj,
		.power_mw = now->power_mw,
		.temperature_mc = now->temperature_mc,
		.throttle = now->throttle,
		.pstate = now->pstate,
	};
	stream->written++;
	spin_unlock(&stream->lock);
}

static void atom_perf_work(struct work_struct *work)
{
	struct atom_perf_stream *stream = container_of(to_delayed_work(work),
						       struct atom_perf_stream, work);
	struct drm_atom_dev_telemetry now;
	int ret = atom_telemetry_get(stream->adev, &now);

	if (!ret)
		atom_perf_add(stream, &now, ktime_get_ns());
	/* A device that does not answer may come back by a reset. */
	if (!ret || (ret == -ENODEV && !drm_dev_is_unplugged(&stream->adev->drm)))
		queue_delayed_work(system_freezable_wq, &stream->work, stream->period);
	else
		WRITE_ONCE(stream->error, ret);
	wake_up_interruptible(&stream->wait);
}

static bool atom_perf_has_data(struct atom_perf_stream *stream)
{
	bool has;

	spin_lock(&stream->lock);
	has = stream->read != stream->written;
	spin_unlock(&stream->lock);
	return has;
}

/* The oldest record, taken out. */
static bool atom_perf_take(struct atom_perf_stream *stream, struct drm_atom_perf_record *record)
{
	bool has;

	spin_lock(&stream->lock);
	has = stream->read != stream->written;
	if (has) {
		*record = *atom_perf_slot(stream, stream->read++);
		record->dropped = stream->dropped;
	}
	spin_unlock(&stream->lock);
	return has;
}

/* Until there is a record; 0 or an error. */
static int atom_perf_wait(struct file *filp, struct atom_perf_stream *stream)
{
	int ret;

	if (!(filp->f_flags & O_NONBLOCK)) {
		ret = wait_event_interruptible(stream->wait, atom_perf_has_data(stream) ||
					       READ_ONCE(stream->error));
		if (ret)
			return ret;
	}
	if (atom_perf_has_data(stream))
		return 0;
	return READ_ONCE(stream->error) ?: -EAGAIN;
}

static ssize_t atom_perf_read(struct file *filp, char __user *to, size_t bytes, loff_t *pos)
{
	struct atom_perf_stream *stream = filp->private_data;
	struct drm_atom_perf_record record;
	size_t done = 0;
	int ret;

	if (bytes < sizeof(record))
		return -EINVAL;
	ret = atom_perf_wait(filp, stream);
	if (ret)
		return ret;
	/* Memory of the caller may be slow: each record is taken out before it is copied. */
	while (bytes - done >= sizeof(record) && atom_perf_take(stream, &record)) {
		if (copy_to_user(to + done, &record, sizeof(record)))
			return done ?: -EFAULT;
		done += sizeof(record);
	}
	/* Nothing: another reader was faster. */
	return done ?: -EAGAIN;
}

static __poll_t atom_perf_poll(struct file *filp, struct poll_table_struct *table)
{
	struct atom_perf_stream *stream = filp->private_data;
	__poll_t events = 0;

	poll_wait(filp, &stream->wait, table);
	if (atom_perf_has_data(stream))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(stream->error))
		events |= EPOLLHUP;
	return events;
}

static void atom_perf_free(struct atom_perf_stream *stream)
{
	struct atom_device *adev = stream->adev;

	mutex_lock(&adev->perf.lock);
	list_del(&stream->link);
	adev->perf.count--;
	mutex_unlock(&adev->perf.lock);
	/* Off the list, nobody starts it anew but itself. */
	cancel_delayed_work_sync(&stream->work);
	kvfree(stream);
	drm_dev_put(&adev->drm);
}

static int atom_perf_release(struct inode *inode, struct file *filp)
{
	atom_perf_free(filp->private_data);
	return 0;
}

static const struct file_operations atom_perf_fops = {
	.owner = THIS_MODULE,
	.read = atom_perf_read,
	.poll = atom_perf_poll,
	.release = atom_perf_release,
	.llseek = noop_llseek,
};

/* May whoever opens @stream have one more? */
static bool atom_perf_may_have(struct atom_perf *perf, const struct atom_perf_stream *stream,
			       bool privileged)
{
	const struct atom_perf_stream *other;
	u32 own = 0;

	lockdep_assert_held(&perf->lock);

	if (privileged)
		return perf->count < ATOM_PERF_STREAMS;
	list_for_each_entry(other, &perf->streams, link)
		own += uid_eq(other->uid, stream->uid);
	return perf->count < ATOM_PERF_STREAMS / 2 && own < ATOM_PERF_STREAMS / 4;
}

static struct atom_perf_stream *atom_perf_create(struct atom_device *adev, u64 period_ns)
{
	struct atom_perf_stream *stream;
	bool privileged = perfmon_capable();
	int ret = 0;

	stream = kvzalloc_obj(*stream, GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->adev = adev;
	stream->uid = current_uid();
	stream->period = max(nsecs_to_jiffies(period_ns), 1ul);
	spin_lock_init(&stream->lock);
	init_waitqueue_head(&stream->wait);
	INIT_DELAYED_WORK(&stream->work, atom_perf_work);

	mutex_lock(&adev->perf.lock);
	if (atom_perf_may_have(&adev->perf, stream, privileged)) {
		adev->perf.count++;
		list_add_tail(&stream->link, &adev->perf.streams);
		drm_dev_get(&adev->drm);
	} else {
		ret = -ENOSPC;
	}
	mutex_unlock(&adev->perf.lock);
	if (ret) {
		kvfree(stream);
		return ERR_PTR(ret);
	}
	queue_delayed_work(system_freezable_wq, &stream->work, stream->period);
	return stream;
}

/**
 * atom_ioctl_perf_open() - DRM_IOCTL_ATOM_PERF_OPEN
 * @drm: device
 * @data: struct drm_atom_perf_open
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_perf_open(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct drm_atom_perf_open *args = data;
	struct atom_perf_stream *stream;
	int fd;

	if (args->flags || args->counters ||
	    memchr_inv(args->reserved, 0, sizeof(args->reserved)) ||
	    args->period_ns < DRM_ATOM_PERF_PERIOD_MIN_NS ||
	    args->period_ns > DRM_ATOM_PERF_PERIOD_MAX_NS)
		return -EINVAL;

	stream = atom_perf_create(adev, args->period_ns);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	fd = anon_inode_getfd("[atom-perf]", &atom_perf_fops, stream, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		atom_perf_free(stream);
		return fd;
	}
	args->fd = fd;
	return 0;
}

/**
 * atom_perf_unplug() - end the streams of a device that has left
 * @adev: device, after drm_dev_unplug()
 */
void atom_perf_unplug(struct atom_device *adev)
{
	struct atom_perf_stream *stream;

	/* The next look finds out. */
	mutex_lock(&adev->perf.lock);
	list_for_each_entry(stream, &adev->perf.streams, link)
		mod_delayed_work(system_freezable_wq, &stream->work, 0);
	mutex_unlock(&adev->perf.lock);
}

/**
 * atom_perf_init() - prepare for streams
 * @adev: device
 *
 * Return: 0 or an error.
 */
int atom_perf_init(struct atom_device *adev)
{
	INIT_LIST_HEAD(&adev->perf.streams);
	return drmm_mutex_init(&adev->drm, &adev->perf.lock);
}
