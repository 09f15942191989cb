#include "trainer/metrics/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace antiphon::trainer::metrics {
namespace {

constexpr int kColumnWidth = 9;

std::string FigureText(double figure) {
  return figure == std::floor(figure) && std::abs(figure) >= 2 ? absl::StrFormat("%.0f", figure)
                                                               : absl::StrFormat("%.4f", figure);
}

}  // namespace

void NoteSeconds(std::chrono::steady_clock::time_point started, Report& report) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started;
  report.settings["seconds"] = absl::StrFormat("%.0f", passed.count());
}

std::string ReportText(const Report& report) {
  std::string text = absl::StrFormat("suite %s\n", report.suite);
  for (const auto& [name, value] : report.settings)
    absl::StrAppendFormat(&text, "  %s: %s\n", name, value);
  for (const ReportTable& table : report.tables) {
    size_t width = table.title.size();
    for (const ReportRow& row : table.rows) width = std::max(width, row.name.size());
    absl::StrAppendFormat(&text, "\n%-*s", static_cast<int>(width), table.title);
    for (const std::string& column : table.columns)
      absl::StrAppendFormat(&text, " %*s", kColumnWidth, column);
    text += '\n';
    for (const ReportRow& row : table.rows) {
      absl::StrAppendFormat(&text, "%-*s", static_cast<int>(width), row.name);
      for (double figure : row.figures)
        absl::StrAppendFormat(&text, " %*s", kColumnWidth, FigureText(figure));
      text += '\n';
    }
  }
  return text;
}

std::string ReportJson(const Report& report) {
  nlohmann::ordered_json tables = nlohmann::ordered_json::array();
  for (const ReportTable& table : report.tables) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const ReportRow& row : table.rows) {
      nlohmann::ordered_json figures = nlohmann::ordered_json::object();
      for (size_t i = 0; i < row.figures.size(); ++i) figures[table.columns[i]] = row.figures[i];
      rows.push_back({{"name", row.name}, {"figures", figures}});
    }
    tables.push_back({{"title", table.title}, {"rows", rows}});
  }
  return nlohmann::ordered_json{
      {"suite", report.suite}, {"settings", report.settings}, {"tables", tables}}
      .dump(1);
}

}  // namespace antiphon::trainer::metrics
