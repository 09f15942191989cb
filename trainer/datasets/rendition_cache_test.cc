#include "trainer/datasets/rendition_cache.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::datasets {
namespace {

TEST(RenditionCacheTest, ARenditionIsNamedAfterAllThatItsSoundDependsOn) {
  const RenditionOptions options = {"folder", "a.sf2", 22050, false};
  const std::string path = RenditionCache(options).PathOf("piece", "notes");
  EXPECT_EQ(path.rfind("folder/piece.", 0), 0u);
  EXPECT_EQ(RenditionCache(options).PathOf("piece", "notes"), path);
  EXPECT_NE(RenditionCache(options).PathOf("piece", "other notes"), path);
  RenditionOptions own = options, other = options;
  own.own_instruments = true;
  other.soundfont = "b.sf2";
  EXPECT_NE(RenditionCache(own).PathOf("piece", "notes"), path);
  EXPECT_NE(RenditionCache(other).PathOf("piece", "notes"), path);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
