// The bodies of Asio and Beast, compiled here once (BOOST_ASIO_SEPARATE_COMPILATION and
// BOOST_BEAST_SEPARATE_COMPILATION, cmake/warnings.cmake).

#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
