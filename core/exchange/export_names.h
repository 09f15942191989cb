// Names of files for ids, which may be anything: safe on any file system, and no two alike, also
// where upper and lower case are the same. An instance belongs to one thread.
#ifndef ANTIPHON_CORE_EXCHANGE_EXPORT_NAMES_H_
#define ANTIPHON_CORE_EXCHANGE_EXPORT_NAMES_H_

#include <set>
#include <string>
#include <string_view>

namespace antiphon::exchange {

// What the name of a sound file ends in, by its contents, with the dot: one of
// audio::SoundFileEndings(), or ".bin" where the format is not known.
std::string SoundEnding(std::string_view content);

// The same of a score (notation::EndingOf); ".mid" where its format is not known.
std::string ScoreEnding(std::string_view content);

// Of one folder.
class ExportNames {
 public:
  // The id with its ending, where it consists of letters, digits, '.', '-' and '_' of ASCII, is a
  // name that no system keeps for itself, and is not taken. Otherwise what is safe of it and digits
  // of its SHA-256. At most 200 bytes. Requires another id at each call, and an ending of
  // SoundEnding or ScoreEnding.
  std::string NameFor(std::string_view id, std::string_view ending);

 private:
  bool Take(const std::string& name);

  std::set<std::string> taken_;  // in lower case
};

}  // namespace antiphon::exchange

#endif  // ANTIPHON_CORE_EXCHANGE_EXPORT_NAMES_H_
