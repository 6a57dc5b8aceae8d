#pragma once

#include <stdexcept>

namespace synapsex::app {

// The operator has to do something before the program can do its work; what() is the sentence.
class StartRefused : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

}  // namespace synapsex::app
