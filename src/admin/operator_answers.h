// The answers of the operator's API. No page of another origin may read them.
#pragma once

#include <string>
#include <string_view>

#include "net/connection.h"
#include "signet/result.h"

namespace signet::admin {

// {"ok":false,"error":code,"detail":…}
net::HttpResponse failed(int status, std::string_view code, std::string_view detail);

// 200 with a JSON text.
net::HttpResponse succeeded(std::string body);

// What an error code means to an operator's program; {"ok":true} where there is none.
net::HttpResponse answer_of(const Status& status);

}  // namespace signet::admin
