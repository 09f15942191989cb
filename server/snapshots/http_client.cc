#include "server/snapshots/http_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "curl/curl.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxErrorBytes = 16 << 10;
constexpr size_t kMaxHeaderBytes = 64 << 10;
constexpr long kStallBytesPerSecond = 1000;

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeHeaders>;

void Add(Headers& headers, const std::string& line) {
  if (curl_slist* longer = curl_slist_append(headers.get(), line.c_str()); longer != nullptr) {
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
}

void InitialiseOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

}  // namespace

// One request: what libcurl's callbacks work on.
class HttpClient::Transfer {
 public:
  Transfer(const HttpRequest& request, const KeepGoing& keep_going)
      : request_(request), keep_going_(keep_going) {}

  void Run(CURL* curl, const HttpClient& client, const S3Credentials& credentials) {
    SetUp(curl, client, credentials);
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (code == CURLE_OK) {
      answer_.status = status(curl);
      return;
    }
    answer_.status = 0;
    answer_.untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    answer_.failure = *why != '\0' ? why : curl_easy_strerror(code);
  }

  const absl::Status& stopped() const { return stopped_; }
  HttpAnswer& answer() { return answer_; }

 private:
  static int status(CURL* curl) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  void SetUp(CURL* curl, const HttpClient& client, const S3Credentials& credentials) {
    curl_ = curl;
    const std::string url = absl::StrCat(client.endpoint_, request_.path,
                                         request_.query.empty() ? "" : "?", request_.query);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "antiphon-server");
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!client.ca_file_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, client.ca_file_.c_str());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(absl::ToInt64Milliseconds(client.connect_)));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                     std::max(1L, static_cast<long>(absl::ToInt64Seconds(client.stall_))));
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnAnswer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    Sign(curl, client.region_, credentials);
    if (request_.method == HttpRequest::Method::kPut) {
      curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, &OnRead);
      curl_easy_setopt(curl, CURLOPT_READDATA, this);
      curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, &OnSeek);
      curl_easy_setopt(curl, CURLOPT_SEEKDATA, this);
    } else if (request_.method == HttpRequest::Method::kDelete) {
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    }
  }

  void Sign(CURL* curl, const std::string& region, const S3Credentials& credentials) {
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, absl::StrCat("aws:amz:", region, ":s3").c_str());
    curl_easy_setopt(curl, CURLOPT_USERNAME, credentials.key_id.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials.secret.c_str());
    // With these in the signature nobody on the way can exchange the contents.
    Add(headers_, absl::StrCat("x-amz-content-sha256: ", request_.body_sha256));
    if (!credentials.session_token.empty())
      Add(headers_, absl::StrCat("x-amz-security-token: ", credentials.session_token));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  }

  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* const transfer = static_cast<Transfer*>(self);
    if (transfer->stopped_.ok()) transfer->stopped_ = transfer->keep_going_();
    return transfer->stopped_.ok() ? 0 : 1;
  }

  static size_t OnHeader(char*, size_t size, size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    transfer->header_bytes_ += size * count;
    return transfer->header_bytes_ <= kMaxHeaderBytes ? size * count : 0;
  }

  static size_t OnAnswer(char* data, size_t size, size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    const std::string_view piece(data, size * count);
    HttpAnswer& answer = transfer->answer_;
    if (const int status = Transfer::status(transfer->curl_); status < 200 || status > 299) {
      answer.error.append(
          piece.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, answer.error.size())));
      return piece.size();
    }
    if (!transfer->request_.take) return piece.size();
    if (transfer->request_.take(piece)) return piece.size();
    answer.refused = true;
    return 0;
  }

  static size_t OnRead(char* data, size_t size, size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    const int64_t read = transfer->request_.read_body(transfer->offset_, data,
                                                      std::min<size_t>(size * count, 1 << 20));
    if (read < 0) {
      transfer->answer_.refused = true;
      return CURL_READFUNC_ABORT;
    }
    transfer->offset_ += read;
    return static_cast<size_t>(read);
  }

  static int OnSeek(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Transfer*>(self)->offset_ = offset;
    return CURL_SEEKFUNC_OK;
  }

  const HttpRequest& request_;
  const KeepGoing& keep_going_;
  CURL* curl_ = nullptr;
  Headers headers_;
  HttpAnswer answer_;
  absl::Status stopped_;
  int64_t offset_ = 0;
  size_t header_bytes_ = 0;
};

HttpClient::HttpClient(std::string endpoint, std::string region, std::string ca_file,
                       absl::Duration connect, absl::Duration stall)
    : endpoint_(std::move(endpoint)),
      region_(std::move(region)),
      ca_file_(std::move(ca_file)),
      connect_(connect),
      stall_(stall) {
  InitialiseOnce();
}

HttpClient::~HttpClient() {
  absl::MutexLock lock(&mutex_);
  for (void* curl : idle_) curl_easy_cleanup(curl);
}

absl::StatusOr<HttpAnswer> HttpClient::Send(const HttpRequest& request,
                                            const S3Credentials& credentials,
                                            const KeepGoing& keep_going) {
  CURL* curl = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      curl = idle_.back();
      idle_.pop_back();
    }
  }
  if (curl == nullptr) curl = curl_easy_init();
  if (curl == nullptr) return absl::ResourceExhaustedError("there is no memory for a request");
  Transfer transfer(request, keep_going);
  transfer.Run(curl, *this, credentials);
  curl_easy_reset(curl);  // forgets the credentials, and keeps the connection
  {
    absl::MutexLock lock(&mutex_);
    idle_.push_back(curl);
  }
  if (!transfer.stopped().ok()) return transfer.stopped();
  return std::move(transfer.answer());
}

}  // namespace antiphon::server
