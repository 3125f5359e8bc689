// SPDX-License-Identifier: MIT
// Whether this process was forked off, without an exec, from one that had the network loaded.
#pragma once

namespace unetseg {

// Such a child has the memory of threads that it does not have: whoever waits for them, or for a
// lock that one of them held, waits for ever. Asking costs as much as reading a flag.
bool is_forked_child();

// From now on. Any thread, as often as it likes.
void watch_forks();

}  // namespace unetseg
