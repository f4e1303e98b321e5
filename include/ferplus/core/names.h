// Help for names that were mistyped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferplus {

// Edit distance with transpositions of neighbours (optimal string alignment), capital letters equal
// to small ones.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Those of `names` that `name` may have meant, nearest first, at most `most`; none that are further
// away than a third of the name's length plus one.
std::vector<std::string_view> nearest_names(std::string_view name,
                                            const std::vector<std::string_view>& names,
                                            std::size_t most = 3);

// "unknown mode 'magority': did you mean majority? (majority, probability, …)".
std::string unknown_name(std::string_view kind, std::string_view name,
                         const std::vector<std::string_view>& names);

}  // namespace ferplus
