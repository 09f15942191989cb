#include "core/features/real_fft.h"

#include <fftw3.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace antiphon::features {
namespace {

// Guards FFTW's planner, which is global; executing plans needs no lock.
absl::Mutex& PlannerMutex() {
  static absl::Mutex* const mutex = new absl::Mutex;
  return *mutex;
}

}  // namespace

RealFft::Buffers::Buffers(int length)
    : length_(length),
      samples_(fftwf_alloc_real(length)),
      spectrum_(reinterpret_cast<std::complex<float>*>(fftwf_alloc_complex(length / 2 + 1))) {}

RealFft::Buffers::~Buffers() {
  fftwf_free(samples_);
  fftwf_free(spectrum_);
}

// FFTW_ESTIMATE and not FFTW_MEASURE: measured plans differ from run to run, and with them the last
// bits of every feature.
RealFft::RealFft(int length) : length_(length) {
  Buffers buffers(length);
  absl::MutexLock lock(&PlannerMutex());
  plan_ = fftwf_plan_dft_r2c_1d(length, buffers.samples().data(),
                                reinterpret_cast<fftwf_complex*>(buffers.spectrum().data()),
                                FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
}

RealFft::~RealFft() {
  absl::MutexLock lock(&PlannerMutex());
  fftwf_destroy_plan(static_cast<fftwf_plan>(plan_));
}

void RealFft::Transform(Buffers& buffers) const {
  fftwf_execute_dft_r2c(static_cast<fftwf_plan>(plan_), buffers.samples().data(),
                        reinterpret_cast<fftwf_complex*>(buffers.spectrum().data()));
}

}  // namespace antiphon::features
