// A device that needs no hardware: it has so much memory, searches on the CPU, and fails when it is
// told to, or asked for more neighbours than it can select. For tests.
#ifndef ANTIPHON_CORE_INDEX_FAKE_DEVICE_H_
#define ANTIPHON_CORE_INDEX_FAKE_DEVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/index/device.h"

namespace antiphon::index {

// Shared by a test and the device that it has made. Set before use, but for the atomics.
struct FakeDeviceState {
  std::string name = "fake:0";
  int64_t memory = int64_t{1} << 40;  // bytes
  int64_t working = 0;                // bytes, of searching
  // Called in each search before it begins; its failure is the search's.
  std::function<absl::Status(int search)> before_search = {};
  absl::Status copying = absl::OkStatus();  // what Copy fails with
  std::atomic<bool> gone = false;           // everything fails

  std::atomic<int64_t> used = 0;     // bytes
  std::atomic<int> copies = 0;       // made so far
  std::atomic<int> searches = 0;     // runs so far
  std::atomic<int64_t> queries = 0;  // in them
  std::atomic<int> at_once = 0;      // searches under way; more than one is a fault of the caller
  std::atomic<int> most_at_once = 0;
};

std::unique_ptr<Device> MakeFakeDevice(std::shared_ptr<FakeDeviceState> state);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_FAKE_DEVICE_H_
