#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE
#include <cstring>

#include <jerror.h>
#include <jpeglib.h>

#include <ferplus/core/error.h>
#include <ferplus/io/image.h>

#include "io/decode.h"
#include "io/exif.h"

namespace ferplus {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr long kMostLibraryBytes = 224L << 20;
constexpr int kMostScans = 100;

// libjpeg reports errors by longjmp, which must not cross a frame with destructors: functions that
// call it with setjmp hold plain data only, return whether they succeeded, and leave the reason
// here.
struct JpegFailure {
  jpeg_error_mgr manager{};  // first: libjpeg hands out its address
  std::jmp_buf jump{};
  char text[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void fail(j_common_ptr jpeg) {
  auto* failure = reinterpret_cast<JpegFailure*>(jpeg->err);
  jpeg->err->format_message(jpeg, failure->text);
  std::longjmp(failure->jump, 1);
}

extern "C" {
[[noreturn]] void ferplus_jpeg_error(j_common_ptr jpeg) { fail(jpeg); }

void ferplus_jpeg_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;  // a trace
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:  // between segments: no pixel is lost
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return;
    default:
      fail(jpeg);
  }
}

void ferplus_jpeg_output(j_common_ptr) {}

void ferplus_jpeg_progress(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMostScans) return;
  auto* failure = reinterpret_cast<JpegFailure*>(jpeg->err);
  std::snprintf(failure->text, sizeof failure->text, "more than %d scans", kMostScans);
  std::longjmp(failure->jump, 1);
}
}

struct Decoder {
  JpegFailure failure;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct jpeg{};

  Decoder() {
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = ferplus_jpeg_error;
    failure.manager.emit_message = ferplus_jpeg_message;
    failure.manager.output_message = ferplus_jpeg_output;
    progress.progress_monitor = ferplus_jpeg_progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

bool read_header(Decoder& decoder, const unsigned char* data, unsigned long size) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.progress = &decoder.progress;
  decoder.jpeg.mem->max_memory_to_use = kMostLibraryBytes;
  jpeg_save_markers(&decoder.jpeg, kExifMarker, 0xffff);
  jpeg_mem_src(&decoder.jpeg, data, size);
  jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

bool start(Decoder& decoder) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_start_decompress(&decoder.jpeg);
  return true;
}

// CMYK as Adobe stores it, 255 for no ink, over the paper's white.
void put_inks(const std::uint8_t* inks, std::uint8_t* to, int channels) {
  std::uint8_t rgb[3];
  for (int c = 0; c < 3; ++c) {
    rgb[c] = static_cast<std::uint8_t>((inks[c] * inks[3] + 127) / 255);
  }
  if (channels == 1) {
    *to = luma(rgb[0], rgb[1], rgb[2]);
  } else {
    std::memcpy(to, rgb, sizeof rgb);
  }
}

// `row` has room for one row as libjpeg hands it out.
bool read_rows(Decoder& decoder, std::uint8_t* row, std::uint8_t* to, int channels) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const bool inks = jpeg.out_color_space == JCS_CMYK;
  const std::size_t row_size = std::size_t{jpeg.output_width} * static_cast<std::size_t>(channels);
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* line = to + row_size * jpeg.output_scanline;
    JSAMPROW target = inks ? row : line;
    jpeg_read_scanlines(&jpeg, &target, 1);
    for (std::size_t x = 0; inks && x < jpeg.output_width; ++x) {
      put_inks(row + 4 * x, line + x * static_cast<std::size_t>(channels), channels);
    }
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

void choose_output(jpeg_decompress_struct& jpeg, int channels, const std::string& name) {
  switch (jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_YCbCr:
    case JCS_RGB:
      jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
      return;
    case JCS_CMYK:
    case JCS_YCCK:
      jpeg.out_color_space = JCS_CMYK;
      return;
    default:
      throw file_error(name, 0,
                       concat("JPEG image of ", jpeg.num_components,
                              " colour components; gray, RGB and CMYK are read"));
  }
}

int orientation_of(const jpeg_decompress_struct& jpeg) {
  constexpr char kExif[6] = {'E', 'x', 'i', 'f', 0, 0};
  for (auto* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->marker != kExifMarker || marker->data_length < sizeof kExif ||
        std::memcmp(marker->data, kExif, sizeof kExif) != 0) {
      continue;
    }
    return tiff_orientation(
        std::as_bytes(std::span(marker->data + sizeof kExif, marker->data_length - sizeof kExif)));
  }
  return kUpright;
}

}  // namespace

bool jpeg_available() { return true; }

Pixels decode_jpeg(std::span<const std::byte> bytes, const std::string& name, int channels,
                   int& orientation) {
  Decoder decoder;
  const auto check = [&](bool succeeded) {
    if (!succeeded) throw file_error(name, 0, concat("bad JPEG image: ", decoder.failure.text));
  };
  check(read_header(decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  check_image_size(jpeg.image_width, jpeg.image_height, "JPEG", name);
  // A block of 64 pixels takes a bit at the least, but for arithmetic coding: a shorter file cannot
  // hold what it claims.
  constexpr std::size_t kMostPixelsPerByte = 8 * 64;
  const std::size_t count = std::size_t{jpeg.image_width} * jpeg.image_height;
  if (!jpeg.arith_code && count / kMostPixelsPerByte > bytes.size()) {
    throw file_error(
        name, 0,
        concat("bad JPEG image: ", bytes.size(), " bytes cannot hold ", jpeg.image_width, "x",
               jpeg.image_height, " pixels; the file is cut short"));
  }
  choose_output(jpeg, channels, name);
  orientation = orientation_of(jpeg);
  check(start(decoder));
  Pixels pixels{.values = std::vector<std::uint8_t>(count * static_cast<std::size_t>(channels)),
                .width = static_cast<int>(jpeg.image_width),
                .height = static_cast<int>(jpeg.image_height),
                .channels = channels};
  std::vector<std::uint8_t> row(jpeg.out_color_space == JCS_CMYK ? 4UL * jpeg.output_width : 0);
  check(read_rows(decoder, row.data(), pixels.values.data(), channels));
  return pixels;
}

}  // namespace ferplus
