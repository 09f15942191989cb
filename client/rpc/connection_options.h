// Which server to ask, and how to prove who is who. Plain values; safe from any thread.
#ifndef ANTIPHON_CLIENT_RPC_CONNECTION_OPTIONS_H_
#define ANTIPHON_CLIENT_RPC_CONNECTION_OPTIONS_H_

#include <string>

namespace antiphon::client {

// Of ConnectionOptions::timeout_s, seconds.
inline constexpr double kMinTimeout_s = 0.001, kMaxTimeout_s = 1e6;

// Of ConnectionOptions::request_id, which has printable ASCII characters only.
inline constexpr int kMaxRequestIdBytes = 128;

struct ConnectionOptions {
  std::string server = "127.0.0.1:50051";  // HOST:PORT or unix:PATH

  // Of each call, seconds, kMinTimeout_s to kMaxTimeout_s; of a stream, of each wait for the
  // server.
  double timeout_s = 120;

  bool tls = false;         // implied by any of the next four
  std::string ca_file;      // PEM, the authorities to trust; empty: those that the system trusts
  std::string cert_file;    // PEM, of this client …
  std::string key_file;     // … and its private key; both or neither
  std::string server_name;  // in the server's certificate; empty: the host of `server`

  std::string api_key_file;    // its first line is the key; empty: none
  std::string api_key;         // the key itself, where there is no file
  bool plaintext_key = false;  // send a key to other machines too without TLS; not with TLS

  bool own_connection = false;  // not one that other channels to the server share

  std::string request_id;  // of every call, for the server's log; empty: the server makes one up

  bool encrypted() const {
    return tls || !ca_file.empty() || !cert_file.empty() || !server_name.empty();
  }
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CONNECTION_OPTIONS_H_
