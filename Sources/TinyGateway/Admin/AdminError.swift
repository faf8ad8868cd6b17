// SPDX-License-Identifier: MIT
import Platform
import Store

/// Why a management call fails: status, stable code, and a sentence that says what to change.
struct AdminError: Error {
  let status: Int
  let code: StaticString
  let message: ByteString
  /// Seconds for `Retry-After`.
  var retryAfter: Int64?
  /// Methods for `Allow`.
  var allow: ByteString = .empty

  /// Makes an error; codes are promised in API.md.
  init(
    _ status: Int, _ code: StaticString, _ message: ByteString, retryAfter: Int64? = nil,
    allow: ByteString = .empty
  ) {
    self.status = status
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
    self.allow = allow
  }

  /// A field whose value does not fit: `field problem`.
  static func field(_ name: StaticString, _ problem: ByteString) -> AdminError {
    AdminError(400, "invalid_field", ByteString(name) + " " + problem + ".")
  }

  /// A field whose value does not fit.
  init(_ error: FieldError) {
    self.init(400, "invalid_field", error.sentence + ".")
  }

  /// A 429: what there was too much of, and when the next try is allowed.
  static func tooMany(
    _ code: StaticString, _ what: ByteString, milliseconds: Int64
  ) -> AdminError {
    let seconds = (milliseconds + 999) / 1000
    return AdminError(
      429, code, what + ": try again in " + ByteString(number: seconds) + " s.",
      retryAfter: seconds)
  }

  static let notFound = AdminError(404, "not_found", "This does not exist.")
  static let loginRequired = AdminError(
    401, "login_required",
    "Log in first (POST /api/v1/auth/login) and send the header Authorization: Bearer <token>.")
  static let forbidden = AdminError(
    403, "forbidden", "This needs an administrator's account.")
  static let rootOnly = AdminError(
    403, "forbidden", "This needs an account with the role root.")
  static let passwordChangeRequired = AdminError(
    403, "password_change_required",
    "Choose a new password first (PUT /api/v1/users/self/password).")
  static let personRequired = AdminError(
    403, "login_needed",
    "A management token may not make this call: log in with user name and password.")
  static let readOnlyToken = AdminError(
    403, "read_only_token", "This management token may only read (GET), and no backup.")
  static let crossSite = AdminError(
    403, "cross_site",
    "A request with the session cookie must come from a page of this gateway: its Origin must be "
      + "the address in Host. Behind a reverse proxy, name it in trusted_proxies.")
  static let busy = AdminError(
    503, "busy", "Too many changes wait already: try again.", retryAfter: 1)
  static let clientGone = AdminError(503, "client_gone", "The client is gone.")

  /// What the database refused; nothing was changed.
  init(_ error: StoreError) {
    let sentence = AdminError.capitalized(error.sentence)
    switch error.kind {
    case .duplicate: self.init(409, "duplicate", sentence)
    case .notFound: self = .notFound
    case .constraint: self.init(409, "conflict", sentence)
    case .full: self.init(507, "storage_full", sentence)
    case .readOnly, .ioError, .corrupt: self.init(503, "storage_failed", sentence)
    case .busy: self.init(503, "storage_busy", sentence, retryAfter: 1)
    case .newerVersion, .other: self.init(500, "internal_error", sentence)
    }
  }

  /// What is wrong with a file that was to be restored; nothing was changed.
  init(backup sentence: ByteString) {
    self.init(400, "invalid_backup", AdminError.capitalized(sentence))
  }

  private static func capitalized(_ sentence: ByteString) -> ByteString {
    guard let first = sentence.bytes.first, first &- 0x61 < 26 else { return sentence + "." }
    return ByteString([first &- 0x20]) + ByteString(Array(sentence.bytes.dropFirst())) + "."
  }
}

extension ByteString {
  /// Text from outside in double quotes, shortened, for sentences and audit lines.
  ///
  /// Quotes and line breaks in it are escaped as in JSON.
  init(quoting text: ByteString) {
    self = AdminText.quoted(text)
  }
}
