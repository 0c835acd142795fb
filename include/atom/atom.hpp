// SPDX-License-Identifier: MIT
/**
 * @file atom.hpp
 * @brief All of libatom.
 */
#ifndef ATOM_ATOM_HPP
#define ATOM_ATOM_HPP

#include "atom/buffer.hpp"
#include "atom/command.hpp"
#include "atom/command_options.hpp"
#include "atom/config.hpp"
#include "atom/context.hpp"
#include "atom/device.hpp"
#include "atom/device_monitor.hpp"
#include "atom/dtype.hpp"
#include "atom/error.hpp"
#include "atom/fault.hpp"
#include "atom/fence.hpp"
#include "atom/functions.hpp"
#include "atom/log.hpp"
#include "atom/notifier.hpp"
#include "atom/pool.hpp"
#include "atom/queue.hpp"
#include "atom/span.hpp"
#include "atom/tensor.hpp"

#endif
