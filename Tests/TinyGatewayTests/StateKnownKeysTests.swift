// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Tokens found by keys that came lately.
struct StateKnownKeysTests {
  private let accounts = AccountDirectory()

  private func key(_ id: Int64) -> ByteString { "sk-" + ByteString(number: id) }

  private func add(_ id: Int64, user: Int64 = 1) throws {
    try accounts.put(
      TokenRecord(
        id: id, userID: user, name: "t", keyHash: Digest.sha256(key(id)).bytes, keyHint: "",
        quota: nil, usedMicro: 0, allowedIPs: "", models: "", channelGroup: ""))
  }

  /// What a key finds, and whether its hash was needed for that.
  private struct Found: Equatable {
    let id: Int64?
    let isHashed: Bool

    init(_ id: Int64?, _ isHashed: Bool) { (self.id, self.isHashed) = (id, isHashed) }
  }

  private func find(_ id: Int64) -> Found {
    var isHashed = false
    let key = key(id)
    let found = key.withBytes { bytes in
      accounts.token(key: bytes) {
        isHashed = true
        return accounts.token(keyHash: Digest.sha256(bytes))
      }
    }
    return Found(found?.id, isHashed)
  }

  @Test func aKeyIsHashedOnce() throws {
    try add(1)
    #expect(find(1) == Found(1, true))
    #expect(find(1) == Found(1, false))
  }

  @Test func unknownKeysAreHashedEachTime() throws {
    try add(1)
    for _ in 0..<3 { #expect(find(2) == Found(nil, true)) }
    try add(2)
    #expect(find(2) == Found(2, true))
  }

  @Test func aRemovedTokenIsNotFound() throws {
    try add(1)
    try add(2)
    _ = find(1)
    _ = find(2)
    accounts.removeToken(1)
    #expect(find(1) == Found(nil, true))
    #expect(find(2).id == 2)
  }

  @Test func tokensOfARemovedUserAreNotFound() throws {
    accounts.put(UserRecord(id: 7, username: "u", passwordHash: ""))
    try add(1, user: 7)
    _ = find(1)
    accounts.removeUser(7)
    #expect(find(1) == Found(nil, true))
  }

  @Test func nothingIsLeftAfterAllAreRemoved() throws {
    try add(1)
    _ = find(1)
    accounts.removeAll()
    #expect(find(1) == Found(nil, true))
  }

  @Test func changedSettingsAreThoseOfTheKnownToken() throws {
    try add(1)
    _ = find(1)
    guard var record = accounts.token(1)?.record else { return }
    record.status = .disabled
    try accounts.put(record)
    let known = key(1).withBytes { accounts.token(key: $0) { nil } }
    #expect(known?.record.status == .disabled)
  }

  @Test func moreKeysThanPlacesAreAllFound() throws {
    for id in 1...Int64(500) { try add(id) }
    for _ in 0..<2 {
      for id in 1...Int64(500) { #expect(find(id).id == id) }
    }
  }
}
