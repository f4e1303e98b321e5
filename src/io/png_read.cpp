#include <cstring>

#include <png.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>

#include "io/png_error.h"

namespace ferplus {
namespace {

// Signature, then the header chunk: length, "IHDR", width, height, five bytes, checksum.
constexpr std::size_t kHeaderEnd = 33;

struct Source {
  const std::byte* data;
  std::size_t left;
};

// What libpng works on; destroyed with it.
struct Decoder {
  PngFailure failure;
  Source source{};
  png_structp png = nullptr;
  png_infop info = nullptr;

  Decoder() = default;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

extern "C" void ferplus_png_read(png_structp png, png_bytep to, std::size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->left) png_error(png, "the file is cut short");
  std::memcpy(to, source->data, size);
  source->data += size;
  source->left -= size;
}

// How the file stores a row, and how libpng is to hand it out: 8 bits, 1 to 4 channels, or, of a
// palette, indices.
struct Layout {
  png_uint_32 width = 0, height = 0;
  std::size_t stored_row = 0, row = 0;
  int channels = 0, passes = 0;
  int palette_size = 0;  // 0: not of a palette
  std::uint8_t palette[256] = {};
};

std::uint8_t luma(unsigned red, unsigned green, unsigned blue) {
  return static_cast<std::uint8_t>((19595U * red + 38470U * green + 7471U * blue + 32768U) >> 16);
}

std::uint8_t over_black(unsigned gray, unsigned alpha) {
  return static_cast<std::uint8_t>((gray * alpha + 127) / 255);
}

void read_palette(Decoder& decoder, Layout& layout) {
  png_colorp colours = nullptr;
  png_bytep alphas = nullptr;
  int alpha_count = 0;
  png_get_PLTE(decoder.png, decoder.info, &colours, &layout.palette_size);
  png_get_tRNS(decoder.png, decoder.info, &alphas, &alpha_count, nullptr);
  for (int i = 0; i < layout.palette_size; ++i) {
    const std::uint8_t gray = luma(colours[i].red, colours[i].green, colours[i].blue);
    layout.palette[i] = i < alpha_count ? over_black(gray, alphas[i]) : gray;
  }
}

bool start(Decoder& decoder, Layout& layout) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_set_user_limits(decoder.png, kMaxImageSide, kMaxImageSide);
  // Only palette and transparency matter besides the image; text or profiles may be broken or vast.
  png_set_keep_unknown_chunks(decoder.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_benign_errors(decoder.png, 0);
  png_set_read_fn(decoder.png, &decoder.source, ferplus_png_read);
  png_read_info(decoder.png, decoder.info);
  layout.width = png_get_image_width(decoder.png, decoder.info);
  layout.height = png_get_image_height(decoder.png, decoder.info);
  layout.stored_row = png_get_rowbytes(decoder.png, decoder.info);
  if (png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_PALETTE) {
    // libpng's own expansion takes indices past the palette for black.
    read_palette(decoder, layout);
    png_set_packing(decoder.png);
  } else {
    png_set_expand(decoder.png);
    png_set_scale_16(decoder.png);
  }
  layout.passes = png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  layout.channels = png_get_channels(decoder.png, decoder.info);
  layout.row = png_get_rowbytes(decoder.png, decoder.info);
  return true;
}

bool read_rows(Decoder& decoder, const Layout& layout, std::uint8_t* pixels) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  for (int pass = 0; pass < layout.passes; ++pass) {
    for (png_uint_32 y = 0; y < layout.height; ++y) {
      png_read_row(decoder.png, pixels + y * layout.row, nullptr);
    }
  }
  png_read_end(decoder.png, nullptr);
  return true;
}

// In place: a gray pixel never lies behind the channels that it comes from.
void merge_channels(std::vector<std::uint8_t>& pixels, std::size_t count, int channels) {
  if (channels == 1) return;
  const bool colour = channels >= 3, alpha = channels % 2 == 0;
  const std::uint8_t* from = pixels.data();
  for (std::size_t i = 0; i < count; ++i, from += channels) {
    const std::uint8_t gray = colour ? luma(from[0], from[1], from[2]) : from[0];
    pixels[i] = alpha ? over_black(gray, from[channels - 1]) : gray;
  }
  pixels.resize(count);
  pixels.shrink_to_fit();
}

void look_up(std::vector<std::uint8_t>& pixels, const Layout& layout, const std::string& name) {
  for (std::uint8_t& pixel : pixels) {
    if (pixel >= layout.palette_size) {
      throw file_error(name, 0,
                       concat("bad PNG image: palette index ", int{pixel}, ", but the palette has ",
                              layout.palette_size, " colours"));
    }
    pixel = layout.palette[pixel];
  }
}

std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  }
  return value;
}

// Before libpng sees the file, for better messages than its own.
void check_header(std::span<const std::byte> bytes, const std::string& name) {
  constexpr unsigned char kSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (bytes.empty()) throw file_error(name, 0, "is empty, expected a PNG image");
  if (bytes.size() < sizeof kSignature ||
      std::memcmp(bytes.data(), kSignature, sizeof kSignature) != 0) {
    throw file_error(name, 0, "is not a PNG image");
  }
  if (bytes.size() < kHeaderEnd) throw file_error(name, 0, "bad PNG image: the file is cut short");
  if (std::memcmp(bytes.data() + 12, "IHDR", 4) != 0) {
    throw file_error(name, 0, "bad PNG image: does not begin with IHDR");
  }
  const std::uint32_t width = big_endian(bytes, 16), height = big_endian(bytes, 20);
  if (width == 0 || height == 0) {
    throw file_error(name, 0, concat("bad PNG image: has ", width, "x", height, " pixels"));
  }
  if (width > kMaxImageSide || height > kMaxImageSide ||
      std::int64_t{width} * height > kMaxImagePixels) {
    throw file_error(name, 0,
                     concat("image of ", width, "x", height, " pixels; at most ", kMaxImageSide,
                            " a side and ", kMaxImagePixels, " in all are read"));
  }
}

}  // namespace

GrayImage read_png(std::span<const std::byte> bytes, const std::string& name) {
  check_header(bytes, name);
  Decoder decoder;
  decoder.source = {bytes.data(), bytes.size()};
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder.failure, ferplus_png_error,
                                       ferplus_png_warning);
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) throw file_error(name, 0, "cannot start libpng");
  const auto fail = [&] {
    throw file_error(name, 0, concat("bad PNG image: ", decoder.failure.text));
  };
  Layout layout;
  if (!start(decoder, layout)) fail();
  // Deflate shrinks at most 1032-fold: a shorter file cannot hold what it claims.
  constexpr std::size_t kMaxDeflateRatio = 1032;
  if (layout.stored_row * layout.height / kMaxDeflateRatio > bytes.size()) {
    throw file_error(name, 0,
                     concat("bad PNG image: ", bytes.size(), " bytes cannot hold ", layout.width,
                            "x", layout.height, " pixels; the file is cut short"));
  }
  GrayImage image;
  image.width = static_cast<int>(layout.width);
  image.height = static_cast<int>(layout.height);
  image.pixels.resize(layout.row * layout.height);
  if (!read_rows(decoder, layout, image.pixels.data())) fail();
  if (layout.palette_size > 0) look_up(image.pixels, layout, name);
  merge_channels(image.pixels, std::size_t{layout.width} * layout.height, layout.channels);
  return image;
}

GrayImage read_png(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_png(file.bytes(), path.string());
}

}  // namespace ferplus
