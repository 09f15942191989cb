#include "server/runtime/version.h"

namespace antiphon::server {

const char* Version() { return ANTIPHON_VERSION; }

}  // namespace antiphon::server
