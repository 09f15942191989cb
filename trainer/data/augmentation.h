// Makes a spectrogram window sound like another room, microphone or piano. Levels are half decibels
// (features::LevelFromMagnitude). Pure functions of their random generator; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_AUGMENTATION_H_
#define ANTIPHON_TRAINER_DATA_AUGMENTATION_H_

#include <cstdint>
#include <random>
#include <span>

namespace antiphon::trainer::data {

// A smooth random gain over the bands, `deviation_db` at each of a few slow cosines. `window` is
// [frames, bands].
void Equalise(std::span<uint8_t> window, int bands, double deviation_db, std::mt19937_64& random);

// A floor of noise, tilted over the bands, 20 to 60 dB under the window's loudest cell.
void AddNoiseFloor(std::span<uint8_t> window, int bands, std::mt19937_64& random);

// Silences a run of up to an eighth of the bands, or of the frames.
void Mask(std::span<uint8_t> window, int bands, std::mt19937_64& random);

// Silences up to half of the frames, at the beginning or at the end: as where a recording begins or
// ends.
void Cut(std::span<uint8_t> window, int bands, std::mt19937_64& random);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_AUGMENTATION_H_
