// The sections of a page, in its order. Each is HTML of its own; empty where it has nothing to say.
#pragma once

#include <string>

#include <ferplus/report/report.h>

namespace ferplus::report {

// How far each run came.
std::string overview_section(const Report& report);
// What was asked for: what differs between runs, then what they share.
std::string settings_section(const Report& report);
std::string curves_section(const Report& report);
// The models side by side; of two or more.
std::string comparison_section(const Report& report);
// What one run's model does. `number` counts runs from 0.
std::string model_section(const Report& report, std::size_t number);
// Why runs have no such section.
std::string missing_models_section(const Report& report);
// Its mistakes as pictures.
std::string mistakes_figure(const ModelReport& model);

// "vgg13_bn, mode majority, recipe one_cycle, seed 1".
std::string run_summary(const RunConfig& config);
// "finished", "unfinished: 3 of 18 epochs", "no epoch done yet".
std::string state_text(const RunRecord& record);

// A figure that stands out: what it is, the figure, and a remark.
std::string tile(const std::string& label, const std::string& figure, const std::string& remark);
// A chart with its heading, what it shows, and the same figures as a table.
std::string figure(const std::string& heading, const std::string& chart, const std::string& remark,
                   const std::string& table);

// The style sheet.
extern const char* const kStyle;

}  // namespace ferplus::report
