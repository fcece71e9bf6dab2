#include "core/io/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mrcnn {
namespace {

using State = std::array<uint32_t, 8>;

// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::array<uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t load_big_endian(const std::byte* bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return __builtin_bswap32(word);
}

// FIPS 180-4, section 6.2.2, for `blocks` consecutive blocks of 64 bytes.
void compress_plain(State& state, const std::byte* data, size_t blocks) {
  std::array<uint32_t, 64> w;
  for (; blocks > 0; --blocks, data += 64) {
    for (size_t t = 0; t < 16; ++t) w[t] = load_big_endian(data + 4 * t);
    for (size_t t = 16; t < 64; ++t) {
      const uint32_t x = w[t - 15];
      const uint32_t y = w[t - 2];
      const uint32_t sigma0 = std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3);
      const uint32_t sigma1 = std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10);
      w[t] = w[t - 16] + sigma0 + w[t - 7] + sigma1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t t = 0; t < 64; ++t) {
      const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + kRound[t] + w[t];
      const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const State step = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += step[i];
  }
}

#if defined(__x86_64__)
// The same with the SHA extensions. They keep the state as (a,b,e,f) and (c,d,g,h), most
// significant word first, and do two rounds per instruction.
__attribute__((target("sha,sse4.1"))) void compress_sha_extensions(State& state,
                                                                   const std::byte* data,
                                                                   size_t blocks) {
  const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef = _mm_set_epi32(static_cast<int>(state[0]), static_cast<int>(state[1]),
                               static_cast<int>(state[4]), static_cast<int>(state[5]));
  __m128i cdgh = _mm_set_epi32(static_cast<int>(state[2]), static_cast<int>(state[3]),
                               static_cast<int>(state[6]), static_cast<int>(state[7]));
  for (; blocks > 0; --blocks, data += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i w[4];  // a window of 16 message words
    for (int i = 0; i < 4; ++i) {
      const auto* words = static_cast<const __m128i*>(static_cast<const void*>(data + 16 * i));
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(words), byte_order);
    }
    for (int group = 0; group < 16; ++group) {
      __m128i& current = w[group % 4];
      if (group >= 4) {
        const __m128i& previous = w[(group + 3) % 4];
        const __m128i middle = _mm_alignr_epi8(previous, w[(group + 2) % 4], 4);
        current = _mm_sha256msg1_epu32(current, w[(group + 1) % 4]);
        current = _mm_sha256msg2_epu32(_mm_add_epi32(current, middle), previous);
      }
      const auto* constants =
          static_cast<const __m128i*>(static_cast<const void*>(kRound.data() + 4 * group));
      const __m128i sum = _mm_add_epi32(current, _mm_load_si128(constants));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  state = {static_cast<uint32_t>(_mm_extract_epi32(abef, 3)),
           static_cast<uint32_t>(_mm_extract_epi32(abef, 2)),
           static_cast<uint32_t>(_mm_extract_epi32(cdgh, 3)),
           static_cast<uint32_t>(_mm_extract_epi32(cdgh, 2)),
           static_cast<uint32_t>(_mm_extract_epi32(abef, 1)),
           static_cast<uint32_t>(_mm_extract_epi32(abef, 0)),
           static_cast<uint32_t>(_mm_extract_epi32(cdgh, 1)),
           static_cast<uint32_t>(_mm_extract_epi32(cdgh, 0))};
}

// gcc 12's __builtin_cpu_supports does not know "sha": CPUID leaf 7, EBX bit 29.
bool has_sha_extensions() {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return __builtin_cpu_supports("sse4.1") && ((b >> 29) & 1U) != 0;
}
#endif

void compress(State& state, const std::byte* data, size_t blocks) {
#if defined(__x86_64__)
  static const bool fast = has_sha_extensions();
  if (fast) return compress_sha_extensions(state, data, blocks);
#endif
  compress_plain(state, data, blocks);
}

}  // namespace

void Sha256::update(std::span<const std::byte> bytes) {
  const size_t held = length_ % 64;
  length_ += bytes.size();
  if (held > 0) {
    const size_t taken = std::min(64 - held, bytes.size());
    std::copy_n(bytes.begin(), taken, pending_.begin() + static_cast<ptrdiff_t>(held));
    bytes = bytes.subspan(taken);
    if (held + taken < 64) return;
    compress(state_, pending_.data(), 1);
  }
  compress(state_, bytes.data(), bytes.size() / 64);
  const std::span<const std::byte> rest = bytes.last(bytes.size() % 64);
  std::copy(rest.begin(), rest.end(), pending_.begin());
}

std::array<uint8_t, 32> Sha256::finish() {
  const uint64_t bits = length_ * 8;
  std::array<std::byte, 72> tail{std::byte{0x80}};
  const size_t padding = (length_ % 64 < 56 ? 56 : 120) - length_ % 64;
  for (size_t i = 0; i < 8; ++i) tail[padding + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
  update(std::span<const std::byte>(tail).first(padding + 8));
  std::array<uint8_t, 32> digest{};
  for (size_t i = 0; i < 32; ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  Sha256 hash;
  hash.update(bytes);
  std::string text;
  for (const uint8_t byte : hash.finish()) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace mrcnn
