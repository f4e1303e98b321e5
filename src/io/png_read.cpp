#include <cstring>
#include <utility>

#include <png.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>

#include "io/decode.h"
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
  std::uint8_t palette[256][4] = {};
};

std::uint8_t over_black(unsigned value, unsigned alpha) {
  return static_cast<std::uint8_t>((value * alpha + 127) / 255);
}

// One pixel of 1 to 4 channels (gray, gray and alpha, RGB, RGBA) as gray or RGB. `to` may be where
// `from` is.
void put_pixel(const std::uint8_t* from, int from_channels, std::uint8_t* to, int channels) {
  const bool colour = from_channels >= 3;
  const unsigned alpha = from_channels % 2 == 0 ? from[from_channels - 1] : 255;
  const std::uint8_t red = from[0], green = from[colour ? 1 : 0], blue = from[colour ? 2 : 0];
  if (channels == 1) {
    to[0] = over_black(colour ? luma(red, green, blue) : red, alpha);
  } else {
    to[0] = over_black(red, alpha);
    to[1] = over_black(green, alpha);
    to[2] = over_black(blue, alpha);
  }
}

void read_palette(Decoder& decoder, Layout& layout) {
  png_colorp colours = nullptr;
  png_bytep alphas = nullptr;
  int alpha_count = 0;
  png_get_PLTE(decoder.png, decoder.info, &colours, &layout.palette_size);
  png_get_tRNS(decoder.png, decoder.info, &alphas, &alpha_count, nullptr);
  for (int i = 0; i < layout.palette_size; ++i) {
    std::uint8_t* entry = layout.palette[i];
    entry[0] = colours[i].red;
    entry[1] = colours[i].green;
    entry[2] = colours[i].blue;
    entry[3] = i < alpha_count ? alphas[i] : 255;
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

// What `from` says of pixel i becomes `channels` values, in place: forwards where pixels shrink,
// backwards where they grow.
template <typename From>
void convert(std::vector<std::uint8_t>& pixels, std::size_t count, int from_channels, int channels,
             From&& from) {
  const auto from_size = static_cast<std::size_t>(from_channels);
  const auto size = static_cast<std::size_t>(channels);
  if (size > from_size) pixels.resize(count * size);
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t i = size > from_size ? count - 1 - n : n;
    from(pixels.data() + i * from_size, pixels.data() + i * size);
  }
  pixels.resize(count * size);
  if (size < from_size) pixels.shrink_to_fit();
}

void look_up(std::vector<std::uint8_t>& pixels, const Layout& layout, int channels,
             const std::string& name) {
  convert(pixels, pixels.size(), 1, channels, [&](const std::uint8_t* from, std::uint8_t* to) {
    if (*from >= layout.palette_size) {
      throw file_error(name, 0,
                       concat("bad PNG image: palette index ", int{*from}, ", but the palette has ",
                              layout.palette_size, " colours"));
    }
    put_pixel(layout.palette[*from], 4, to, channels);
  });
}

void merge_channels(std::vector<std::uint8_t>& pixels, std::size_t count, int from_channels,
                    int channels) {
  if (from_channels == channels) return;
  convert(pixels, count, from_channels, channels, [&](const std::uint8_t* from, std::uint8_t* to) {
    put_pixel(from, from_channels, to, channels);
  });
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
  check_image_size(width, height, "PNG", name);
}

}  // namespace

Pixels decode_png(std::span<const std::byte> bytes, const std::string& name, int channels) {
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
  Pixels image{.values = std::vector<std::uint8_t>(layout.row * layout.height),
               .width = static_cast<int>(layout.width),
               .height = static_cast<int>(layout.height),
               .channels = channels};
  if (!read_rows(decoder, layout, image.values.data())) fail();
  if (layout.palette_size > 0) {
    look_up(image.values, layout, channels, name);
  } else {
    merge_channels(image.values, std::size_t{layout.width} * layout.height, layout.channels,
                   channels);
  }
  return image;
}

GrayImage read_png(std::span<const std::byte> bytes, const std::string& name) {
  Pixels image = decode_png(bytes, name, 1);
  return {std::move(image.values), image.width, image.height};
}

GrayImage read_png(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_png(file.bytes(), path.string());
}

}  // namespace ferplus
