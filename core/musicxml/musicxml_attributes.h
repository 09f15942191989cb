// What the <attributes> of a part of MusicXML set: divisions, metre, key, transposition, measure
// repeats.
//
// Internal to core/musicxml. Not synchronised.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_ATTRIBUTES_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_ATTRIBUTES_H_

#include <map>

#include "absl/status/status.h"
#include "core/musicxml/musicxml_model.h"
#include "core/musicxml/musicxml_report.h"

namespace antiphon::notation {

struct XmlTransposition {
  int semitones = 0;  // from written to heard
  int doubled = 0;    // ... and once more so many semitones from there; 0: not doubled
};

class XmlAttributes {
 public:
  // Adds metres and keys to `music`. InvalidArgument on divisions that are no positive number.
  absl::Status Read(pugi::xml_node attributes, const XmlPlace& place, XmlMusic& music,
                    XmlReport& report);

  double divisions() const { return divisions_; }  // of a quarter note
  Ticks measure_length() const { return measure_length_; }
  bool transposes() const { return transposes_; }  // by anything but octaves, anywhere so far
  const XmlTransposition& TranspositionOf(int staff) const;

  // Semitones by which the key as written alters a step (0 is C).
  int AlterOf(int step) const;

  // This measure is as that so many before; 0: it isn't.
  int repeated_measures() const { return repeated_; }

 private:
  void ReadTime(pugi::xml_node time, const XmlPlace& place, XmlMusic& music, XmlReport& report);
  void ReadKey(pugi::xml_node key, const XmlPlace& place, XmlMusic& music, XmlReport& report);
  void ReadTranspose(pugi::xml_node transpose, XmlReport& report);

  double divisions_ = 1;
  Ticks measure_length_ = 4 * kTicksPerQuarter;
  int fifths_ = 0;  // as written
  bool minor_ = false;
  bool transposes_ = false;
  XmlTransposition transposition_;
  std::map<int, XmlTransposition> of_staves_;
  int repeated_ = 0;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_ATTRIBUTES_H_
