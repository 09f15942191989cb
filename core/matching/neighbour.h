// A window of a query and a window of the collection that lies near it. Plain values.
#ifndef ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_
#define ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_

namespace antiphon::matching {

// A window of the query and one of its nearest neighbours. Windows may reach beyond the ends of
// query and source.
struct Neighbour {
  int window = 0;  // place in the query
  int source = 0;
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double query_tempo_ratio = 1.0;
  double reference_tempo_ratio = 1.0;
  float similarity = 0;

  double slope() const {
    return reference_tempo_ratio / query_tempo_ratio;
  }  // seconds of the source per second of the query
  double query_middle_s() const { return (query_start_s + query_end_s) / 2; }
  double reference_middle_s() const { return (reference_start_s + reference_end_s) / 2; }
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_
