#pragma once

// A program of PostgreSQL's, run with pipes: pg_dump, pg_restore, psql.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/descriptor.hpp"

namespace synapsex::app {

class ChildProgram {
 public:
    // Of its three streams: what we write to it and what we read from it; standard error is kept.
    enum class Pipes { in, out };

    // `environment` ("NAME=value") is added to ours. Throws StartRefused, which says what to
    // install if the program is not there.
    ChildProgram(
        std::vector<std::string> arguments, const std::vector<std::string>& environment, Pipes pipes
    );
    // Ends it if it still runs.
    ~ChildProgram();
    ChildProgram(const ChildProgram&) = delete;
    ChildProgram& operator=(const ChildProgram&) = delete;

    // False once it reads no more.
    bool write(std::string_view bytes) { return write_all(pipe_.number(), bytes); }
    // All that it writes, in pieces.
    void read(const std::function<void(std::string_view)>& take);
    std::string read();
    // Closes the pipe and waits. Throws StartRefused with what it said, and `hint` after it, unless
    // it ended with 0.
    void finish(std::string_view hint = {});

 private:
    std::string said() const;

    const std::string name_;
    int pid_ = -1;
    Descriptor pipe_;
    Descriptor errors_;
};

}  // namespace synapsex::app
