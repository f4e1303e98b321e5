#include "logging.h"

#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

namespace ferplus::tool {
namespace {

std::string prefix(spdlog::level::level_enum level) {
  if (level == spdlog::level::warn) return "warning: ";
  return level >= spdlog::level::err ? "error: " : "";
}

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ConsoleSink(Console& console) : console_(console) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    console_.line(prefix(message.level) + harmless(text));
  }
  void flush_() override {}

  Console& console_;
};

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const LogOptions& options, Console& console) {
  auto logger = std::make_shared<spdlog::logger>("ferplus");
  auto console_sink = std::make_shared<ConsoleSink>(console);
  console_sink->set_level(options.quiet ? spdlog::level::warn : spdlog::level::info);
  logger->sinks().push_back(console_sink);
  if (!options.file.empty()) {
    try {
      auto file_sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file.string(),
                                                                           !options.append);
      file_sink->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
      logger->sinks().push_back(file_sink);
    } catch (const spdlog::spdlog_ex& error) {
      throw file_error(options.file, 0, fmt::format("cannot open the log: {}", error.what()));
    }
  }
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace ferplus::tool
