#include <cctype>
#include <numeric>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>

namespace ferplus {
namespace {

std::string join(const std::vector<std::string_view>& names, std::string_view last_separator) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? last_separator : std::string_view(", ");
    text += names[i];
  }
  return text;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [&](std::size_t i, std::size_t j) {
    return std::tolower(static_cast<unsigned char>(a[i])) ==
           std::tolower(static_cast<unsigned char>(b[j]));
  };
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min(
          {previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same(i - 1, j - 1) ? 0U : 1U)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::vector<std::string_view> nearest_names(std::string_view name,
                                            const std::vector<std::string_view>& names,
                                            std::size_t most) {
  const std::size_t limit = name.size() / 3 + 1;
  std::vector<std::string_view> near;
  for (std::string_view candidate : names) {
    if (edit_distance(name, candidate) <= limit) near.push_back(candidate);
  }
  std::stable_sort(near.begin(), near.end(), [&](std::string_view a, std::string_view b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  if (near.size() > most) near.resize(most);
  return near;
}

std::string unknown_name(std::string_view kind, std::string_view name,
                         const std::vector<std::string_view>& names) {
  std::string text = concat("unknown ", kind, " '", name, "'");
  const auto near = nearest_names(name, names);
  if (!near.empty()) text += concat(": did you mean ", join(near, " or "), "?");
  return concat(text, " (choose from ", join(names, ", "), ")");
}

}  // namespace ferplus
