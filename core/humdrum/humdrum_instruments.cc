#include "core/humdrum/humdrum_instruments.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace antiphon::notation {
namespace {

struct Program {
  absl::string_view word;
  int program;
};

// General MIDI's programs, counted from 0.
constexpr int kVoices = 52;

constexpr Program kCodes[] = {
    // Voices.
    {"soprn", kVoices},
    {"mezzo", kVoices},
    {"calto", kVoices},
    {"canto", kVoices},
    {"alto", kVoices},
    {"tenor", kVoices},
    {"ctenor", kVoices},
    {"barit", kVoices},
    {"bass", kVoices},
    {"vox", kVoices},
    {"male", kVoices},
    {"feme", kVoices},
    {"nfant", kVoices},
    {"quinto", kVoices},
    {"sesto", kVoices},
    {"coro", kVoices},
    // Keyboards.
    {"piano", 0},
    {"forte", 0},
    {"hpsch", 6},
    {"cemba", 6},
    {"clavi", 6},
    {"klav", 0},
    {"cemba", 6},
    {"spine", 6},
    {"virgi", 6},
    {"clest", 8},
    {"organ", 19},
    {"porta", 19},
    {"hammd", 16},
    {"harmn", 20},
    {"physh", 20},
    {"accor", 21},
    // Strings.
    {"violn", 40},
    {"viole", 42},
    {"vioda", 41},
    {"viola", 41},
    {"violb", 42},
    {"violt", 41},
    {"viols", 40},
    {"vielle", 40},
    {"gamba", 42},
    {"cello", 42},
    {"cbass", 43},
    {"viol", 42},
    {"arpa", 46},
    {"harp", 46},
    {"guitr", 24},
    {"liuto", 24},
    {"lute", 24},
    {"mando", 24},
    {"theor", 24},
    {"archl", 24},
    {"banjo", 105},
    {"sitar", 104},
    // Woodwind.
    {"flt", 73},
    {"flt_a", 73},
    {"picco", 72},
    {"recor", 74},
    {"oboe", 68},
    {"oboeD", 68},
    {"cangl", 69},
    {"clars", 71},
    {"clarp", 71},
    {"clara", 71},
    {"clarb", 71},
    {"fagot", 70},
    {"fag_c", 70},
    {"contf", 70},
    {"saxS", 64},
    {"saxA", 65},
    {"saxT", 66},
    {"saxB", 67},
    {"bagpu", 109},
    {"ocari", 79},
    {"panpi", 75},
    // Brass.
    {"tromp", 56},
    {"clrno", 56},
    {"cornt", 56},
    {"cornm", 56},
    {"flugh", 56},
    {"cor", 60},
    {"corno", 60},
    {"tromt", 57},
    {"tromb", 57},
    {"troma", 57},
    {"tuba", 58},
    {"serp", 58},
    {"ophic", 58},
    {"euph", 58},
    {"sarr", 70},
    // Percussion with pitches.
    {"timpa", 47},
    {"glock", 9},
    {"vibra", 11},
    {"xylo", 13},
    {"marim", 12},
    {"campn", 14},
    {"carln", 14},
    {"chime", 14},
};

constexpr absl::string_view kUnpitched[] = {"trngl", "bdrum", "sdrum", "drumP", "drum",    "tambn",
                                            "tambu", "caisa", "gcasa", "batte", "piatt",   "cymba",
                                            "tamtm", "gong",  "castg", "whip",  "ratchet", "bell"};

// Lower case, in the order in which they are tried: the longer ones first.
constexpr Program kNames[] = {
    {"violino", 40},
    {"violin", 40},
    {"violon ", 40},
    {"violine", 40},
    {"violoncell", 42},
    {"violone", 43},
    {"viola da gamba", 42},
    {"viola", 41},
    {"viole", 41},
    {"alto viola", 41},
    {"bratsche", 41},
    {"cello", 42},
    {"contrabas", 43},
    {"kontrabas", 43},
    {"double bass", 43},
    {"basso continuo", 19},
    {"harp", 46},
    {"arpa", 46},
    {"guitar", 24},
    {"chitarra", 24},
    {"lute", 24},
    {"liuto", 24},
    {"piccolo", 72},
    {"flaut", 73},
    {"flut", 73},
    {"fl\xc3\xbbt", 73},
    {"fl\xc3\xb6t", 73},
    {"traverso", 73},
    {"recorder", 74},
    {"blockfl", 74},
    {"hautb", 68},
    {"obo", 68},
    {"english horn", 69},
    {"corno ingl", 69},
    {"cor angl", 69},
    {"clarinet", 71},
    {"klarinet", 71},
    {"fagot", 70},
    {"bassoon", 70},
    {"basson", 70},
    {"sax", 65},
    {"cornet", 56},
    {"corn", 60},
    {"cor ", 60},
    {"horn", 60},
    {"french horn", 60},
    {"clarin", 56},
    {"tromb", 57},
    {"posaune", 57},
    {"tromp", 56},
    {"trumpet", 56},
    {"tub", 58},
    {"timp", 47},
    {"tympan", 47},
    {"pauk", 47},
    {"organ", 19},
    {"orgue", 19},
    {"orgel", 19},
    {"fundament", 19},
    {"fondament", 19},
    {"harmonium", 20},
    {"accord", 21},
    {"cembalo", 6},
    {"harpsi", 6},
    {"clavecin", 6},
    {"clavicemb", 6},
    {"celest", 8},
    {"glockensp", 9},
    {"xylo", 13},
    {"vibra", 11},
    {"marimba", 12},
    {"piano", 0},
    {"fortepiano", 0},
    {"klavier", 0},
    {"clavier", 0},
    {"soprano", kVoices},
    {"mezzo", kVoices},
    {"alto", kVoices},
    {"contralto", kVoices},
    {"tenor", kVoices},
    {"bariton", kVoices},
    {"basso", kVoices},
    {"bass", kVoices},
    {"canto", kVoices},
    {"cantus", kVoices},
    {"superius", kVoices},
    {"discant", kVoices},
    {"voice", kVoices},
    {"voce", kVoices},
    {"voix", kVoices},
    {"vox", kVoices},
    {"singstimme", kVoices},
    {"gesang", kVoices},
    {"choir", kVoices},
    {"coro", kVoices},
    {"ch\xc5\x93ur", kVoices},
    {"spiew", kVoices},
    {"\xc5\x9bpiew", kVoices},
};

absl::string_view FirstCode(absl::string_view code) {
  return code.substr(0, code.find_first_of("&|"));
}

}  // namespace

std::optional<int> ProgramOfCode(absl::string_view code) {
  const absl::string_view first = FirstCode(code);
  for (const auto& [word, program] : kCodes) {
    if (first == word) return program;
  }
  return std::nullopt;
}

bool IsUnpitchedCode(absl::string_view code) {
  const absl::string_view first = FirstCode(code);
  for (const absl::string_view word : kUnpitched) {
    if (first == word) return true;
  }
  return false;
}

std::optional<int> ProgramOfName(absl::string_view name) {
  std::string lower = absl::AsciiStrToLower(name);
  lower.erase(0, lower.find_first_not_of(" []()\"0123456789."));
  for (const auto& [word, program] : kNames) {
    if (absl::StartsWith(lower, word)) return program;
  }
  return std::nullopt;
}

}  // namespace antiphon::notation
