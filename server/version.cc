#include "server/version.h"

namespace antiphon::server {

const char* Version() { return ANTIPHON_VERSION; }

}  // namespace antiphon::server
