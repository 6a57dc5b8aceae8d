#pragma once

#include <string>
#include <string_view>

#include "controlplane/platform/api/json_writer.hpp"

namespace synapsex::api {

inline std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

// A JSON object under construction.
class JsonObjectText {
 public:
    JsonObjectText& add(std::string_view key, std::string_view json) {
        if (text_.size() > 1) text_ += ',';
        append_quoted(text_, key);
        text_ += ':';
        text_ += json;
        return *this;
    }
    JsonObjectText& add_text(std::string_view key, std::string_view value) {
        return add(key, quoted(value));
    }
    std::string finish() const { return text_ + "}"; }

 private:
    std::string text_ = "{";
};

}  // namespace synapsex::api
