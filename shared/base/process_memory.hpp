#pragma once

// Keeps what a process has in its memory, keys among it, from being written to a disk.

namespace synapsex {

// No core dumps of this process and its children. Called once, first thing in main.
void forbid_core_dumps();

// Nor may other processes of the same user look into its memory or environment: Linux then has
// root alone do so. Not under sanitizers, which look for leaks that way.
void hide_memory();

}  // namespace synapsex
