#include "signet/commands/audit_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

Error disk_failure(const std::string& path) {
  return failure(ErrorCode::kUnavailable, "disk",
                 path + " can't be written: " + std::strerror(errno));
}

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using InputFile = std::unique_ptr<std::FILE, CloseFile>;

Result<InputFile> open_input(const std::string& path) {
  if (path == "-") return InputFile(stdin);
  InputFile file(std::fopen(path.c_str(), "rbe"));
  if (file != nullptr) return file;
  if (errno == ENOENT) {
    return failure(ErrorCode::kNotFound, "file_missing", "there is no file " + path);
  }
  return failure(ErrorCode::kUnavailable, "file_unreadable",
                 path + " can't be read: " + std::strerror(errno));
}

Error too_long(const std::string& path) {
  return failure(ErrorCode::kMalformed, "file_too_long", path + " is longer than any such file");
}

// Pieces until the end; `take` is not called again after it failed.
Status each_piece(const std::string& path, const std::function<Status(std::string_view)>& take) {
  SIGNET_TRY(const InputFile file, open_input(path));
  std::array<char, kPiece> piece;
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    SIGNET_TRY([[maybe_unused]] const Done taken, take({piece.data(), size}));
  }
  if (std::ferror(file.get()) == 0) return Done{};
  return failure(ErrorCode::kUnavailable, "file_unreadable",
                 path + " can't be read: " + std::strerror(errno));
}

}  // namespace

Result<GrowingFile> GrowingFile::create(const std::string& path) {
  const std::string unfinished = path + ".part";
  const int descriptor =
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::FILE* file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb");
  if (file != nullptr) return GrowingFile(path, file);
  const Error failed = disk_failure(path);
  if (descriptor >= 0) ::close(descriptor);
  return failed;
}

GrowingFile::~GrowingFile() {
  if (file_ != nullptr) ::unlink(unfinished().c_str());
}

Status GrowingFile::append(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size()) return Done{};
  return disk_failure(path_);
}

Status GrowingFile::keep() {
  const bool written = std::fflush(file_.get()) == 0 && ::fsync(::fileno(file_.get())) == 0;
  if (!written || ::rename(unfinished().c_str(), path_.c_str()) != 0) return disk_failure(path_);
  file_.reset();
  return Done{};
}

Status each_line(const std::string& path, std::size_t most,
                 const std::function<Status(std::string_view)>& take) {
  std::string begun;  // a line whose end is still to come
  Status read = each_piece(path, [&](std::string_view piece) -> Status {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
         end = piece.find('\n')) {
      begun.append(piece.substr(0, end));
      piece.remove_prefix(end + 1);
      SIGNET_TRY([[maybe_unused]] const Done taken, take(begun));
      begun.clear();
    }
    begun.append(piece);
    return begun.size() <= most ? Status(Done{}) : Status(too_long(path));
  });
  if (!read.ok()) return read;
  return begun.empty() ? Status(Done{}) : take(begun);
}

Result<std::string> whole_file(const std::string& path, std::size_t most) {
  std::string text;
  const Status read = each_piece(path, [&](std::string_view piece) -> Status {
    text.append(piece);
    return text.size() <= most ? Status(Done{}) : Status(too_long(path));
  });
  if (!read.ok()) return read.error();
  return text;
}

}  // namespace signet::cli
