#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/detect/face_detector.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

TEST(Detection, WithoutTheComponentTheMissingPackageIsNamed) {
  if (detection_available()) GTEST_SKIP() << "this build finds faces";
  EXPECT_THAT(message_of<Error>([] { make_face_detector(); }),
              ::testing::HasSubstr("install libdlib-dev"));
}

TEST(Detection, PosesHaveNames) {
  EXPECT_EQ(pose_name(FacePose::front), "front");
  EXPECT_EQ(pose_name(FacePose::tilted_right), "tilted right");
}

}  // namespace
}  // namespace ferplus
