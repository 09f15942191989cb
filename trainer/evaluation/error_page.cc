#include "trainer/evaluation/error_page.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr char kStyle[] =
    "body{font:15px/1.4 sans-serif;margin:2em auto;max-width:1500px;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:left;border-bottom:1px "
    "solid #ddd}"
    "section{border-top:2px solid #888;margin-top:2.5em}figure{margin:.5em "
    "0;display:inline-block;width:49%}"
    "img{width:100%;border:1px solid #ccc}figcaption{font-weight:bold}svg{border:1px solid "
    "#ccc;background:#fff}"
    ".right{color:#06c}.named{color:#c30}";

constexpr double kWidth = 720, kHeight = 220, kLeft = 46, kBottom = 24;

struct Axes {
  double x0 = 0, x1 = 1, y0 = 0, y1 = 1;
  double X(double x) const {
    return kLeft + (x - x0) / std::max(1e-9, x1 - x0) * (kWidth - kLeft - 8);
  }
  double Y(double y) const {
    return kHeight - kBottom - (y - y0) / std::max(1e-9, y1 - y0) * (kHeight - kBottom - 8);
  }
};

// Two series over the query's time; a line through them or dots.
std::string Plot(const std::string& caption, const ErrorCase& error, const Axes& axes, bool dots,
                 double PieceSimilarity::*at, float PieceSimilarity::*similarity) {
  std::string svg = absl::StrFormat(
      "<figure><figcaption>%s</figcaption><svg viewBox='0 0 %g %g' width='%g' height='%g'>",
      HtmlText(caption), kWidth, kHeight, kWidth, kHeight);
  for (int i = 0; i <= 4; ++i) {
    const double y = axes.y0 + (axes.y1 - axes.y0) * i / 4,
                 x = axes.x0 + (axes.x1 - axes.x0) * i / 4;
    absl::StrAppendFormat(&svg, "<line x1='%g' x2='%g' y1='%.1f' y2='%.1f' stroke='#ddd'/>", kLeft,
                          kWidth - 8, axes.Y(y), axes.Y(y));
    absl::StrAppendFormat(&svg, "<text x='4' y='%.1f' font-size='11'>%.4g</text>", axes.Y(y) + 4,
                          y);
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%g' font-size='11'>%.3g s</text>", axes.X(x) - 8,
                          kHeight - 6, x);
  }
  for (const auto& [series, colour] :
       {std::pair(&error.right, "#06c"), std::pair(&error.named, "#c30")}) {
    std::string points;
    for (const PieceSimilarity& point : *series) {
      const double x = axes.X(point.query_s),
                   y = axes.Y(at ? point.*at : static_cast<double>(point.*similarity));
      if (dots) {
        absl::StrAppendFormat(&svg,
                              "<circle cx='%.1f' cy='%.1f' r='%.1f' fill='%s' fill-opacity='.6'/>",
                              x, y, 1 + 4 * std::max(0.0f, point.similarity), colour);
      } else {
        absl::StrAppendFormat(&points, "%.1f,%.1f ", x, y);
      }
    }
    if (!dots)
      absl::StrAppendFormat(
          &svg, "<polyline points='%s' fill='none' stroke='%s' stroke-width='2'/>", points, colour);
  }
  return svg + "</svg></figure>\n";
}

std::string Plots(const ErrorCase& error) {
  if (error.right.empty() && error.named.empty()) return "";
  Axes similarity{0, 1, -0.2, 1}, place{0, 1, 0, 1};
  for (const auto* series : {&error.right, &error.named}) {
    for (const PieceSimilarity& point : *series) {
      similarity.x1 = place.x1 = std::max(place.x1, point.query_s);
      place.y1 = std::max(place.y1, point.reference_s);
    }
  }
  return Plot("similarity of the nearest window, over the query's time", error, similarity, false,
              nullptr, &PieceSimilarity::similarity) +
         Plot("where in the piece (seconds) that window lies; a straight line is a passage", error,
              place, true, &PieceSimilarity::reference_s, nullptr);
}

std::string Picture(const std::string& caption, const std::string& png) {
  if (png.empty()) return "";
  return absl::StrCat("<figure><figcaption>", caption, "</figcaption><img alt='", caption,
                      "' src='data:image/png;base64,", Base64(png), "'></figure>\n");
}

}  // namespace

std::string Base64(const std::string& bytes) { return absl::Base64Escape(bytes); }

std::string HtmlText(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&quot;"}});
}

std::string ErrorPage(const std::string& heading, int queries,
                      const std::vector<std::pair<metrics::ErrorKind, int>>& counts,
                      const std::vector<ErrorCase>& cases) {
  int errors = 0;
  for (const auto& [kind, count] : counts) errors += count;
  std::string html =
      absl::StrCat("<!doctype html><html lang='en'><meta charset='utf-8'><title>",
                   HtmlText(heading), "</title><style>", kStyle, "</style><h1>", HtmlText(heading),
                   "</h1><p>", errors, " of ", queries, " answers are wrong; ", cases.size(),
                   " are shown.</p><table><tr><th>kind</th><th>errors</th></tr>");
  for (const auto& [kind, count] : counts) {
    absl::StrAppend(&html, "<tr><td>", HtmlText(metrics::KindName(kind)), "</td><td>", count,
                    "</td></tr>");
  }
  html +=
      "</table><p>In the plots, <b class='right'>blue</b> is the right piece and <b "
      "class='named'>red</b> the one "
      "named.</p>\n";
  for (const ErrorCase& error : cases) {
    absl::StrAppend(&html, "<section><h2>", HtmlText(metrics::KindName(error.kind)), ": ",
                    HtmlText(error.title), "</h2><table>");
    for (const auto& [name, value] : error.details) {
      absl::StrAppend(&html, "<tr><td>", HtmlText(name), "</td><td>", HtmlText(value),
                      "</td></tr>");
    }
    absl::StrAppend(&html, "</table>\n", Picture("the query and what was played", error.played_png),
                    Picture("the query and the passage named", error.named_png), Plots(error),
                    "</section>\n");
  }
  return html + "</html>\n";
}

}  // namespace antiphon::trainer::evaluation
