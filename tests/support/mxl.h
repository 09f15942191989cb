// Containers of MusicXML (.mxl) and other zip archives, for tests.
//
// Stateless.
#ifndef ANTIPHON_TESTS_SUPPORT_MXL_H_
#define ANTIPHON_TESTS_SUPPORT_MXL_H_

#include <string>
#include <vector>

namespace antiphon::testing {

struct MxlEntry {
  std::string name;
  std::string contents;
};

// A zip archive with these entries, deflated, in this order.
std::string MakeMxl(const std::vector<MxlEntry>& entries);

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_MXL_H_
