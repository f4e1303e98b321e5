// The one-dimensional transforms of F(2, 3) and F(4, 3) (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, CVPR 2016), included by winograd_impl.inl.
//
// A Cook-Toom algorithm for m outputs of a filter of 3 taps has n = m + 2 interpolation points
// p_0 … p_{n-2} and infinity: y = A'[(G g) * (B' d)] with A'[i][j] = p_j^i, G[j][k] = p_j^k / N_j,
// N_j = product over l != j of (p_j - p_l), row j of B' the coefficients of the product over
// l != j of (x - p_l); at infinity A' and G have 1 at their highest power and B' the coefficients
// of the product over all l. Points ±p share the even and the odd part of their polynomials.
//
// F(2): 0, 1, -1, infinity. F(4): 0, ±3/4, ±3/2, infinity, which round half as much as 0, ±1, ±2,
// infinity and keep A and B exact. For points 0, ±p, ±q: the rows of B' are
//   0: (x² - p²)(x² - q²), ±p: x(x ± p)(x² - q²), infinity: x(x² - p²)(x² - q²)
// and N_0 = p²q², N_±p = 2p²(p² - q²).

// A transform's coordinates are computed in groups: 0, the pairs of ±points, infinity. Group g is
// coordinates kFirst[g] … kFirst[g + 1] - 1. The functions below write one group in one dimension;
// x(i) is value i of what is transformed.
struct Filtering2 {
  static constexpr int kTile = 2, kSize = 4, kGroups = 3;
  static constexpr int kFirst[kGroups + 1] = {0, 1, 3, 4};

  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void input(Values x, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = x(0) - x(2);
    } else if constexpr (kGroup == 1) {
      out[0] = x(1) + x(2);
      out[1] = x(2) - x(1);
    } else {
      out[0] = x(3) - x(1);
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void output_gradient(Values y, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = y(0);
    } else if constexpr (kGroup == 1) {
      out[0] = y(0) + y(1);
      out[1] = y(0) - y(1);
    } else {
      out[0] = y(1);
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void weights(Values g, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = g(0);
    } else if constexpr (kGroup == 1) {
      const Vector even = broadcast(0.5f) * (g(0) + g(2)), odd = broadcast(0.5f) * g(1);
      out[0] = even + odd;
      out[1] = even - odd;
    } else {
      out[0] = g(2);
    }
  }
  static inline __attribute__((always_inline)) void output(const Vector* m, Vector* y) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
  static inline __attribute__((always_inline)) void weights_gradient(const Vector* u, Vector* g) {
    const Vector even = broadcast(0.5f) * (u[1] + u[2]), odd = broadcast(0.5f) * (u[1] - u[2]);
    g[0] = u[0] + even;
    g[1] = odd;
    g[2] = u[3] + even;
  }
};

struct Filtering4 {
  static constexpr int kTile = 4, kSize = 6, kGroups = 4;
  static constexpr int kFirst[kGroups + 1] = {0, 1, 3, 5, 6};
  static constexpr float kP = 0.75f, kQ = 1.5f;
  static constexpr float kP2 = kP * kP, kQ2 = kQ * kQ;
  // 1 / N at 0, ±p and ±q.
  static constexpr double kNorm0 = 1.0 / (double{kP2} * kQ2);
  static constexpr double kNormP = 1.0 / (2.0 * kP2 * (double{kP2} - kQ2));
  static constexpr double kNormQ = 1.0 / (2.0 * kQ2 * (double{kQ2} - kP2));

  // (x² - p²)(x² - q²) on values at even distances.
  static inline __attribute__((always_inline)) Vector outer(Vector x0, Vector x2, Vector x4) {
    return multiply_add(broadcast(kP2 * kQ2), x0, multiply_add(broadcast(-(kP2 + kQ2)), x2, x4));
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void input(Values x, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = outer(x(0), x(2), x(4));
    } else if constexpr (kGroup == 3) {
      out[0] = outer(x(1), x(3), x(5));
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ, kOther2 = kGroup == 1 ? kQ2 : kP2;
      const Vector even = multiply_add(broadcast(-kOther2), x(2), x(4));
      const Vector odd = multiply_add(broadcast(-kPoint * kOther2), x(1), broadcast(kPoint) * x(3));
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void output_gradient(Values y, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = y(0);
    } else if constexpr (kGroup == 3) {
      out[0] = y(3);
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ;
      const Vector even = multiply_add(broadcast(kPoint * kPoint), y(2), y(0));
      const Vector odd =
          multiply_add(broadcast(kPoint * kPoint * kPoint), y(3), broadcast(kPoint) * y(1));
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void weights(Values g, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = broadcast(static_cast<float>(kNorm0)) * g(0);
    } else if constexpr (kGroup == 3) {
      out[0] = g(2);
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ;
      constexpr double kNorm = kGroup == 1 ? kNormP : kNormQ;
      const Vector even = broadcast(static_cast<float>(kNorm)) *
                          multiply_add(broadcast(kPoint * kPoint), g(2), g(0));
      const Vector odd = broadcast(static_cast<float>(kNorm * kPoint)) * g(1);
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  static inline __attribute__((always_inline)) void output(const Vector* m, Vector* y) {
    const Vector even_p = m[1] + m[2], odd_p = m[1] - m[2];
    const Vector even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + (even_p + even_q);
    y[1] = multiply_add(broadcast(kP), odd_p, broadcast(kQ) * odd_q);
    y[2] = multiply_add(broadcast(kP2), even_p, broadcast(kQ2) * even_q);
    y[3] = multiply_add(broadcast(kP2 * kP), odd_p, multiply_add(broadcast(kQ2 * kQ), odd_q, m[5]));
  }
  static inline __attribute__((always_inline)) void weights_gradient(const Vector* u, Vector* g) {
    const Vector even_p = broadcast(static_cast<float>(kNormP)) * (u[1] + u[2]);
    const Vector even_q = broadcast(static_cast<float>(kNormQ)) * (u[3] + u[4]);
    const Vector odd_p = broadcast(static_cast<float>(kNormP * kP)) * (u[1] - u[2]);
    const Vector odd_q = broadcast(static_cast<float>(kNormQ * kQ)) * (u[3] - u[4]);
    g[0] = multiply_add(broadcast(static_cast<float>(kNorm0)), u[0], even_p + even_q);
    g[1] = odd_p + odd_q;
    g[2] = multiply_add(broadcast(kP2), even_p, multiply_add(broadcast(kQ2), even_q, u[5]));
  }
};
