// The version of the program, as the build system has it.
#ifndef ANTIPHON_SERVER_RUNTIME_VERSION_H_
#define ANTIPHON_SERVER_RUNTIME_VERSION_H_

namespace antiphon::server {

const char* Version();

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_VERSION_H_
