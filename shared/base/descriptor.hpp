#pragma once

// A file descriptor that is closed when its owner goes.

#include <unistd.h>

#include <utility>

namespace synapsex {

class Descriptor {
 public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    // False if the system could not: what was written may not be there.
    bool close() {
        const int number = std::exchange(number_, -1);
        return number < 0 || ::close(number) == 0;
    }

 private:
    int number_;
};

}  // namespace synapsex
