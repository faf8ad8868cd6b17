// SPDX-License-Identifier: MIT
import Platform
import Store

/// One client key in memory: its record, its parsed lists, its live quota.
final class Token {
  private(set) var record: TokenRecord
  private(set) var allowedBlocks: [AddressBlock]
  private(set) var models: [ByteString]
  /// The channel group that the token names; empty when it names none.
  private(set) var ownChannelGroups: [ByteString]
  /// Millionths of a quota unit used so far; the truth while the program runs.
  var usedMicro: Int64
  /// The same, held back for requests under way.
  var reservedMicro: Int64 = 0
  /// Unix seconds at which the quota's period began, 0 for never.
  var periodStart: Int64
  /// Unix seconds at which it ends; 0 while nobody has looked.
  var periodEnd: Int64 = 0
  /// Unix seconds of the last request that used something, 0 for never.
  var accessedAt: Int64
  let keyHash: SHA256Digest

  /// Throws a sentence that names the field which does not fit.
  init(_ record: TokenRecord) throws(FieldError) {
    guard let keyHash = record.keyHash.withBytes({ SHA256Digest($0) }) else {
      throw FieldError("key", "has no valid hash")
    }
    self.keyHash = keyHash
    self.record = record
    usedMicro = record.usedMicro
    periodStart = record.periodStart
    accessedAt = record.accessedAt
    allowedBlocks = try TokenFields.blocks(record.allowedIPs)
    models = record.models.list(separatedBy: UInt8(ascii: ","))
    ownChannelGroups = record.channelGroup.isEmpty ? [] : [record.channelGroup]
  }

  /// Takes changed settings over; used and reserved quota stay.
  func update(_ record: TokenRecord) throws(FieldError) {
    allowedBlocks = try TokenFields.blocks(record.allowedIPs)
    models = record.models.list(separatedBy: UInt8(ascii: ","))
    ownChannelGroups = record.channelGroup.isEmpty ? [] : [record.channelGroup]
    periodEnd = 0
    self.record = record
  }

  var id: Int64 { record.id }

  /// How much the token may ask for within a minute.
  var rateLimits: RateLimits {
    RateLimits(requests: record.requestsPerMinute, tokens: record.tokensPerMinute)
  }

  /// Whether the token may use the model.
  func allows(model: ByteString) -> Bool { models.isEmpty || models.contains(model) }

  /// Whether the token may be used from the address; an unknown address only without a list.
  func allows(address: IPAddress?) -> Bool {
    if allowedBlocks.isEmpty { return true }
    guard let address else { return false }
    return allowedBlocks.contains { $0.contains(address) }
  }

  /// Whole quota units used so far.
  var usedQuota: Int64 { usedMicro / Micro.perUnit }

  /// Millionths left for a further request; nil when unlimited.
  var availableMicro: Int64? {
    record.quota.map { Micro.left(of: $0, used: usedMicro.addingSaturated(reservedMicro)) }
  }
}

/// Text forms of a token's lists, as stored in its record.
enum TokenFields {
  /// A comma-separated list of addresses and blocks.
  static func blocks(_ text: ByteString) throws(FieldError) -> [AddressBlock] {
    var blocks: [AddressBlock] = []
    for part in text.list(separatedBy: UInt8(ascii: ",")) {
      guard let block = AddressBlock(part) else {
        throw FieldError(
          "allowed_ips",
          "must hold IP addresses or CIDR blocks such as 192.168.1.0/24; \(part.text) is neither")
      }
      blocks.append(block)
    }
    return blocks
  }
}

/// One account in memory.
final class User {
  private(set) var record: UserRecord
  /// Millionths of a quota unit used so far; the truth while the program runs.
  var usedMicro: Int64
  /// The same, held back for requests under way.
  var reservedMicro: Int64 = 0

  init(_ record: UserRecord) {
    self.record = record
    usedMicro = record.usedMicro
  }

  /// Takes changed settings over; used and reserved quota stay.
  func update(_ record: UserRecord) { self.record = record }

  var id: Int64 { record.id }
  /// Whole quota units used so far.
  var usedQuota: Int64 { usedMicro / Micro.perUnit }

  /// Millionths left for a further request; nil when unlimited.
  var availableMicro: Int64? {
    record.quota.map { Micro.left(of: $0, used: usedMicro.addingSaturated(reservedMicro)) }
  }
}

/// Users and tokens, found by id and by what a client presents.
final class AccountDirectory {
  private(set) var users: [RecordKey: User] = [:]
  private(set) var tokens: [RecordKey: Token] = [:]
  private var usersByName: [ByteString: User] = [:]
  /// By the first eight bytes of the hash of the key.
  private var tokensByHashStart: [UInt64: Token] = [:]
  /// Tokens whose hash starts like that of another: practically none.
  private var furtherTokens: [Token] = []
  /// Keys that came lately.
  private let knownKeys = KnownKeys()
  /// `dearestRounds` when it is known.
  private var knownDearestRounds: Int?

  func user(_ id: Int64) -> User? { users[RecordKey(id)] }
  func user(named name: ByteString) -> User? { usersByName[name] }
  func token(_ id: Int64) -> Token? { tokens[RecordKey(id)] }

  /// The token of a key, in a time that tells nothing about the hashes of others.
  func token(keyHash: SHA256Digest) -> Token? {
    guard let first = tokensByHashStart[keyHash.start] else { return nil }
    if Digest.constantTimeEquals(first.keyHash, keyHash) { return first }
    return furtherTokens.first { Digest.constantTimeEquals($0.keyHash, keyHash) }
  }

  /// The token of a key, whose hash is computed if the key did not come lately.
  ///
  /// `find`: looks for the token of a key in full.
  func token(key: UnsafeRawBufferPointer, _ find: () -> Token?) -> Token? {
    let mark = KeyedHash(key)
    if let known = knownKeys.token(mark) { return known }
    let found = find()
    if let found { knownKeys.note(found, mark) }
    return found
  }

  /// The most rounds that a password of an account costs; looked for after changes only.
  var dearestRounds: Int {
    if let knownDearestRounds { return knownDearestRounds }
    var dearest = 0
    for user in users.values {
      dearest = max(dearest, Password.rounds(of: user.record.passwordHash))
    }
    knownDearestRounds = dearest
    return dearest
  }

  func put(_ record: UserRecord) {
    let old = users[RecordKey(record.id)]?.record.passwordHash
    if let old, old != record.passwordHash {
      knownDearestRounds = nil
    } else if old == nil, let dearest = knownDearestRounds {
      knownDearestRounds = max(dearest, Password.rounds(of: record.passwordHash))
    }
    if let known = users[RecordKey(record.id)] {
      usersByName[known.record.username] = nil
      known.update(record)
      usersByName[record.username] = known
    } else {
      let user = User(record)
      users[RecordKey(record.id)] = user
      usersByName[record.username] = user
    }
  }

  func put(_ record: TokenRecord) throws(FieldError) {
    if let known = tokens[RecordKey(record.id)] { return try known.update(record) }
    let token = try Token(record)
    tokens[RecordKey(record.id)] = token
    let start = token.keyHash.start
    if tokensByHashStart[start] == nil {
      tokensByHashStart[start] = token
    } else {
      furtherTokens.append(token)
    }
  }

  func removeAll() {
    (users, usersByName, knownDearestRounds) = ([:], [:], nil)
    knownKeys.removeAll()
    (tokens, tokensByHashStart, furtherTokens) = ([:], [:], [])
  }

  func removeToken(_ id: Int64) {
    guard let token = tokens.removeValue(forKey: RecordKey(id)) else { return }
    knownKeys.removeAll()
    let start = token.keyHash.start
    if tokensByHashStart[start] === token {
      let next = furtherTokens.firstIndex { $0.keyHash.start == start }
      tokensByHashStart[start] = next.map { furtherTokens.remove(at: $0) }
    } else {
      furtherTokens.removeAll { $0 === token }
    }
  }

  /// Forgets a user and the user's tokens; requests under way keep what they hold.
  func removeUser(_ id: Int64) {
    guard let user = users.removeValue(forKey: RecordKey(id)) else { return }
    usersByName[user.record.username] = nil
    knownDearestRounds = nil
    var owned: [Int64] = []
    for token in tokens.values where token.record.userID == id { owned.append(token.id) }
    for token in owned { removeToken(token) }
  }
}
