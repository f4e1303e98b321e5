#include <algorithm>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/kernels/gemm.h>

#include "kernels/operands.h"

namespace ferplus {
namespace {

using test::poisoned;
using test::same_bits;
using test::Scratch;

constexpr int kCases = 500;
constexpr double kTolerance = 1e-6;

struct Case {
  Index rows, columns, depth, lda, ldb, ldc;
  bool transposed, bias, relu;
};

Case random_case(int index) {
  RandomSequence random(
      {.seed = 30, .stream = Stream::synth, .sample = static_cast<std::uint32_t>(index)});
  const auto between = [&](Index low, Index high) {
    return low + static_cast<Index>(random.below(static_cast<std::uint32_t>(high - low + 1)));
  };
  Case c{};
  c.rows = between(1, 70);
  c.columns = between(1, 100);
  c.depth = random.coin() ? between(1, 40) : between(1, 600);
  c.transposed = random.coin();
  c.bias = random.coin();
  c.relu = random.coin();
  c.lda = c.depth + between(0, 3);
  c.ldb = (c.transposed ? c.depth : c.columns) + between(0, 3);
  c.ldc = c.columns + between(0, 3);
  return c;
}

struct Operands {
  std::vector<float> a, b, bias;
  Operands(const Case& c, int index)
      : a(test::normal_values(c.rows * c.lda, static_cast<std::uint64_t>(3 * index))),
        b(test::normal_values((c.transposed ? c.columns : c.depth) * c.ldb,
                              static_cast<std::uint64_t>(3 * index + 1))),
        bias(test::normal_values(c.columns, static_cast<std::uint64_t>(3 * index + 2))) {}
};

// c [rows, ldc], NaN where gemm should not write. Starts at row first_row of a.
std::vector<float> run_gemm(const Case& c, const Operands& operands, Index first_row, Index rows) {
  Scratch packed(packed_bytes(c.depth, c.columns));
  Scratch workspace(gemm_workspace_bytes(thread_count()));
  auto result = poisoned(rows * c.ldc);
  pack(c.depth, c.columns, operands.b.data(), c.ldb,
       c.transposed ? Transposed::yes : Transposed::no, packed.data());
  gemm(rows, c.columns, c.depth, operands.a.data() + first_row * c.lda, c.lda, packed.data(),
       result.data(), c.ldc, workspace.data(),
       {.bias = c.bias ? operands.bias.data() : nullptr, .relu = c.relu});
  EXPECT_TRUE(packed.intact() && workspace.intact());
  return result;
}

class Gemm : public ::testing::Test {
 protected:
  ~Gemm() override { set_thread_count(threads_); }

 private:
  test::RestoreIsa restore_;
  int threads_ = thread_count();
};

TEST_F(Gemm, MatchesTheDefinition) {
  for (int index = 0; index < kCases; ++index) {
    const Case c = random_case(index);
    const Operands operands(c, index);
    const auto at = [](const std::vector<float>& values, Index i) {
      return static_cast<double>(values[static_cast<std::size_t>(i)]);
    };
    std::vector<double> reference;
    for (Index i = 0; i < c.rows; ++i) {
      for (Index j = 0; j < c.columns; ++j) {
        double sum = c.bias ? at(operands.bias, j) : 0.0;
        for (Index d = 0; d < c.depth; ++d) {
          sum += at(operands.a, i * c.lda + d) *
                 at(operands.b, c.transposed ? j * c.ldb + d : d * c.ldb + j);
        }
        reference.push_back(c.relu ? std::max(sum, 0.0) : sum);
      }
    }
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      const auto result = run_gemm(c, operands, 0, c.rows);
      std::vector<float> dense;
      for (Index i = 0; i < c.rows; ++i) {
        dense.insert(dense.end(), result.begin() + i * c.ldc,
                     result.begin() + i * c.ldc + c.columns);
        for (Index j = c.columns; j < c.ldc; ++j)
          ASSERT_TRUE(std::isnan(at(result, i * c.ldc + j)));
      }
      ASSERT_LE(test::relative_error(dense, reference, static_cast<double>(c.depth)), kTolerance)
          << isa << ", case " << index << ": " << c.rows << 'x' << c.columns << 'x' << c.depth;
    }
  }
}

TEST_F(Gemm, ARowHasTheSameBitsAloneAndWithAnyNumberOfThreads) {
  for (int index = 0; index < kCases; index += 5) {
    const Case c = random_case(index);
    const Operands operands(c, index);
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      set_thread_count(1);
      const auto all = run_gemm(c, operands, 0, c.rows);
      for (Index row = 0; row < c.rows; row += 7) {
        const auto alone = run_gemm(c, operands, row, 1);
        ASSERT_EQ(std::memcmp(alone.data(), all.data() + row * c.ldc,
                              static_cast<std::size_t>(c.columns) * sizeof(float)),
                  0);
      }
      for (int threads : {2, 4}) {
        set_thread_count(threads);
        ASSERT_TRUE(same_bits(run_gemm(c, operands, 0, c.rows), all));
      }
    }
  }
}

std::vector<float> run_gemm_transposed(const Case& c, Index depth, const float* a, Index lda,
                                       const float* b, Index ldb) {
  Scratch workspace(gemm_transposed_workspace_bytes(depth, thread_count()));
  auto result = poisoned(c.rows * c.ldc);
  gemm_transposed(c.rows, c.columns, depth, a, lda, b, ldb, result.data(), c.ldc, workspace.data());
  EXPECT_TRUE(workspace.intact());
  return result;
}

TEST_F(Gemm, TransposedMatchesTheDefinitionAndTheTree) {
  for (int index = 0; index < kCases; ++index) {
    const Case c = random_case(index);
    const Index depth = std::min<Index>(c.depth, 100);
    const Index lda = c.rows + index % 3, ldb = c.columns + index % 4;
    const auto a = test::normal_values(depth * lda, static_cast<std::uint64_t>(index));
    const auto b = test::normal_values(depth * ldb, static_cast<std::uint64_t>(index + kCases));
    std::vector<double> reference;
    for (Index i = 0; i < c.rows; ++i) {
      for (Index j = 0; j < c.columns; ++j) {
        double sum = 0.0;
        for (Index d = 0; d < depth; ++d) {
          sum += static_cast<double>(a[static_cast<std::size_t>(d * lda + i)]) *
                 static_cast<double>(b[static_cast<std::size_t>(d * ldb + j)]);
        }
        reference.push_back(sum);
      }
    }
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      set_thread_count(1);
      const auto result = run_gemm_transposed(c, depth, a.data(), lda, b.data(), ldb);
      std::vector<float> dense;
      for (Index i = 0; i < c.rows; ++i) {
        dense.insert(dense.end(), result.begin() + i * c.ldc,
                     result.begin() + i * c.ldc + c.columns);
        for (Index j = c.columns; j < c.ldc; ++j) {
          ASSERT_TRUE(std::isnan(result[static_cast<std::size_t>(i * c.ldc + j)]));
        }
      }
      ASSERT_LE(test::relative_error(dense, reference, static_cast<double>(depth)), kTolerance);

      std::vector<std::vector<float>> parts;
      for (Index first = 0; first < depth; first += kMicroBatch) {
        parts.push_back(run_gemm_transposed(c, std::min(kMicroBatch, depth - first),
                                            a.data() + first * lda, lda, b.data() + first * ldb,
                                            ldb));
      }
      tree_combine(static_cast<Index>(parts.size()), 1, [&](Index to, Index from) {
        for (std::size_t i = 0; i < parts[0].size(); ++i) {
          parts[static_cast<std::size_t>(to)][i] += parts[static_cast<std::size_t>(from)][i];
        }
      });
      ASSERT_TRUE(same_bits(result, parts[0])) << isa << ", case " << index;
      if (index % 5 != 0) continue;
      for (int threads : {2, 4}) {
        set_thread_count(threads);
        ASSERT_TRUE(same_bits(run_gemm_transposed(c, depth, a.data(), lda, b.data(), ldb), result));
      }
    }
  }
}

}  // namespace
}  // namespace ferplus
