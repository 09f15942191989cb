// Forward discrete Fourier transform of real sequences, single precision (FFTW).
//
// A RealFft is immutable and safe from any thread; each thread brings its own Buffers. Plans are
// made and destroyed behind one mutex, as FFTW requires.
#ifndef ANTIPHON_CORE_FEATURES_REAL_FFT_H_
#define ANTIPHON_CORE_FEATURES_REAL_FFT_H_

#include <complex>
#include <memory>
#include <span>

namespace antiphon::features {

class RealFft {
 public:
  // `length` samples, a power of two.
  explicit RealFft(int length);
  ~RealFft();
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  // Memory aligned as FFTW likes it.
  class Buffers {
   public:
    explicit Buffers(int length);
    ~Buffers();
    Buffers(const Buffers&) = delete;
    Buffers& operator=(const Buffers&) = delete;

    std::span<float> samples() const { return {samples_, static_cast<size_t>(length_)}; }
    std::span<std::complex<float>> spectrum() const {
      return {spectrum_, static_cast<size_t>(length_ / 2 + 1)};
    }

   private:
    int length_;
    float* samples_;
    std::complex<float>* spectrum_;
  };

  int length() const { return length_; }

  // spectrum()[j] = Σ_n samples()[n]·exp(-2πi·j·n/length), j = 0 … length/2. Leaves samples()
  // undefined.
  void Transform(Buffers& buffers) const;

 private:
  int length_;
  void* plan_;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_REAL_FFT_H_
