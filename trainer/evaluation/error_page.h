// A page of errors for a person to look at: one HTML file with its pictures inside. Stateless; safe
// from any thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_ERROR_PAGE_H_
#define ANTIPHON_TRAINER_EVALUATION_ERROR_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "trainer/metrics/error_kinds.h"

namespace antiphon::trainer::evaluation {

// How alike a window of the query is to the most similar window of a piece, and where in the piece
// that lies.
struct PieceSimilarity {
  double query_s = 0;      // middle of the window
  float similarity = 0;    // cosine
  double reference_s = 0;  // middle of the piece's window
};

struct ErrorCase {
  metrics::ErrorKind kind = metrics::ErrorKind::kNetwork;
  std::string title;                                         // which query
  std::vector<std::pair<std::string, std::string>> details;  // name, value
  std::string played_png, named_png;                         // bytes; empty: no picture
  std::vector<PieceSimilarity> right, named;  // of the right piece and of the one named
};

// `counts` is of all errors, of which `cases` are some.
std::string ErrorPage(const std::string& heading, int queries,
                      const std::vector<std::pair<metrics::ErrorKind, int>>& counts,
                      const std::vector<ErrorCase>& cases);

std::string Base64(const std::string& bytes);  // RFC 4648
std::string HtmlText(const std::string& text);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ERROR_PAGE_H_
