// One HTTP request and its answer, for joining and for operators.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/url.h"
#include "net/tls_options.h"
#include "signet/result.h"

namespace signet::net {
class Waker;
}

namespace signet::client {

struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t kMaxAnswerBytes = 1 << 20;  // more than most answers of a broker

// What most requests leave as it is.
struct HttpOptions {
  // Beside those that the request makes itself: Host, Connection, Content-Type, Content-Length.
  std::vector<HttpHeader> headers = {};
  // The broker's socket in the file system, in place of the URL's host, which is still told it.
  std::string unix_socket = {};
  net::TlsOptions tls = {};  // of an https URL
  // Set by another thread, it ends the request early; only the lookup of a name can't be ended.
  const net::Waker* waker = nullptr;
  // Take the status line, of HTTP/1.0 too, for the whole answer, and leave the rest of it unread:
  // for servers of others, which may send what read_answer() refuses, such as chunks.
  bool status_only = false;
  std::size_t max_answer = kMaxAnswerBytes;  // bytes, with the head; more is no answer
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Sends one request (an empty `body`: none) and reads the whole answer, up to its length or to the
// end of the connection. `timeout` is for all of it, however slowly the server trickles; only the
// lookup of a name can hold it up longer. The request, which may hold a token, is wiped.
// Fails kMalformed when a header, the method or the path would not be one line of the request, for
// https over a Unix socket, and when the server speaks no TLS; kUnauthorized when it does not prove
// to be the host; kForbidden when it wants a client certificate; kUnavailable when it can't be
// reached, breaks off, answers no HTTP/1.1, or the waker is set; and kOverloaded when it takes too
// long.
Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout, const HttpOptions& options = {});

// The answer at the start of `bytes`; nullopt while more must come. `ended`: nothing will.
// Fails kUnavailable for what is no answer, or over `most` bytes. Pure.
Result<std::optional<HttpAnswer>> read_answer(std::string_view bytes, bool ended,
                                              std::size_t most = kMaxAnswerBytes);

// The same for HttpOptions::status_only.
Result<std::optional<HttpAnswer>> read_status(std::string_view bytes, bool ended);

}  // namespace signet::client
