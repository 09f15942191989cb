// What the clang check parses once for all sources: headers that many of them include. No source
// may rely on it; every other build goes without.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <thread>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "spdlog/spdlog.h"
