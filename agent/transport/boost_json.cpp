// Boost.JSON, compiled into the agent: the shared library would be one more to load and relocate
// in a process that has to stay small.
#include <boost/json/src.hpp>
