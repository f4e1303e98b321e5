#include "detection_options.h"

#include <ferplus/io/image.h>

#include "validators.h"

namespace ferplus::tool {

void add_smallest_face_option(CLI::App& app, DetectorOptions& options) {
  app.add_option("--smallest-face", options.smallest_face,
                 "Look for faces of PIXELS from brows to chin and more, at least 20; small ones "
                 "take time. Default: 40, in large pictures a 25th of the longer side")
      ->type_name("PIXELS")
      ->check(whole_number(20, kMaxImageSide))
      ->group("Input");
}

}  // namespace ferplus::tool
