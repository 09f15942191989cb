// Several devices as one: each holds a part of the rows, all are searched at once, and the best of
// what they find is kept. So an index may be as large as all of them together. Internal to
// core/index.
#ifndef ANTIPHON_CORE_INDEX_SHARDED_DEVICE_H_
#define ANTIPHON_CORE_INDEX_SHARDED_DEVICE_H_

#include <memory>
#include <vector>

#include "core/index/device.h"

namespace antiphon::index {

// Requires at least one. Rows are divided evenly; an inverted index keeps all its centres on each
// device and the vectors of consecutive rows.
std::unique_ptr<Device> MakeShardedDevice(std::vector<std::unique_ptr<Device>> devices);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_SHARDED_DEVICE_H_
