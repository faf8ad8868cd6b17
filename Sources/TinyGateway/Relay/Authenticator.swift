// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Who calls: the token, its owner, and where from; shared, since its copies would cost.
final class Caller {
  let token: Token
  let user: User
  let address: IPAddress?
  /// An administrator's key may end with `-<channel id>`, which pins that channel.
  let pinnedChannel: Int64?
  /// Names of the channel groups that serve the caller, in the order in which they are tried.
  let channelGroups: [ByteString]
  /// Factor of every charge.
  let ratio: Ratio

  init(
    token: Token, user: User, address: IPAddress?, pinnedChannel: Int64?,
    channelGroups: [ByteString], ratio: Ratio
  ) {
    self.token = token
    self.user = user
    self.address = address
    self.pinnedChannel = pinnedChannel
    self.channelGroups = channelGroups
    self.ratio = ratio
  }
}

/// Turns the key that a client presents into a caller.
enum Authenticator {
  private static let invalidKey = RelayError.unauthorized(
    "invalid_api_key", "This API key is not known here. Check the key, or ask for a new one.")

  /// Checks everything that does not depend on the request's body.
  ///
  /// `token`: whose, where a login of the management API takes the place of the key; nil when the
  /// head has the key.
  static func authenticate(
    _ head: RequestHead, _ gateway: Gateway, as token: Token? = nil
  ) throws(RelayError) -> Caller {
    let address = ClientAddress.of(head, trusting: gateway.configuration.trustedProxies)
    let found: (Token, User, Int64?)?
    if let token {
      found = gateway.accounts.user(token.record.userID).map { (token, $0, nil) }
    } else if let key = queryKey(head),
      head.count(of: .authorization) + head.count(of: .apiKey) == 0
    {
      found = find(key.bytes.span, gateway.accounts)
    } else {
      let key = try presentedKey(head)
      found = head.withBytes(key) { find($0, gateway.accounts) }
    }
    guard let (token, user, pinned) = found else { throw invalidKey }
    guard token.record.status == .enabled else {
      throw .unauthorized("token_disabled", "This API key is disabled.")
    }
    guard user.record.status == .enabled else {
      throw .unauthorized("token_disabled", "The owner of this API key is disabled.")
    }
    if isExpired(
      token.record.expiresAt, now: UnixTime.seconds, isClockPlausible: UnixTime.isPlausible)
    {
      throw .unauthorized("token_expired", "This API key has expired.")
    }
    guard token.allows(address: address) else {
      throw .forbidden(
        "ip_not_allowed",
        "This API key may not be used from your address, " + (address?.text ?? "unknown") + ".")
    }
    let group = gateway.userGroups.find(user.record.userGroup)
    return Caller(
      token: token, user: user, address: address, pinnedChannel: pinned,
      channelGroups: CallerGroups.of(token: token, user: user, in: group),
      ratio: group?.record.ratio ?? .one)
  }

  /// Whether a key that expires at a Unix time has expired; a clock that is not set yet must not
  /// expire anything.
  static func isExpired(_ expiresAt: Int64?, now: Int64, isClockPlausible: Bool) -> Bool {
    guard let expiresAt, isClockPlausible else { return false }
    return now >= expiresAt
  }

  /// Where the key is: one `Authorization: Bearer`, or one header of the key alone.
  private static func presentedKey(_ head: RequestHead) throws(RelayError) -> Range<Int> {
    let count =
      head.count(of: .authorization) + head.count(of: .apiKey) + head.count(of: .azureKey)
      + head.count(of: .googleKey)
    guard count <= 1 else {
      throw .unauthorized("invalid_api_key", "Send exactly one API key.")
    }
    if let plain = head.range(of: .apiKey) ?? head.range(of: .azureKey)
      ?? head.range(of: .googleKey)
    {
      return plain
    }
    guard let range = head.range(of: .authorization) else {
      throw .unauthorized(
        "invalid_api_key",
        "An API key is needed: send it as the header Authorization: Bearer sk-...")
    }
    let isBearer = head.withBytes(range) {
      $0.count > 7 && $0.extracting(0..<7).equalsIgnoringCase("bearer ")
    }
    guard isBearer else {
      throw .unauthorized(
        "invalid_api_key", "The Authorization header must be Bearer and an API key.")
    }
    return (range.lowerBound + 7)..<range.upperBound
  }

  /// The key in the query, where Gemini's clients may have it; nil elsewhere.
  ///
  /// Nothing that is logged or sent on has the query of a request.
  private static func queryKey(_ head: RequestHead) -> ByteString? {
    guard head.query != nil, head.hasPathPrefix("/v1beta/") || head.hasPathPrefix("/v1/models")
    else { return nil }
    return head.queryValue(of: "key")
  }

  private static func find(
    _ key: Span<UInt8>, _ accounts: AccountDirectory
  ) -> (Token, User, Int64?)? {
    if let token = token(key, accounts), let user = accounts.user(token.record.userID) {
      return (token, user, nil)
    }
    // `sk-…-12`: the part behind the last hyphen is a channel, for administrators only.
    guard let hyphen = key.indices.last(where: { key[$0] == UInt8(ascii: "-") }), hyphen > 3,
      let channel = key.extracting((hyphen + 1)..<key.count).decimal,
      let token = token(key.extracting(0..<hyphen), accounts),
      let user = accounts.user(token.record.userID), user.record.role != .user
    else { return nil }
    return (token, user, channel)
  }

  /// Lengths of keys whose `sk-` may be missing: One API's clients may leave it out.
  private static let bareCounts = 40...128

  private static func token(_ key: Span<UInt8>, _ accounts: AccountDirectory) -> Token? {
    accounts.token(key: key.rawBuffer) { unknownToken(key, accounts) }
  }

  /// The token of a key that did not come lately.
  private static func unknownToken(_ key: Span<UInt8>, _ accounts: AccountDirectory) -> Token? {
    if let token = accounts.token(keyHash: Digest.sha256(key.rawBuffer)) { return token }
    guard bareCounts.contains(key.count), !key.extracting(0..<3).equals("sk-"),
      key.indices.allSatisfy({ key[$0] > 0x20 && key[$0] < 0x7F })
    else { return nil }
    return accounts.token(keyHash: Digest.sha256("sk-" + ByteString(key)))
  }
}

/// The address a request really comes from.
enum ClientAddress {
  /// The socket's peer, or, behind trusted proxies only, the last address of
  /// `X-Forwarded-For` that is not one of them.
  static func of(_ head: RequestHead, trusting proxies: [AddressBlock]) -> IPAddress? {
    guard let peer = head.peerAddress, !proxies.isEmpty,
      proxies.contains(where: { $0.contains(peer) }),
      let forwarded = head.joinedValues(of: "x-forwarded-for")
    else { return head.peerAddress }
    for part in forwarded.list(separatedBy: UInt8(ascii: ",")).reversed() {
      guard let address = IPAddress(part) else { return nil }
      if !proxies.contains(where: { $0.contains(address) }) { return address }
    }
    return peer
  }
}
