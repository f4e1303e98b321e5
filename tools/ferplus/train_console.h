// Training as people see it: log lines and a progress bar on the console, train.log in the folder.
#pragma once

#include <string>

#include <ferplus/data/dataset.h>
#include <ferplus/train/trainer.h>

namespace ferplus::tool {

// As train(), which stops at interrupt_flag(); `quiet` leaves warnings alone on the console. A
// profile, if options ask for it, goes to standard output at the end. An
// interrupted run says that `resume_command` goes on with it. What train() throws is written to the
// run's log as well, if the run had begun.
TrainResult train_on_console(const Dataset& dataset, const RunConfig& config,
                             const TrainOptions& options, bool quiet,
                             const std::string& resume_command);

}  // namespace ferplus::tool
