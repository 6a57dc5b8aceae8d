#include "controlplane/services/auth/api.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex::api {

template struct Codec<auth::Register>;
template struct Codec<auth::Login>;
template struct Codec<auth::Refresh>;
template struct Codec<auth::TokenPair>;
template struct Codec<auth::TokenRequest>;
template struct Codec<auth::AccessToken>;
template struct Codec<auth::Me>;
template struct Codec<auth::ChangePassword>;
template struct Codec<auth::ListSessions>;
template struct Codec<auth::SessionPage>;
template struct Codec<auth::SessionPath>;
template struct Codec<auth::LogoutEverywhere>;
template struct Codec<auth::SessionsEnded>;
template struct Codec<auth::ListApiKeys>;
template struct Codec<auth::ApiKeyPage>;
template struct Codec<auth::CreateApiKey>;
template struct Codec<auth::CreatedApiKey>;
template struct Codec<auth::ApiKeyPath>;
template struct Codec<auth::JwkSet>;

}  // namespace synapsex::api
