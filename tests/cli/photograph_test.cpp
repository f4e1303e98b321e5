// predict and doctor on photographs of drawn faces: what they take, what they write, what they do
// with files that are no pictures.
#include "support/photograph.h"

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <ferplus/detect/face_detector.h>
#include <ferplus/io/png.h>
#include <ferplus/nn/model_file.h>

#include "annotate.h"
#include "cli/command.h"
#include "diagnosis.h"
#include "support/shared.h"

namespace ferplus {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

void write(const fs::path& path, const GrayImage& image) {
  write_png(path, image.pixels.data(), image.width, image.height);
}

// A network that nothing was taught, and pictures: photos/a.png with two faces, photos/wall.png
// with none, photos/below/face.png, 48 pixels of face.
class Photographs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const Network network = build_model("vgg_mini");
    Parameters parameters(network);
    initialize(network, parameters, Initialization::glorot_uniform, 1);
    save_model(*folder_ / "model", network, parameters, {});
    fs::create_directories(*folder_ / "photos/below");
    const Dataset drawn = synthesize({.count = 40, .seed = 1});
    GrayImage wall = gray_wall(500, 300);
    write(*folder_ / "photos/wall.png", wall);
    const std::vector<std::size_t> faces = recognised(drawn);
    set_face(wall, drawn, faces[0], 300, 80, 2.5);
    set_face(wall, drawn, faces[1], 60, 80, 2.5);
    write(*folder_ / "photos/a.png", wall);
    const ImageView face = drawn.image(drawn.samples[faces[0]]);
    write_png(*folder_ / "photos/below/face.png", face.pixels, face.width, face.height);
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::vector<std::size_t> recognised(const Dataset& drawn) {
    if (!detection_available()) return {0, 1};
    const auto detector = make_face_detector();
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; indices.size() < 2; ++i) {
      GrayImage wall = gray_wall(500, 300);
      set_face(wall, drawn, i, 60, 80, 2.5);
      if (detector->detect(wall.view()).size() == 1) indices.push_back(i);
    }
    return indices;
  }

  static std::string path(const std::string& name) { return *folder_ / name; }
  static CommandResult predict(const std::vector<std::string>& more,
                               const std::string& standard_input = "/dev/null") {
    std::vector<std::string> arguments = {"predict", "--model", path("model")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_ferplus(arguments, {}, standard_input);
  }
  static std::vector<std::string> images_of(const std::string& json_lines) {
    std::vector<std::string> images;
    for (const std::string& line : lines_of(json_lines)) {
      images.push_back(json::parse(line).at("image"));
    }
    return images;
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Photographs, FoldersStandForAllPicturesBelowThem) {
  write_text(path("photos/notes.txt"), "no picture");
  write_text(path("photos/.hidden.png"), "no picture");
  const CommandResult result = predict({path("photos"), "--jsonl", "-"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(
      images_of(result.out),
      ElementsAre(path("photos/a.png"), path("photos/below/face.png"), path("photos/wall.png")));
  fs::remove(path("photos/notes.txt"));
  fs::remove(path("photos/.hidden.png"));
}

TEST_F(Photographs, WithoutDetectPicturesThatAreNoFacesAreRemarkedOn) {
  const CommandResult result = predict({path("photos")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("2 of 3 pictures are far from square"));
  EXPECT_THAT(predict({path("photos"), "--quiet"}).err, IsEmpty());
  EXPECT_THAT(predict({path("photos/below")}).err, Not(HasSubstr("square")));
}

TEST_F(Photographs, NamesDoNotCommandTheTerminal) {
  const std::string name = path("\x1b[31mred.png");
  fs::copy_file(path("photos/below/face.png"), name);
  for (const std::string& image : {name, path("\x1b[31mmissing.png")}) {
    const CommandResult result = predict({image});
    EXPECT_THAT(result.out + result.err, AllOf(HasSubstr("?[31m"), Not(HasSubstr("\x1b"))));
  }
  fs::remove(name);
}

TEST_F(Photographs, PatternsAndListsNameFiles) {
  EXPECT_THAT(images_of(predict({path("photos/*l.png"), "--jsonl", "-"}).out),
              ElementsAre(path("photos/wall.png")));
  write_text(path("list"), path("photos/wall.png") + "\r\n\n" + path("photos/a.png"));
  const CommandResult listed =
      predict({path("photos/below"), "-", path("photos/wall.png"), "--jsonl", "-"}, path("list"));
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(images_of(listed.out),
              ElementsAre(path("photos/below/face.png"), path("photos/wall.png"),
                          path("photos/a.png"), path("photos/wall.png")));
}

TEST_F(Photographs, OutputsReplaceNoPicture) {
  const std::string picture = path("photos/below/face.png"), before = read_text(picture);
  write_text(path("list"), path("photos/wall.png") + "\n" + picture);
  for (const std::string& named : {path("photos"), path("photos/below/*.png"), std::string("-")}) {
    for (const char* format : {"--csv", "--jsonl"}) {
      const CommandResult result = predict({named, format, picture}, path("list"));
      EXPECT_EQ(result.exit_code, 2) << named;
      EXPECT_THAT(result.err, AnyOf(HasSubstr("is read here"), HasSubstr("one of the pictures")));
      EXPECT_EQ(read_text(picture), before) << named;
    }
  }
  for (int i = 0; i < 2; ++i) {  // its own may be replaced
    EXPECT_EQ(predict({path("photos"), "--csv", path("photos/faces.csv")}).exit_code, 0);
  }
  fs::remove(path("photos/faces.csv"));
}

TEST_F(Photographs, CopiesReplaceNoPicture) {
  const TemporaryFolder folder;
  for (const char* name : {"a.png", "a.png.png"}) {
    fs::copy_file(path("photos/below/face.png"), folder / name);
  }
  const std::string before = read_text(folder / "a.png.png");
  const CommandResult result = predict({folder.path(), "--out-dir", folder.path()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("a.png.png is one of the pictures"), HasSubstr("--out-dir")));
  EXPECT_EQ(read_text(folder / "a.png.png"), before);
  EXPECT_TRUE(fs::exists(folder / "a.png.png.png"));
}

// What else goes to the terminal in between begins a line of its own.
TEST_F(Photographs, JsonComesInWholeLines) {
  const auto lines = lines_of(predict({path("photos"), "--json"}).out);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines.front(), "[");
  EXPECT_EQ(lines.back(), "]");
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(lines[i].starts_with("  {") && lines[i].ends_with(i < 3 ? "}," : "}")) << lines[i];
  }
  EXPECT_EQ(predict({path("nothing.png"), path("nowhere.png"), "--json"}).out.substr(0, 4),
            "[\n  ");
}

TEST_F(Photographs, ASignalEndsTheWaitForTheList) {
  const TemporaryFolder folder;
  const std::string list = folder / "list";
  ASSERT_EQ(mkfifo(list.c_str(), 0600), 0);
  const int writer = open(list.c_str(), O_RDWR | O_CLOEXEC);
  const std::string line = path("photos/below/face.png") + "\nhalf a path";
  ASSERT_EQ(::write(writer, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  const CommandResult result =
      interrupt_ferplus({"predict", "--model", path("model"), "-", "--csv", folder / "faces.csv",
                         "--out-dir", folder / "copies"},
                        folder / "copies/face.png.png", SIGTERM, list);
  close(writer);
  EXPECT_EQ(result.exit_code, 143);
  EXPECT_THAT(lines_of(read_text(folder / "faces.csv")), ::testing::SizeIs(2)) << result.err;
}

TEST_F(Photographs, AFileWithWildcardsInItsNameIsThatFile) {
  fs::copy_file(path("photos/wall.png"), path("[odd]*.png"));
  EXPECT_THAT(images_of(predict({path("[odd]*.png"), "--jsonl", "-"}).out),
              ElementsAre(path("[odd]*.png")));
}

TEST_F(Photographs, RequestsThatNameNothingAreErrors) {
  fs::create_directories(path("empty"));
  for (const auto& [word, says] : std::vector<std::pair<std::string, std::string>>{
           {path("empty"), "no file that ends in .png or .jpg"},
           {path("none*.png"), "no file matches"},
           {path("none.png"), "No such file"}}) {
    const CommandResult result = predict({word});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(HasSubstr("ferplus: error: " + word), HasSubstr(says)));
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  }
  EXPECT_EQ(predict({"-", "-"}).exit_code, 2);
  EXPECT_EQ(predict({"x.png", "--json", "--csv", "-"}).exit_code, 2);
  EXPECT_EQ(predict({"x.png", "--smallest-face", "30"}).exit_code, 2);
}

TEST_F(Photographs, ABadFileIsReportedAndPassedOver) {
  write_text(path("bad.jpg"), "no picture");
  const CommandResult result =
      predict({path("photos/wall.png"), path("bad.jpg"), path("photos/below/face.png"), "--json",
               "--csv", path("rows.csv"), "--jsonl", path("rows.jsonl")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("ferplus: error: " + path("bad.jpg") + ": is neither"));
  EXPECT_THAT(result.err, HasSubstr("1 failed"));
  const json array = json::parse(result.out);
  ASSERT_EQ(array.size(), 3U);
  EXPECT_EQ(array[0].at("status"), "ok");
  EXPECT_EQ(array[0].at("crop"), json({0, 0, 500, 300}));
  EXPECT_EQ(array[1].at("status"), "error");
  EXPECT_THAT(array[1].at("error").get<std::string>(), HasSubstr("is neither"));
  EXPECT_EQ(array[2].at("predictions").size(), 8U);
  const auto json_lines = lines_of(read_text(path("rows.jsonl")));
  ASSERT_EQ(json_lines.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(json::parse(json_lines[i]), array[i]);
  const auto rows = lines_of(read_text(path("rows.csv")));
  ASSERT_EQ(rows.size(), 4U);
  for (const std::string& row : rows) EXPECT_EQ(std::ranges::count(row, ','), 19) << row;
  EXPECT_THAT(rows[0], HasSubstr("image,status,face,faces,expression,probability,neutral,"));
  EXPECT_THAT(rows[1], HasSubstr("wall.png,ok,1,1,"));
  EXPECT_THAT(rows[1], HasSubstr(",0,0,500,300,,"));
  EXPECT_THAT(rows[2], HasSubstr("bad.jpg,error,,0,"));
}

TEST_F(Photographs, LinesForPeopleAreThereUnlessAFileIsWanted) {
  const CommandResult shown = predict({path("photos"), "-q"});
  EXPECT_EQ(shown.err, "");
  EXPECT_EQ(lines_of(shown.out).size(), 4U);
  EXPECT_THAT(shown.out, HasSubstr("of ten taggers would say"));
  const CommandResult written = predict({path("photos"), "--csv", path("quiet.csv")});
  EXPECT_EQ(written.out, "");
  EXPECT_THAT(written.err, HasSubstr("3 images"));
}

TEST_F(Photographs, JpegIsReadWhateverItsName) {
  if (!jpeg_available()) GTEST_SKIP() << "this build does not read JPEG";
  fs::copy_file(test_files() / "jpeg" / "orientation_6.jpg", path("turned.png"));
  const CommandResult result = predict({path("turned.png"), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)[0].at("crop"), json({0, 0, 13, 21}));
}

TEST_F(Photographs, WithoutTheComponentDetectSaysWhatIsMissing) {
  if (detection_available()) GTEST_SKIP() << "this build finds faces";
  const CommandResult result = predict({path("photos"), "--detect"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("install libdlib-dev"));
}

TEST_F(Photographs, DetectFindsFacesAndNeverGuessesWithoutOne) {
  if (!detection_available()) GTEST_SKIP() << "this build has no face detection";
  const CommandResult result =
      predict({path("photos/a.png"), path("photos/wall.png"), "--detect", "--json", "--csv",
               path("faces.csv"), "--out-dir", path("seen")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("2 faces, 1 without"));
  const json found = json::parse(result.out);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found[i].at("face"), i + 1);
    EXPECT_EQ(found[i].at("faces"), 2);
    const auto crop = found[i].at("crop").get<std::vector<int>>();
    EXPECT_NEAR(crop[0], i == 0 ? 60 : 300, 20);
    EXPECT_NEAR(crop[1], 80, 20);
    EXPECT_NEAR(crop[2] - crop[0], 120, 25);
    EXPECT_EQ(crop[2] - crop[0], crop[3] - crop[1]);
  }
  EXPECT_EQ(found[2].at("status"), "no_face");
  EXPECT_EQ(found[2].at("faces"), 0);
  EXPECT_FALSE(found[2].contains("predictions"));
  EXPECT_THAT(lines_of(read_text(path("faces.csv"))).at(3), HasSubstr("wall.png,no_face,,0,,,"));
  EXPECT_THAT(predict({path("photos/wall.png"), "--detect"}).out, HasSubstr("no_face"));

  const ColorImage seen = read_color_image(path("seen/a.png.png"));
  const GrayImage original = read_image(path("photos/a.png"));
  ASSERT_EQ(seen.width, original.width);
  const auto box = found[0].at("box").get<std::vector<std::size_t>>();
  const std::size_t corner = 3 * (box[3] - 1) * 500 + 3 * box[0];
  EXPECT_THAT(std::vector<int>(seen.pixels.begin() + static_cast<std::ptrdiff_t>(corner),
                               seen.pixels.begin() + static_cast<std::ptrdiff_t>(corner) + 3),
              ElementsAre(255, 208, 0));
  EXPECT_EQ(seen.pixels[3 * 500 * 299], original.pixels[500 * 299]);
  EXPECT_TRUE(fs::exists(path("seen/wall.png.png")));
}

TEST_F(Photographs, CopiesKeepFoldersAndNeverOverwriteOneAnother) {
  const CommandResult result = predict({path("photos"), path("photos/below/face.png"),
                                        path("photos/below/face.png"), "--out-dir", path("out")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name :
       {"a.png.png", "wall.png.png", "below/face.png.png", "face.png.png", "face.png-2.png"}) {
    EXPECT_TRUE(fs::exists(fs::path(path("out")) / name)) << name;
  }
}

TEST_F(Photographs, DoctorExaminesTheFaceThatItFinds) {
  if (!detection_available()) GTEST_SKIP() << "this build has no face detection";
  const CommandResult result =
      run_ferplus({"doctor", path("photos/a.png"), "--model", path("model"), "--input",
                   path("in.png"), "--json", "--face", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  EXPECT_EQ(found.at("faces"), 2);
  EXPECT_EQ(found.at("face"), 2);
  EXPECT_NEAR(found.at("size").get<int>(), 120, 25);
  EXPECT_NEAR(found.at("tilt").get<double>(), 0, 15);
  EXPECT_EQ(found.at("predictions").size(), 8U);
  // Nothing was taught, so no class has half of the votes.
  EXPECT_EQ(found.at("trust"), "with_care");
  EXPECT_THAT(found.at("reasons").dump(), HasSubstr("unsure"));
  const GrayImage input = read_png(path("in.png"));
  EXPECT_EQ(input.width, 64);
  EXPECT_EQ(input.height, 64);

  const json none = json::parse(run_ferplus({"doctor", path("photos/wall.png"), "--json"}).out);
  EXPECT_EQ(none.at("trust"), "no");
  EXPECT_THAT(none.at("reasons").dump(), HasSubstr("no_face"));
  EXPECT_EQ(run_ferplus({"doctor", path("photos/a.png"), "--face", "3"}).exit_code, 2);
}

TEST_F(Photographs, DoctorTakesAWholePicture) {
  const CommandResult result =
      run_ferplus({"doctor", path("photos/below/face.png"), "--no-detect"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("48x48 pixels; face: not looked for"),
                                HasSubstr("trust: with care"), HasSubstr("sharpness")));
  EXPECT_EQ(run_ferplus({"doctor", "x.png", "--no-detect", "--face", "1"}).exit_code, 2);
  EXPECT_EQ(run_ferplus({"doctor", path("model")}).exit_code, 1);
}

tool::Examination usual() {
  return {.searched = true,
          .faces = 1,
          .size = 100,
          .tilt = 3.0,
          .quality = {.laplacian_variance = 413.6, .contrast = 52, .brightness = 130, .clipped = 0},
          .probabilities = Probabilities{0.9F, 0.1F}};
}

TEST(Diagnosis, NothingSpeaksAgainstAUsualFace) {
  EXPECT_THAT(tool::examine(usual()), IsEmpty());
  EXPECT_EQ(tool::verdict({}), tool::Trust::yes);
}

TEST(Diagnosis, EveryDefectHasItsReason) {
  using tool::Examination;
  using tool::Trust;
  struct Defect {
    void (*make)(Examination&);
    Trust trust;
    const char* says;
  };
  for (const Defect& defect : std::vector<Defect>{
           {[](Examination& e) { e.faces = 0; }, Trust::no, "no face"},
           {[](Examination& e) { e.searched = false; }, Trust::with_care, "whole picture"},
           {[](Examination& e) { e.size = 31; }, Trust::with_care, "small: 31"},
           {[](Examination& e) { e.size = 19; }, Trust::no, "small: 19"},
           {[](Examination& e) { e.tilt = -21; }, Trust::with_care, "tilted by 21"},
           {[](Examination& e) { e.tilt = 41; }, Trust::no, "tilted by 41"},
           {[](Examination& e) { e.quality.laplacian_variance = 100; }, Trust::with_care,
            "blurred"},
           {[](Examination& e) { e.quality.laplacian_variance = 10; }, Trust::no, "blurred"},
           {[](Examination& e) { e.quality.laplacian_variance = 2000; }, Trust::with_care,
            "grainy"},
           {[](Examination& e) {
              e.quality = {60, 20, 130, 0};
            },
            Trust::with_care, "flat"},
           {[](Examination& e) {
              e.quality = {20, 10, 130, 0};
            },
            Trust::no, "flat"},
           {[](Examination& e) {
              e.quality = {1600, 90, 130, 0};
            },
            Trust::with_care, "harsh"},
           {[](Examination& e) { e.quality.brightness = 51; }, Trust::with_care, "dark"},
           {[](Examination& e) { e.quality.brightness = 204; }, Trust::with_care, "bright"},
           {[](Examination& e) { e.quality.clipped = 0.2; }, Trust::with_care, "clipped: 20 %"},
           {[](Examination& e) { e.quality.clipped = 0.4; }, Trust::no, "clipped: 40 %"},
           {[](Examination& e) {
              e.probabilities = Probabilities{0.4F, 0.45F};
            },
            Trust::with_care, "happiness has 45 %"}}) {
    Examination examination = usual();
    defect.make(examination);
    const auto reasons = tool::examine(examination);
    ASSERT_EQ(reasons.size(), 1U) << defect.says;
    EXPECT_THAT(reasons[0].text, HasSubstr(defect.says));
    EXPECT_EQ(tool::verdict(reasons), defect.trust) << defect.says;
  }
}

TEST(Diagnosis, TheWorstReasonComesFirst) {
  tool::Examination examination = usual();
  examination.size = 25;
  examination.quality.clipped = 0.5;
  const auto reasons = tool::examine(examination);
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_THAT(reasons[0].text, HasSubstr("clipped"));
}

TEST(Annotation, StaysWithinThePicture) {
  ColorImage image{std::vector<std::uint8_t>(3 * 40 * 30, 7), 40, 30};
  tool::draw_face(image, {-20, -20, 20, 20}, "12 contempt 100 %");
  tool::draw_face(image, {30, 20, 300, 300}, "%");
  EXPECT_EQ(image.pixels.size(), 3U * 40 * 30);
  EXPECT_EQ(image.pixels[3 * (25 * 40 + 30)], 255);
  EXPECT_EQ(image.pixels[3 * (25 * 40 + 5)], 7);
}

TEST(Annotation, LettersAreInkOnALabel) {
  ColorImage image{std::vector<std::uint8_t>(3 * 40 * 30, 7), 40, 30};
  tool::draw_note(image, "1");
  // The foot of "1": below its three middle columns, one pixel of margin around the letter.
  EXPECT_EQ(image.pixels[3 * (7 * 40 + 2)], 0);
  EXPECT_EQ(image.pixels[3 * (7 * 40 + 1)], 255);
  EXPECT_EQ(image.pixels[3 * (9 * 40 + 2)], 7);
}

}  // namespace
}  // namespace ferplus
