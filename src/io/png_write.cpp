#include <ostream>
#include <utility>

#include <png.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>

#include "io/png_error.h"

namespace ferplus {
namespace {

struct Encoder {
  PngFailure failure;
  std::vector<char> output;
  png_structp png = nullptr;
  png_infop info = nullptr;

  Encoder() = default;
  ~Encoder() { png_destroy_write_struct(&png, &info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

bool append(std::vector<char>& output, const char* data, std::size_t size) noexcept {
  try {
    output.insert(output.end(), data, data + size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

extern "C" void ferplus_png_write(png_structp png, png_bytep data, std::size_t size) {
  auto* output = static_cast<std::vector<char>*>(png_get_io_ptr(png));
  if (!append(*output, reinterpret_cast<const char*>(data), size)) png_error(png, "out of memory");
}
extern "C" void ferplus_png_flush(png_structp) {}

bool encode(Encoder& encoder, const std::uint8_t* pixels, png_uint_32 width, png_uint_32 height,
            int channels) {
  if (setjmp(png_jmpbuf(encoder.png)) != 0) return false;
  png_set_write_fn(encoder.png, &encoder.output, ferplus_png_write, ferplus_png_flush);
  png_set_IHDR(encoder.png, encoder.info, width, height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(encoder.png, encoder.info);
  for (png_uint_32 y = 0; y < height; ++y) {
    png_write_row(encoder.png, pixels + std::size_t{y} * width * static_cast<unsigned>(channels));
  }
  png_write_end(encoder.png, encoder.info);
  return true;
}

std::vector<char> encode(const std::string& name, const std::uint8_t* pixels, int width, int height,
                         int channels) {
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide) {
    throw file_error(name, 0, concat("cannot write an image of ", width, "x", height, " pixels"));
  }
  Encoder encoder;
  encoder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder.failure, ferplus_png_error,
                                        ferplus_png_warning);
  if (encoder.png != nullptr) encoder.info = png_create_info_struct(encoder.png);
  if (encoder.info == nullptr) throw file_error(name, 0, "cannot start libpng");
  if (!encode(encoder, pixels, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
              channels)) {
    throw file_error(name, 0, concat("cannot write PNG: ", encoder.failure.text));
  }
  return std::move(encoder.output);
}

void write(const std::filesystem::path& path, const std::vector<char>& bytes) {
  write_file_atomically(path, [&](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace

std::vector<char> encode_png(const std::uint8_t* pixels, int width, int height,
                             const std::string& name) {
  return encode(name, pixels, width, height, 1);
}

void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, int width,
               int height) {
  write(path, encode(path.string(), pixels, width, height, 1));
}

void write_png(const std::filesystem::path& path, const ColorImage& image) {
  write(path, encode(path.string(), image.pixels.data(), image.width, image.height, 3));
}

}  // namespace ferplus
