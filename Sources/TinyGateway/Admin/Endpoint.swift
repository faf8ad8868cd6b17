// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// One management call: a row of the endpoint table.
struct Endpoint: Sendable {
  /// Who may call.
  enum Access: Sendable {
    case anyone
    /// Every account, for its own objects.
    case user
    /// Accounts with the role admin or root.
    case admin
    /// Accounts with the role root.
    case root
  }

  /// How the call is answered.
  enum Run: Sendable {
    /// Writes the data at once.
    case read(@Sendable (AdminRequest, inout JSONWriter) throws(AdminError) -> Void)
    /// Answers through `AdminRequest.reply`, now or later.
    case act(@Sendable (AdminRequest) throws(AdminError) -> Void)
    /// Takes a body of any kind as it arrives; asked before the body.
    case receive(
      @Sendable (AdminRequest, RequestHead) throws(AdminError) -> any AdminUpload)
  }

  let method: MiniHTTP.Method
  /// Segments in braces stand for an id, such as `/api/v1/channels/{id}`.
  let path: StaticString
  let access: Access
  /// Query parameters that are known besides those of a page.
  var parameters: [StaticString] = []
  /// Whether the answer is a page of a list.
  var isList = false
  /// Members that the body may have.
  var fields: [StaticString] = []
  /// Largest body in bytes; 413 above.
  var bodyByteCount = AdminExchange.bodyByteCount
  /// Whether no body means one without members.
  var isBodyOptional = false
  /// Whether an account that must change its password may call this.
  var servesFirstPassword = false
  /// Whether a management token is refused: a leaked one must not lead to further access.
  var needsPerson = false
  /// Whether a management token that only reads is refused although this is a `GET`.
  var refusesReaders = false
  let run: Run

  /// Why an account may not make this call; nil when it may.
  func refusal(to user: UserRecord, with credential: Credential) -> AdminError? {
    if user.mustChangePassword, !servesFirstPassword { return .passwordChangeRequired }
    if access == .admin, user.role == .user { return .forbidden }
    if access == .root, user.role != .root { return .rootOnly }
    guard case .managementToken(let token) = credential else { return nil }
    if needsPerson { return .personRequired }
    return token.isReadOnly && (method != .get || refusesReaders) ? .readOnlyToken : nil
  }

  /// The id in the path, 0 for a path without one; nil when the path is another.
  func match(_ path: ByteString) -> Int64? { Endpoint.match(path, self.path) }

  /// Compares a decoded path with a pattern, segment by segment.
  ///
  /// An id is 1 to 19 digits without leading zeros, above 0.
  static func match(_ path: ByteString, _ pattern: StaticString) -> Int64? {
    let slash = UInt8(ascii: "/")
    let wanted = ByteString(pattern).bytes.split(separator: slash, omittingEmptySubsequences: false)
    let given = path.bytes.split(separator: slash, omittingEmptySubsequences: false)
    guard wanted.count == given.count else { return nil }
    var id: Int64 = 0
    for (part, pattern) in zip(given, wanted) {
      if pattern.first == UInt8(ascii: "{") {
        guard part.first != UInt8(ascii: "0"), let value = ByteString(Array(part)).decimal
        else { return nil }
        id = value
      } else if !part.elementsEqual(pattern) {
        return nil
      }
    }
    return id
  }
}

/// All management calls.
enum EndpointTable {
  static let all: [Endpoint] =
    channels + accounts + AuthEndpoints.all + GatewayEndpoints.all

  private static let channels =
    ChannelEndpoints.all + ChannelProbeEndpoints.all + ChannelGroupEndpoints.all
    + ModelFallbackEndpoints.all + ExplainEndpoint.all + PlaygroundEndpoints.all

  private static let accounts =
    UserEndpoints.all + RegistrationEndpoint.all + UserGroupEndpoints.all + TokenEndpoints.all
    + RedemptionEndpoints.all + RedeemEndpoint.all
    + PriceEndpoints.all + OptionEndpoints.all + ManagementTokenEndpoints.all
    + SessionEndpoints.all + AuditEndpoints.all + LogEndpoints.all + StatisticsEndpoints.all
    + BackupEndpoints.all + StoredBackupEndpoints.all + DoctorEndpoint.all
    + ConfigurationEndpoint.all

  /// What a method and a path lead to.
  enum Finding {
    case found(Endpoint, id: Int64)
    /// The path is known for these methods only.
    case otherMethods(ByteString)
    case unknown
  }

  /// Looks a call up; HEAD is answered as GET without its body (RFC 9110 §9.3.2).
  static func find(_ method: MiniHTTP.Method, _ path: ByteString) -> Finding {
    let wanted = method == .head ? .get : method
    var allowed: [ByteString] = []
    for endpoint in all {
      guard let id = endpoint.match(path) else { continue }
      if endpoint.method == wanted { return .found(endpoint, id: id) }
      allowed.append(ByteString(endpoint.method.token))
      if endpoint.method == .get { allowed.append("HEAD") }
    }
    guard !allowed.isEmpty else { return .unknown }
    let list = Buffer()
    for method in allowed {
      if !list.isEmpty { list.append(", ") }
      list.append(method)
    }
    return .otherMethods(list.byteString)
  }
}
