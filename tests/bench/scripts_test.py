"""What the scripts make of the programs that they run, and the plots that they draw."""

import contextlib
import io
import pathlib
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import compare  # noqa: E402
import index_types  # noqa: E402
import measure  # noqa: E402
import plot  # noqa: E402


class CompareTest(unittest.TestCase):

    def test_olaf_names_the_recording_with_most_matches(self):
        output = ("query_index, total_queries, query_path, query_offset, match_count, query_start, "
                  "query_stop, path, match_identifier, reference_start, reference_stop\n"
                  "1 ,2 ,q.wav, 0.000, 7 ,2.392 ,9.272, /other.flac, 38, 32.392, 39.272\n"
                  "1 ,2 ,q.wav, 0.000, 15 ,2.392 ,9.272, /right.flac, 39, 32.392, 39.272\n"
                  "2 ,2 ,r.wav, 0.000, 0 ,0.0 ,0.0, , 0, 0.0, 0.0\n")
        with tempfile.TemporaryDirectory() as folder:
            found = compare.Olaf(pathlib.Path(folder)).first(output)
        self.assertEqual(found, {"q.wav": "/right.flac"})

    def test_audfprint_names_what_matched(self):
        output = ("Matched q.wav 9.3 sec 117 raw hashes as /right.flac at   30.0 s with    58 of "
                  "   77 common hashes at rank  0\nNOMATCH r.wav 9.3 sec 80 raw hashes\n")
        self.assertEqual(compare.Audfprint(pathlib.Path(".")).first(output),
                         {"q.wav": "/right.flac"})

    def test_recall_is_the_share_of_the_exact_neighbours(self):
        count = index_types.WINDOWS, index_types.NEIGHBOURS
        exact = [[list(range(count[1]))] * count[0]]
        found = [[list(range(5, count[1] + 5))] * count[0]]
        self.assertAlmostEqual(index_types.share_found(found, exact), 0.8)
        self.assertEqual(index_types.share_found(exact, exact), 1)


    def test_a_further_excerpt_is_told_from_the_start(self):
        cost = [types.SimpleNamespace(cpu=seconds) for seconds in range(6)]
        self.assertEqual(compare.per_excerpt(cost[5], cost[2], 4), (1, 1))
        self.assertEqual(compare.per_excerpt(cost[4], cost[1], 2), (3, 0))
        self.assertEqual(compare.per_excerpt(cost[2], cost[2], 1), (None, None))
        self.assertEqual(compare.per_excerpt(cost[2], cost[3], 4), (None, None))

    def test_antiphons_answers_are_counted(self):
        excerpts = [compare.Excerpt("piece", f"/a/take{number}.flac", f"{number}.wav")
                    for number in range(3)]
        figures = {"runs": [{"sound_per_cpu_second": 400, "resident_bytes": 2**21}],
                   "recognized": [{"clip": "0.wav", "id": "take0"},
                                  {"clip": "1.wav", "id": "piece"}]}
        row = compare.row_of_antiphon(
            figures, excerpts, "identify", same_work=lambda excerpt: excerpt.piece,
            same_recording=lambda excerpt: pathlib.Path(excerpt.recording).stem)
        self.assertEqual((row["same_work"], row["same_recording"]), ("1 of 2", "1 of 2"))
        self.assertEqual((row["sound_per_cpu_second"], row["mebibytes"]), (400, 2))

    def refusal(self, *words):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            compare.parse(words)
        return said.getvalue()

    def test_what_is_missing_is_named(self):
        self.assertIn("--recording needs a --server", self.refusal("--recording", "a=a.flac"))
        self.assertIn("--index needs --queries", self.refusal("--index", "scores.faiss"))
        self.assertIn("nothing to compare", self.refusal())
        self.assertIn("--places: 0 is less than 1", self.refusal("--places", "0"))


class MeasureTest(unittest.TestCase):

    def measured(self, size):
        closed = [{"clients": 1, "cpu_ms_per_call": size, "answered_ms": {"p50": size}}]
        return closed, [], {"score_vectors": size, "recording_vectors": 0}

    def drawn(self, *sizes):
        """The points of the first series, from left to right as the line has them."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            measure.draw_cost({(str(number), 5): self.measured(size)
                               for number, size in enumerate(sizes)}, out)
            if not (out / "cost.svg").exists():
                return []
            root = xml.etree.ElementTree.parse(out / "cost.svg").getroot()
        points = root.find(".//{*}polyline").get("points").split()
        return [float(point.split(",")[0]) for point in points]

    def test_cost_is_drawn_in_the_order_of_sizes(self):
        places = self.drawn(1000, 10, 100)
        self.assertEqual(len(places), 3)
        self.assertEqual(places, sorted(places))

    def test_cost_of_one_size_is_not_drawn(self):
        self.assertEqual(self.drawn(10, 10), [])


class PlotTest(unittest.TestCase):

    def draw(self, series, **axes):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "chart.svg"
            plot.chart(path, "A < B", "x", "y", series, **axes)
            return xml.etree.ElementTree.parse(path).getroot()

    def points(self, root):
        return [line.get("points").split() for line in root.iterfind(".//{*}polyline")]

    def test_every_series_has_its_points(self):
        points = self.points(self.draw({"a": [(1, 1), (2, 4)], "b": [(1, 2)]}))
        self.assertEqual([len(line) for line in points], [2, 1])

    def test_a_logarithmic_axis_puts_ratios_at_equal_distances(self):
        [line] = self.points(self.draw({"a": [(1, 5), (10, 5), (100, 5)]}, log_x=True))
        x = [float(point.split(",")[0]) for point in line]
        self.assertAlmostEqual(x[1] - x[0], x[2] - x[1], delta=0.2)

    def test_one_value_alone_can_be_drawn(self):
        self.draw({"a": [(3, 3)]})
        self.draw({"a": [(3, 3)]}, log_x=True, log_y=True)

    def test_the_longest_name_has_room(self):
        def width(name):
            return float(self.draw({name: [(1, 1)]}).get("viewBox").split()[2])

        self.assertGreater(width("FAISS 1.15.1: IVF flat, on two threads") - width("a"), 37 * 6)

    def test_nothing_is_not_drawn(self):
        said = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
            path = pathlib.Path(folder) / "chart.svg"
            plot.chart(path, "Latency", "x", "y", {"a": []}, log_y=True)
            self.assertFalse(path.exists())
        self.assertIn("Latency: there is no point to draw", said.getvalue())


if __name__ == "__main__":
    unittest.main()
