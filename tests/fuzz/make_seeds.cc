// Writes what the fuzz targets start from: FOLDER/TARGET/NAME, well-formed inputs made by the code
// that the tests use.
//
// Usage: fuzz_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "core/audio/encoder.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/collection/background.h"
#include "core/editing/journal_mark.h"
#include "core/exchange/export_manifest.h"
#include "core/features/settings.h"
#include "core/index/vector_index.h"
#include "core/matching/confidence.h"
#include "core/music/midi_file.h"
#include "core/testing/audio_signals.h"
#include "core/testing/clustered_vectors.h"
#include "tests/fuzz/database_edits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sample_catalog.h"
#include "tests/fuzz/sample_journal.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/mxl.h"
#include "tests/support/scores.h"

namespace antiphon::fuzz {
namespace {

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void AddMidi(const Seeds& seeds) {
  using testing::Bytes;
  using testing::MidiFile;
  using testing::MidiTrack;
  const std::string conductor = MidiTrack()
                                    .Name("Pr\xe9lude")
                                    .Tempo(0, 400'000)
                                    .Metre(0, 6, 3)
                                    .Key(0, -2, 1)
                                    .Tempo(90, 700'000)
                                    .End(500);
  const std::string piano = MidiTrack()
                                .Raw(0, Bytes({0xc0, 0}))
                                .Pedal(0, 100)
                                .On(0, 60)
                                .Raw(0, Bytes({64, 70}))
                                .Raw(129, Bytes({60, 0}))
                                .Raw(0, Bytes({0xf0, 3, 1, 2, 0xf7}))
                                .Off(20000, 64)
                                .Pedal(3, 0)
                                .On(1, 40, 1, 15)
                                .End(9);
  const std::string drums = MidiTrack().On(0, 36, 90, 9).Off(10, 36, 9).On(5, 99).Open();
  seeds.Add("midi_reader", "format0", MidiFile(0, 96, {piano}));
  seeds.Add("midi_reader", "format1",
            MidiFile(1, 480, {conductor, piano + testing::Chunk("XFIH", "alien"), drums}));
  seeds.Add("midi_reader", "format2", MidiFile(2, 24, {conductor, piano, drums}));
  seeds.Add("midi_reader", "smpte", MidiFile(1, 0xe250, {conductor, piano}));
  // Damaged and wrapped files.
  for (const auto& entry :
       std::filesystem::directory_iterator(ANTIPHON_SOURCE_DIR "/tests/cases/midi")) {
    if (entry.path().extension() != ".md")
      seeds.Add("midi_reader", entry.path().filename().string(), Contents(entry.path()));
  }
  seeds.Add("midi_reader", "gm2_and_xg",
            MidiFile(1, 96,
                     {MidiTrack()
                          .Raw(0, Bytes({0xf0, 5, 0x7e, 0x7f, 0x09, 0x03, 0xf7}))
                          .Raw(0, Bytes({0xb0, 0, 120}))
                          .Raw(0, Bytes({0xc0, 0}))
                          .On(0, 60)
                          .Raw(9, Bytes({0xf0, 8, 0x43, 0x10, 0x4c, 0, 0, 0x7e, 0, 0xf7}))
                          .Raw(0, Bytes({0xb0, 0, 127}))
                          .Raw(0, Bytes({0xc0, 0}))
                          .On(0, 60)
                          .End(9)}));
  testing::Rng rng(7);
  for (int i = 0; i < 4; ++i) {
    const auto written = music::WriteMidi(testing::RandomScore(rng));
    if (written.ok()) seeds.Add("midi_reader", "random" + std::to_string(i), *written);
  }
}

void AddHumdrum(const Seeds& seeds) {
  seeds.Add("humdrum", "piano",
            "!!!COM: A, B\n!!!OTL@@DE: C\n!!!OMD: Adagio [quarter] = 60\n"
            "**kern\t**kern\t**dynam\n*Ipiano\t*Ipiano\t*\n*k[b-e-]\t*k[b-e-]\t*\n"
            "*g:\t*g:\t*\n*M3/4\t*M3/4\t*\n*>[A,A1,A,A2]\t*\t*\n*>A\t*>A\t*\n"
            "4GG\t8qf#\t.\n=1\t=1\t=1\n*^\t*\t*\n4G: 4B-:\t2.D\t4gT\tp\n"
            "2[A\t.\t12a\t<\n.\t.\t12b-\t.\n.\t.\t12cc\t.\n.\t.\t4dsSSs\t[\n"
            "*v\t*v\t*\t*\n=2:|!\t=2:|!\t=2\n*>A1\t*>A1\t*\n2.A]\t2.d;\tsf\n"
            "=3!|:\t=3!|:\t=3\n*>A2\t*>A2\t*\n3%2GG\t4.g\tfp\n.\t8r\t.\n==\t==\t==\n"
            "*-\t*-\t*-\n");
  seeds.Add("humdrum", "choir",
            "!!!!SEGMENT: a\n**kern\t**text\t**kern\t**drum\n*I\"Basso\t*\t*ITrd1c2\t*\n"
            "*M2/2\t*\t*Trd-1c-2\t*\n*MM150\t*\t*clefG2\t*clefX\n=1-\t=1-\t=1-\t=1-\n"
            "1.C\tKy-\t0c\t4e\n=2-\t=2-\t=2-\t=2-\n.\t.\t.\t.\n2D_\trie\t.\t4Re\n"
            "*x\t*x\t*\t*+\n*\t*\t*\t*\t**kern\ne\t1r\t00c\t.\t20%3c\n==\t==\t==\t==\t==\n"
            "*-\t*-\t*-\t*-\t*-\n!!!!SEGMENT: b\n**kern\n4c\n*-\n");
}

void AddMusicXml(const Seeds& seeds) {
  const std::string head =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><score-partwise version=\"4.0\"><work><work-title>"
      "A</work-title></work><part-list><score-part id=\"P\"><part-name>Horn</part-name>"
      "<midi-instrument id=\"I\"><midi-channel>1</midi-channel><midi-program>61</midi-program>"
      "</midi-instrument></score-part></part-list><part id=\"P\">";
  const std::string first =
      "<measure number=\"0\" implicit=\"yes\"><attributes><divisions>2</divisions><key><fifths>1"
      "</fifths></key><time><beats>3</beats><beat-type>4</beat-type></time><transpose><chromatic>-7"
      "</chromatic></transpose></attributes><direction><direction-type><dynamics><p/></dynamics>"
      "</direction-type><sound tempo=\"90\"/></direction><note><grace/><pitch><step>D</step>"
      "<octave>5</octave></pitch><voice>1</voice></note><note><pitch><step>C</step><alter>1</alter>"
      "<octave>5</octave></pitch><duration>2</duration><tie type=\"start\"/><voice>1</voice>"
      "</note></measure>";
  const std::string second =
      "<measure number=\"1\"><barline location=\"left\"><ending number=\"1\" type=\"start\"/>"
      "</barline><note><pitch><step>C</step><alter>1</alter><octave>5</octave></pitch><duration>4"
      "</duration><tie type=\"stop\"/><notations><ornaments><trill-mark/></ornaments></notations>"
      "</note><note><chord/><pitch><step>E</step><octave>5</octave></pitch><duration>4</duration>"
      "</note><backup><duration>4</duration></backup><forward><duration>2</duration></forward>"
      "<note><rest/><duration>4</duration></note><direction><direction-type><words>D.C. al Fine"
      "</words></direction-type></direction><barline location=\"right\"><ending number=\"1\" "
      "type=\"stop\"/><repeat direction=\"backward\"/></barline></measure>";
  const std::string score = head + first + second + "</part></score-partwise>";
  seeds.Add("musicxml", "partwise", score);
  seeds.Add("musicxml", "timewise",
            "<score-timewise><part-list><score-part id=\"P\"/></part-list><measure number=\"1\">"
            "<part id=\"P\"><note><unpitched/><duration>1</duration></note></part></measure>"
            "</score-timewise>");
  seeds.Add("musicxml", "container",
            testing::MakeMxl({{"META-INF/container.xml",
                               "<container><rootfiles><rootfile full-path=\"a.xml\"/></rootfiles>"
                               "</container>"},
                              {"a.xml", score}}));
}

void AddAbc(const Seeds& seeds) {
  seeds.Add("abc", "tunes",
            "%abc-2.1\nU:W=!turn!\nm:~n2=(3n/o/n/\n\nX:1\nT:Caf\\'e\nC:Anon.\n+:and others\nM:6/8\n"
            "L:1/8\nQ:3/8=80\nK:Gmix =f\nD|:{/a}~G2>A [Bd-]2d|(3ABc z2-x//|1 A3:|2,4 B3 ||\n\n"
            "X:2\nM:C|\nK:C exp ^f\nZ2|[1 W^c''!D.C.!|]\n");
  seeds.Add("abc", "voices",
            "X:1\nP:A(BA)2\n%%score (1 2)\nV:1 name=\"One\" clef=treble-8\n%%MIDI program 40\n"
            "V:2 octave=-1\nK:Am\nP:A\n[V:1]A2&C2|!segno!B2|\n[V:2](&E2|D2&F2|G2&)|\nP:B\n"
            "V:1\n!coda!c>d^_e|[K:D][M:3/4+2/8][L:1/4][Q:120]e|\nV:2\ny4 \"Am\"c|\"text\"d ::\n"
            "w:la-la\n");
  for (const char* name : {"korobeiniki", "bach_invention_1"}) {
    seeds.Add("abc", name,
              Contents(std::string(ANTIPHON_SOURCE_DIR "/data/songbook/") + name + ".abc"));
  }
}

void AddAudio(const Seeds& seeds) {
  const struct {
    const char* name;
    audio::AudioFormat format;
  } formats[] = {{"wav", audio::AudioFormat::kWav},
                 {"flac", audio::AudioFormat::kFlac},
                 {"ogg", audio::AudioFormat::kOggVorbis},
                 {"mp3", audio::AudioFormat::kMp3}};
  for (const auto& [name, format] : formats) {
    const auto bytes = audio::EncodeAudio(audio::Sine(500, 0.1, 16000), format);
    if (bytes.ok())
      seeds.Add("audio_decoder", name, *bytes + '\0');  // the last byte: the whole of a file
  }
  // Forms of uncompressed sound that libsndfile reads, an empty one each: header and a few samples.
  const std::string samples(64, '\x20');
  seeds.Add("audio_decoder", "au",
            testing::BigEndianBytes(0x2e736e64, 4) + testing::BigEndianBytes(24, 4) +
                testing::BigEndianBytes(64, 4) + testing::BigEndianBytes(3, 4) +
                testing::BigEndianBytes(8000, 4) + testing::BigEndianBytes(1, 4) + samples + '\0');
  seeds.Add(
      "audio_decoder", "aiff",
      "FORM" + testing::BigEndianBytes(4 + 26 + 16 + 64, 4) + "AIFF" +
          testing::Chunk("COMM", testing::BigEndianBytes(1, 2) + testing::BigEndianBytes(32, 4) +
                                     testing::BigEndianBytes(16, 2) +
                                     testing::Bytes({0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0})) +
          testing::Chunk("SSND", testing::BigEndianBytes(0, 8) + samples) + '\0');
  seeds.Add("audio_decoder", "pcm", samples + testing::Bytes({0, 0, 0x1f, 0x40, 2, 3}));
}

void AddBundle(const Seeds& seeds) {
  const Scratch scratch;
  auto writer = bundle::BundleWriter::Create(scratch.path());
  Require(writer.ok(), "a bundle can be made");
  WriteBytes((*writer)->directory() + "/catalog.sqlite", "catalogue");
  WriteBytes((*writer)->directory() + "/scores.faiss", "scores");
  bundle::Manifest manifest;
  manifest.model_id = "model-1";
  manifest.feature_settings = features::SettingsToJson({});
  manifest.dimension = 64;
  manifest.origin = std::string(32, 'a');
  manifest.score_hop_s = manifest.recording_hop_s = 0.5;
  manifest.tempo_ratios = {0.84, 1.0, 1.19};
  Require((*writer)->Publish(manifest).ok(), "a bundle can be published");
  const std::string json = Contents(scratch.File("gen-000001/MANIFEST"));
  seeds.Add("bundle", "good", "gen-000001\n" + std::string(1, '\0') + json);
  seeds.Add("bundle", "other", "gen-000002\n" + std::string(1, '\0') + json);
  seeds.Add("bundle", "empty", "gen-000001");
}

void AddCatalog(const Seeds& seeds) {
  const Scratch scratch;
  const std::string good = SampleCatalog(scratch.File("catalog"));
  seeds.Add("catalog", "whole", good + '\0');
  seeds.Add("catalog", "whole_former",
            InFormerVersion(good, scratch.File("former"), kToFormerCatalog) + '\0');
  // Read from the end: edits and their kind, number, column, row, value.
  seeds.Add("catalog", "edit", testing::Bytes({1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 20, 0, 1}));
  seeds.Add("catalog", "text", "piece-1" + testing::Bytes({'\\', 'x', 3, 1, 1, 0, 1}));
  seeds.Add("catalog", "work", "Other" + testing::Bytes({'\\', 'x', 3, 1, 28, 0, 1}));
  seeds.Add("catalog", "text_former", "piece-1" + testing::Bytes({'\\', 'x', 3, 1, 1, 0, 2}));
}

void AddJournal(const Seeds& seeds) {
  const Scratch scratch;
  seeds.Add("journal", "whole", SampleJournal(scratch.File("journal")) + '\2');
  const std::string without_works = SampleJournal(scratch.File("without_works"), "");
  seeds.Add("journal", "whole_former",
            InFormerVersion(without_works, scratch.File("former"), kToFormerJournal) + '\2');
  // As for the catalogue; the last byte says whether the hashes are made right.
  seeds.Add("journal", "edit", testing::Bytes({1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 9, 0, 1}));
  seeds.Add("journal", "edit_hashed", testing::Bytes({1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 9, 0, 0}));
  seeds.Add("journal", "text_hashed", "piece-1" + testing::Bytes({'\\', 'x', 3, 1, 4, 0, 0}));
  seeds.Add("journal", "work_hashed", "Other" + testing::Bytes({'\\', 'x', 3, 1, 17, 0, 0}));
  seeds.Add("journal", "former_hashed", "piece-1" + testing::Bytes({'\\', 'x', 3, 1, 4, 0, 4}));
}

void AddIndexes(const Seeds& seeds) {
  const Scratch scratch;
  constexpr int kDimension = 4;
  const auto vectors = index::ClusteredUnitVectors(24, kDimension, 0, 1);
  for (const index::IndexKind kind :
       {index::IndexKind::kFlat, index::IndexKind::kHnsw, index::IndexKind::kIvf}) {
    index::IndexOptions options;
    options.kind = kind;
    options.dimension = kDimension;
    options.hnsw_links = 4;
    options.ivf_lists = options.ivf_probes = 3;
    options.threads = 1;
    const std::string path = scratch.File("index");
    const auto built = index::VectorIndex::Build(options, vectors);
    Require(built.ok() && (*built)->Save(path).ok(), "an index can be made");
    seeds.Add("index", std::string(index::IndexKindName(kind)), Contents(path));
  }
}

void AddSettings(const Seeds& seeds) {
  seeds.Add("settings", "constant_q", features::SettingsToJson({}));
  seeds.Add("settings", "filterbank", features::SettingsToJson(features::DorferSettings()));
  matching::ConfidenceModel model;
  model.false_accept_rate = 0.01;
  model.queries = 1000;
  seeds.Add("settings", "confidence", matching::ConfidenceToJson(model));
  collection::CollectionView::SourceRun run;
  run.run = {.count = 2, .hop_s = 0.5, .window_s = 2};
  run.vectors = {1, 0, 0, 1};
  seeds.Add("settings", "background",
            collection::Background::Make("model", 2, {{run}}, {{run, run}}).value()->ToBytes());
}

void AddExchange(const Seeds& seeds) {
  const Scratch folder;
  editing::JournalMark mark;
  mark.Note(std::string(bundle::kOriginDigits, 'a'), 7, std::string(32, '\1'));
  Require(mark.Write(folder.path()).ok(), "a mark can be written");

  exchange::ExportManifest manifest;
  manifest.created = "2026-05-06T07:08:09Z";
  manifest.origin = std::string(bundle::kOriginDigits, 'a');
  manifest.generation = 3;
  manifest.last_change = 7;
  manifest.model_id = "model";
  manifest.score_hop_s = manifest.recording_hop_s = 0.5;
  manifest.tempo_ratios = {0.8, 1};
  const std::string hash(64, 'b');
  manifest.score_metadata = {"metadata.tsv", 100, hash};
  manifest.recording_metadata = {"", 0, hash};
  exchange::ExportedSource piece, recording;
  piece.file = {"a.mid", 10, hash};
  piece.source.piece = {.id = "a", .title = "A\tpiece", .composer = "B", .version = 7};
  manifest.pieces = {piece};
  recording.file = {"a.flac", 20, hash};
  recording.source.side = catalog::Side::kRecordings;
  recording.source.recording.id = "played";
  recording.source.recording.piece_id = "a";
  manifest.recordings = {recording};
  const char zero[] = {'\0'};
  seeds.Add("exchange", "both",
            Contents(folder.File(editing::kJournalMarkFile)) + std::string(zero, 1) +
                exchange::ExportToJson(manifest));
}

void AddApiKeys(const Seeds& seeds) {
  seeds.Add("api_keys", "file",
            "# who role hash limit\n"
            "page read 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 20\n\n"
            "import admin 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752\n");
  seeds.Add("api_keys", "key", "0123456789abcdefghij");
}

void AddConfig(const Seeds& seeds) {
  seeds.Add(
      "config", "flat",
      "# a server\nbundle = \"/var/lib/antiphon/bundle\"\nmetrics-listen = 0\nworkers = 8\n"
      "grace-period = 1.5\nread-only = true\nlog-level = 'warning'\nprecision = \"float32\"\n");
  seeds.Add("config", "quotes",
            "listen = \"unix:/tmp/\\u00FC\\t\\\"\"\ntls-cert = '''C:\\new'''\ntls-key = "
            "\"\"\"\na\"\"\"\n");
  seeds.Add("config", "wrong",
            "workers = 3.0\nwrokers = 1\nwarmup = [1, {a = 2}]\ndevice = 1979-05-27\n[listen]\nx.y "
            "= 1\n");
}

void AddS3Answers(const Seeds& seeds) {
  seeds.Add("s3_answers", "page",
            "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated>"
            "<NextContinuationToken>a+b=</NextContinuationToken><Contents><Key>p/monday/CURRENT"
            "</Key><LastModified>2026-05-06T07:08:09.000Z</LastModified><ETag>&quot;a&quot;</ETag>"
            "<Size>11</Size></Contents></ListBucketResult>");
  seeds.Add("s3_answers", "error", "<Error><Code>NoSuchBucket</Code></Error>");
  seeds.Add("s3_answers", "location", "https://s3.example.org:9000/bucket/a/b");
  seeds.Add("s3_answers", "credentials",
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key = SECRETSECRET\n"
            "aws_session_token = token\n");
}

}  // namespace
}  // namespace antiphon::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 1;
  }
  const antiphon::fuzz::Seeds seeds(argv[1]);
  antiphon::fuzz::AddMidi(seeds);
  antiphon::fuzz::AddHumdrum(seeds);
  antiphon::fuzz::AddMusicXml(seeds);
  antiphon::fuzz::AddAbc(seeds);
  antiphon::fuzz::AddAudio(seeds);
  antiphon::fuzz::AddBundle(seeds);
  antiphon::fuzz::AddCatalog(seeds);
  antiphon::fuzz::AddJournal(seeds);
  antiphon::fuzz::AddIndexes(seeds);
  antiphon::fuzz::AddSettings(seeds);
  antiphon::fuzz::AddExchange(seeds);
  antiphon::fuzz::AddApiKeys(seeds);
  antiphon::fuzz::AddConfig(seeds);
  antiphon::fuzz::AddS3Answers(seeds);
  antiphon::fuzz::AddRequests(seeds);
  return 0;
}
