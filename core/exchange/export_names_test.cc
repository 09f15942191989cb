#include "core/exchange/export_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audio/encoder.h"
#include "core/audio/sound_format.h"
#include "core/bundle/files.h"
#include "core/testing/test_collection.h"

namespace antiphon::exchange {
namespace {

TEST(ExportNames, WhatIsSafeStaysAsItIs) {
  ExportNames names;
  for (const std::string id : {"bach_prelude_c", "Chopin__op.10-1", "a", "B2"})
    EXPECT_EQ(names.NameFor(id, ".mid"), id + ".mid");
}

TEST(ExportNames, AnyIdsGiveSafeAndDifferentNames) {
  std::vector<std::string> ids = {"..",        ".",         "/",         "../../etc/passwd",
                                  "a",         "A",         "a/b",       "a_b",
                                  "a\\b",      "-rf",       ".hidden",   "CON",
                                  "nul.mid",   "com1",      "COM1",      "LPT9.x",
                                  "tab\there", "line\nend", "Für Elise", "Fu\xCC\x88r Elise",
                                  "平均律",    "平均率",    "x.mid",     "x",
                                  "metadata",  " ",         "a ",        "a.",
                                  "~",         "\x7f",      "export",    "%2F"};
  ids.emplace_back(200, 'x');
  ids.push_back(std::string(199, 'x') + "y");
  std::string long_text;
  while (long_text.size() + 3 <= 200) long_text += "律";
  ids.push_back(long_text);
  ids.push_back(long_text.substr(3) + "率");
  ExportNames names;
  std::set<std::string> lower;
  for (const std::string& id : ids) {
    const std::string name = names.NameFor(id, ".flac");
    EXPECT_TRUE(bundle::IsPlainName(name)) << id << " as " << name;
    EXPECT_TRUE(name.ends_with(".flac")) << name;
    EXPECT_TRUE(lower.insert(absl::AsciiStrToLower(name)).second) << id << " as " << name;
    const std::string device = absl::AsciiStrToLower(name.substr(0, name.find('.')));
    EXPECT_FALSE(device == "con" || device == "nul" || device == "com1") << name;
  }
}

TEST(ExportNames, IdsThatWereMadeToCollideGetOthers) {
  ExportNames names;
  const std::string hashed = names.NameFor("a/b", ".mid");
  ExportNames again;
  again.NameFor(hashed.substr(0, hashed.size() - 4), ".mid");  // takes the name first
  const std::string longer = again.NameFor("a/b", ".mid");
  EXPECT_NE(longer, hashed);
  ExportNames third;
  third.NameFor(hashed.substr(0, hashed.size() - 4), ".mid");
  third.NameFor(longer.substr(0, longer.size() - 4), ".mid");
  const std::string numbered = third.NameFor("a/b", ".mid");
  EXPECT_TRUE(numbered != hashed && numbered != longer && bundle::IsPlainName(numbered));
}

TEST(Endings, AreThoseOfTheContents) {
  const audio::Waveform sound = testing::Play(testing::RandomPiece(1, 2));
  EXPECT_EQ(SoundEnding(*audio::EncodeAudio(sound, audio::AudioFormat::kWav)), ".wav");
  EXPECT_EQ(SoundEnding(*audio::EncodeAudio(sound, audio::AudioFormat::kFlac)), ".flac");
  const auto ogg = [](const std::string& codec) { return "OggS" + std::string(24, '\1') + codec; };
  EXPECT_EQ(SoundEnding(ogg("OpusHead")), ".opus");
  EXPECT_EQ(SoundEnding(ogg("\1vorbis")), ".ogg");
  EXPECT_EQ(SoundEnding(std::string("\x1A\x45\xDF\xA3", 4) + "....webm"), ".webm");
  EXPECT_EQ(SoundEnding("what is it?"), ".bin");
  for (const std::string& content :
       {std::string("OggS") + std::string(100, '\0'), std::string("fLaC"), std::string("....ftyp"),
        std::string("#!AMR\n"), std::string("\x1A\x45\xDF\xA3"), std::string("caff")}) {
    const auto& endings = audio::SoundFileEndings();
    EXPECT_NE(std::find(endings.begin(), endings.end(), SoundEnding(content)), endings.end());
  }
  EXPECT_EQ(ScoreEnding("MThd"), ".mid");
  EXPECT_EQ(ScoreEnding("RIFF....RMID"), ".rmi");
  EXPECT_EQ(ScoreEnding("<score-partwise>"), ".musicxml");
  EXPECT_EQ(ScoreEnding("**kern\n4c\n*-\n"), ".krn");
  EXPECT_EQ(ScoreEnding("X:1\nK:C\nC|]\n"), ".abc");
  EXPECT_EQ(ScoreEnding("words"), ".mid");
}

}  // namespace
}  // namespace antiphon::exchange
