// OperatorApi asks the operator's API of a broker (docs/operator-api.md): over the daemon's Unix
// socket, where the kernel says who asks, or over HTTP with a token.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/http.h"
#include "signet/commands/context.h"
#include "signet/profile/owners.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::cli {

class OperatorApi {
 public:
  // By the options; else by the environment; else as `mesh` was made; else by the sockets that a
  // daemon has by default. Fails
  // kMalformed (usage) where none of that is there, and as read_private_file() for the token.
  static Result<OperatorApi> open(const Context& context, const OperatorAddress& options,
                                  const OwnedMesh* mesh = nullptr);

  // `path` begins behind /api/signet/v1. Fails kNotFound, kConflict, kForbidden (denied),
  // kMalformed (bad_request), kOverloaded and kUnavailable, as the page says.
  Result<wire::JsonDocument> get(const std::string& path) const;
  // The same for a path that answers plain text.
  Result<std::string> get_text(const std::string& path) const;
  Result<wire::JsonDocument> post(const std::string& path, const std::string& body) const;

  // Asks page after page (`next` of the answer is the next `after`) and gives each to `take`.
  // `path` may have a query, without `limit` and `after`.
  Status each_page(const std::string& path,
                   const std::function<void(const wire::JsonValue&)>& take) const;

  const OperatorAddress& address() const { return address_; }

 private:
  OperatorApi() = default;
  Result<wire::JsonDocument> call(std::string_view method, const std::string& path,
                                  const std::string& body) const;
  Result<std::string> answer(std::string_view method, const std::string& path,
                             const std::string& body) const;

  OperatorAddress address_;
  TlsTrust trust_;
  std::string token_;
};

// What an answer that is not 200 says to a person. Pure.
Error operator_refusal(const client::HttpAnswer& answer);

// True for a socket, and no link to one, that this user or root owns, in a folder that only they
// can write into: what lies in the folder that somebody happens to stand in may be anybody's.
bool is_own_socket(const std::string& path);

// --operator-socket, --operator-url and --operator-token-file.
std::shared_ptr<OperatorAddress> add_operator_options(CLI::App& command);

// Which mesh an operator's command is about, as the API calls it: --mesh (joined, owned or
// neither), or the only one that is joined or owned here. `owned` is set where its owner's key is
// here.
struct OperatorMesh {
  std::string name;  // for the path
  std::string slug;  // for people
  std::unique_ptr<OwnedMesh> owned;
};
Result<OperatorMesh> operator_mesh(Context& context);

}  // namespace signet::cli
