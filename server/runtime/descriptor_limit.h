// How many file descriptors this process may have. Functions are safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_DESCRIPTOR_LIMIT_H_
#define ANTIPHON_SERVER_RUNTIME_DESCRIPTOR_LIMIT_H_

#include <cstdint>

namespace antiphon::server {

// Raises the soft limit to the hard one, as every server does: the soft limit is low for the sake
// of programs that use select(2). Returns the limit in force.
int64_t RaiseDescriptorLimit();

// Of so many, those that connections must leave to everything else: files, indexes, the journal,
// threads of gRPC. At least 32, where there are as many.
int64_t ReservedDescriptors(int64_t limit);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_DESCRIPTOR_LIMIT_H_
