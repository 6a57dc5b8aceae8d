#pragma once

// Enumerators as the API and people write them.

#include <string>
#include <vector>

#include "shared/base/describe.hpp"

namespace synapsex::cli {

// "operator_" is what C++ has to call "operator".
template <DescribedEnum E>
std::string word_of(E value) {
    std::string word{enum_name(value)};
    if (word.ends_with('_')) word.pop_back();
    return word;
}

template <DescribedEnum E>
std::vector<std::string> words_of() {
    std::vector<std::string> words;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto descriptor) {
        words.push_back(word_of(descriptor.value));
    });
    return words;
}

}  // namespace synapsex::cli
