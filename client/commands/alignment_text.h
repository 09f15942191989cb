// An alignment as text: tables for people, and the formats of other programs. Free of state; texts
// have been made printable.
#ifndef ANTIPHON_CLIENT_COMMANDS_ALIGNMENT_TEXT_H_
#define ANTIPHON_CLIENT_COMMANDS_ALIGNMENT_TEXT_H_

#include <string>

#include "antiphon/v1/retrieval.pb.h"
#include "client/cli/arguments.h"

namespace antiphon::client {

// What of an alignment is written, and how. All functions: `offset_s` is added to times of the
// recording.

// Passages, and a line for each `each`.
std::string AlignmentTable(const v1::AlignResponse& response, double offset_s, AlignUnit each);

// Tab-separated, the first line names the columns. Bars and beats: seconds, bar, beat, pass,
// quarters, bpm, doubt, passage. Notes: onset, offset, pitch, name, part, quarters, doubt, passage.
std::string AlignmentTsv(const v1::AlignResponse& response, double offset_s, AlignUnit each);

// A label track of Audacity: start, end and label, tab-separated.
std::string AlignmentLabels(const v1::AlignResponse& response, double offset_s, AlignUnit each);

// A layer of time instants of Sonic Visualiser: seconds and label, comma-separated.
std::string AlignmentInstants(const v1::AlignResponse& response, double offset_s, AlignUnit each);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_ALIGNMENT_TEXT_H_
