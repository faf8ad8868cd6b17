// SPDX-License-Identifier: MIT
import Platform
import Store

/// One channel group in memory: how requests are spread over the channels whose `groups` name it.
///
/// A change of settings replaces the record, not the object.
final class ChannelGroup {
  private(set) var record: ChannelGroupRecord
  /// Channels that are tried last, in this order.
  private(set) var fallbackIDs: [Int64]

  init(_ record: ChannelGroupRecord) {
    self.record = record
    fallbackIDs = ChannelGroup.ids(record.fallbackChannels)
  }

  /// Takes changed settings over.
  func update(_ record: ChannelGroupRecord) {
    self.record = record
    fallbackIDs = ChannelGroup.ids(record.fallbackChannels)
  }

  var id: Int64 { record.id }
  var name: ByteString { record.name }
  var strategy: BalancingStrategy { record.strategy }
  var isSticky: Bool { record.isSticky }

  /// Attempts for one request: the first one and the retries.
  func attemptLimit(_ configuration: Configuration) -> Int {
    1 + (record.retries.map { Int($0) } ?? configuration.retries)
  }

  /// The pause before a retry.
  func retryIntervalMilliseconds(_ configuration: Configuration) -> Int64 {
    record.retryIntervalMilliseconds ?? configuration.retryIntervalMilliseconds
  }

  /// Reads ids as a record holds them.
  static func ids(_ text: ByteString) -> [Int64] {
    text.list(separatedBy: UInt8(ascii: ",")).compactMap { $0.decimal }
  }

  /// Writes ids as a record holds them.
  static func text(_ ids: [Int64]) -> ByteString {
    AdminText.joined(ids.map { ByteString(number: $0) }, by: UInt8(ascii: ","))
  }
}

/// All channel groups; they are few, so that searching a list is enough.
final class ChannelGroupDirectory {
  /// The group that is always there.
  static let standard: ByteString = "default"

  /// All groups by id: new ids are above all others.
  private(set) var all: [ChannelGroup] = []

  func find(_ name: ByteString) -> ChannelGroup? { all.first { $0.name == name } }

  func find(_ id: Int64) -> ChannelGroup? { all.first { $0.id == id } }

  /// Takes a record over: a new group, or the new settings of a known one.
  func put(_ record: ChannelGroupRecord) {
    if let known = find(record.id) { return known.update(record) }
    all.append(ChannelGroup(record))
  }

  /// The changed records of those groups that have the channel as a fallback, without it.
  func recordsWithout(fallback id: Int64) -> [ChannelGroupRecord] {
    all.filter { $0.fallbackIDs.contains(id) }.map { group in
      var record = group.record
      record.fallbackChannels = ChannelGroup.text(group.fallbackIDs.filter { $0 != id })
      return record
    }
  }

  func removeAll() { all = [] }

  func remove(_ id: Int64) { all.removeAll { $0.id == id } }
}
