// Finite impulse responses: designing them from a curve of gains, and applying them by fast
// convolution. Pure functions of their arguments; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_LINEAR_FILTER_H_
#define ANTIPHON_TRAINER_DATA_LINEAR_FILTER_H_

#include <functional>
#include <span>
#include <vector>

namespace antiphon::trainer::data {

// The response of minimum phase, `length` taps (a power of two >= 64), whose gain at f Hz is
// gain_db(f) for f in (0, sample_rate / 2]. Its energy comes as early as that gain allows, so that
// onsets stay where they are. Gains are taken no lower than 100 dB under the largest. By folding
// the real cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing, chapter "Cepstrum
// analysis").
std::vector<float> MinimumPhaseResponse(const std::function<double(double)>& gain_db,
                                        int sample_rate, int length);

// Σ_k response[k]·samples[n − k] for n = 0 … samples.size() − 1: what comes after the input's end
// is left away. Overlap-add; an empty response gives silence.
std::vector<float> Convolve(std::span<const float> samples, std::span<const float> response);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_LINEAR_FILTER_H_
