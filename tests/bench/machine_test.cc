#include "tests/bench/machine.h"

#include <gmock/gmock.h>

namespace antiphon::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MachineTest, ModelAndVectorInstructionsAreRead) {
  const Machine machine = MachineOf(
      "processor\t: 0\nmodel name\t: A CPU: of 2 kinds\nflags\t\t: fpu sse avx avx2 fma amx_int8\n"
      "processor\t: 1\nmodel name\t: Another\n");
  EXPECT_EQ(machine.cpu, "A CPU: of 2 kinds");
  EXPECT_THAT(machine.vector, ElementsAre("avx", "avx2", "amx_int8"));
}

TEST(MachineTest, WhatIsNotSaidIsEmpty) {
  EXPECT_EQ(MachineOf("").cpu, "");
  EXPECT_THAT(MachineOf("").vector, IsEmpty());
}

TEST(MachineTest, ThisMachineHasCoresAndMemory) {
  EXPECT_GE(ThisMachine().cores, 1);
  EXPECT_GT(ThisMachine().memory_bytes, 0);
}

}  // namespace
}  // namespace antiphon::bench
