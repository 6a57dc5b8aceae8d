#pragma once

// What a request's head says that its answer may be (RFC 9110, section 12.5).

#include <string>
#include <string_view>

namespace synapsex::api_gateway {

// "Application/JSON; charset=utf-8" -> "application/json"
std::string media_type_of(std::string_view content_type);

// Whether `accept`, the value of Accept, takes the media type "type/subtype". Of ranges the most
// specific counts. All is taken where it is empty, and by what is no list of ranges.
bool takes_type(std::string_view accept, std::string_view type);

// Whether Accept-Encoding takes gzip.
bool takes_gzip(std::string_view accept_encoding);

}  // namespace synapsex::api_gateway
