#pragma once

namespace synapsex::agent {

// Gives back the memory that only the start needed: free blocks of the heap, and the pages of
// programs and libraries that were read once (relocation, TLS set-up, parsing the configuration).
// Pages of files that are still in use come back from the page cache by themselves; a resident
// process should not count those that are not. Takes some milliseconds.
void shrink_resident_set();

}  // namespace synapsex::agent
