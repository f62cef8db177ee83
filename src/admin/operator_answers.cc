#include "admin/operator_answers.h"

#include "wire/json.h"

namespace signet::admin {
namespace {

net::HttpResponse json_of(int status, std::string body) {
  return {status, "application/json", {{"Cache-Control", "no-store"}}, std::move(body)};
}

}  // namespace

net::HttpResponse failed(int status, std::string_view code, std::string_view detail) {
  wire::JsonWriter json;
  json.object().key("ok").value(false).key("error").value(code).key("detail").value(detail).end();
  return json_of(status, json.take());
}

net::HttpResponse succeeded(std::string body) { return json_of(200, std::move(body)); }

net::HttpResponse answer_of(const Status& status) {
  if (status.ok()) return succeeded(R"({"ok":true})");
  const std::string& detail = status.error().detail;
  switch (status.error().code) {
    case ErrorCode::kNotFound:
      return failed(404, "not_found", detail);
    case ErrorCode::kForbidden:
      return failed(403, "denied", detail);
    case ErrorCode::kConflict:
      return failed(409, "conflict", detail);
    case ErrorCode::kMalformed:
      return failed(400, "bad_request", detail);
    case ErrorCode::kUnauthorized:
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kBug:
      break;
  }
  return failed(503, "unavailable", detail);
}

}  // namespace signet::admin
