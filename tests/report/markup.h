// A strict reader of XML without entities of its own, for pages that must be well-formed.
#pragma once

#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ferplus {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // directly in it, entities as written
};

class Markup {
 public:
  // All elements in the order of their start tags; a fault fails the test and ends the list.
  static std::vector<Element> read(const std::string& page) {
    Markup markup(page);
    if (!markup.parse()) {
      ADD_FAILURE() << markup.fault_ << " before: " << page.substr(markup.at_, 120);
    }
    return markup.elements_;
  }

 private:
  explicit Markup(const std::string& page) : page_(page) {}

  bool fail(const std::string& fault) { return fault_ = fault, false; }
  bool take(std::string_view text) {
    if (page_.compare(at_, text.size(), text) != 0) return false;
    at_ += text.size();
    return true;
  }
  std::string name() {
    const std::size_t start = at_;
    while (at_ < page_.size() && (std::isalnum(static_cast<unsigned char>(page_[at_])) != 0 ||
                                  page_[at_] == '-' || page_[at_] == ':')) {
      ++at_;
    }
    return page_.substr(start, at_ - start);
  }
  void blanks() {
    while (at_ < page_.size() && std::isspace(static_cast<unsigned char>(page_[at_])) != 0) ++at_;
  }
  // & must begin one of the five entities.
  bool sound_text(const std::string& text) {
    for (std::size_t i = text.find('&'); i != text.npos; i = text.find('&', i + 1)) {
      bool known = false;
      for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
        known = known || text.compare(i, std::string_view(entity).size(), entity) == 0;
      }
      if (!known) return fail("unknown entity");
    }
    return true;
  }

  bool start_tag() {
    Element element{.name = name(), .attributes = {}, .text = {}};
    if (element.name.empty()) return fail("tag without a name");
    for (blanks(); at_ < page_.size() && page_[at_] != '>' && page_[at_] != '/'; blanks()) {
      const std::string key = name();
      if (key.empty() || !take("=\"")) return fail("attribute without a quoted value");
      const std::size_t end = page_.find('"', at_);
      if (end == page_.npos) return fail("attribute that does not end");
      const std::string value = page_.substr(at_, end - at_);
      if (value.find('<') != value.npos) return fail("< in an attribute");
      if (!sound_text(value)) return false;
      if (!element.attributes.emplace(key, value).second) return fail("attribute twice");
      at_ = end + 1;
    }
    const bool closed = take("/");
    if (!take(">")) return fail("tag that does not end");
    elements_.push_back(element);
    if (!closed) open_.push_back(elements_.size() - 1);
    return true;
  }

  bool parse() {
    if (!take("<!DOCTYPE html>")) return fail("no document type");
    while (at_ < page_.size()) {
      if (take("</")) {
        if (open_.empty() || name() != elements_[open_.back()].name || !take(">")) {
          return fail("end tag of no open element");
        }
        open_.pop_back();
      } else if (take("<")) {
        if (!start_tag()) return false;
      } else {
        const std::size_t end = std::min(page_.find('<', at_), page_.size());
        const std::string text = page_.substr(at_, end - at_);
        if (!sound_text(text)) return false;
        if (!open_.empty()) elements_[open_.back()].text += text;
        at_ = end;
      }
    }
    return open_.empty() ? true : fail("element left open: " + elements_[open_.back()].name);
  }

  const std::string& page_;
  std::size_t at_ = 0;
  std::string fault_;
  std::vector<Element> elements_;
  std::vector<std::size_t> open_;
};

}  // namespace ferplus
