// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// All channels, and which of them serve a model.
final class ChannelDirectory {
  private(set) var channels: [RecordKey: Channel] = [:]
  private var byModel: [ByteString: [Channel]] = [:]
  private var forAnyModel: [Channel] = []
  /// By group and listed model, made when first asked for; nil where there is no channel.
  ///
  /// Under the empty name those for models that no channel lists.
  private var rotations: [ByteString: [ByteString: Rotation?]] = [:]
  /// What `rotations` held before the last change, with the channels of now: whose turn it was
  /// goes on.
  private var replaced: [ByteString: [ByteString: Rotation]] = [:]
  /// What `rotation` found last: a request asks several times, and many ask for the same.
  private var latestRotation: Rotation?
  /// For which model and group that was; empty names, under which there is none, at first.
  private var latestModel = ByteString.empty
  private var latestGroup = ByteString.empty
  /// When requests are kept away from a channel.
  var breakerPolicy = CircuitBreaker.Policy() {
    didSet { for channel in channels.values { channel.health.policy = breakerPolicy } }
  }
  /// Called when channels were added, replaced or removed.
  var changed: () -> Void = {}
  /// Used where a channel has no timeouts of its own.
  private(set) var defaults: ClientTimeouts

  /// Makes an empty directory.
  init(defaults: ClientTimeouts) { self.defaults = defaults }

  /// All channels by id.
  var all: [Channel] { channels.values.sorted { $0.id < $1.id } }

  func find(_ id: Int64) -> Channel? { channels[RecordKey(id)] }

  /// Checks a record without taking it over.
  func check(_ record: ChannelRecord) throws(FieldError) {
    _ = try Channel(record, defaults: defaults, statistics: ChannelStatistics())
  }

  /// Takes a record over: a new channel, or the new settings of a known one.
  func put(_ record: ChannelRecord) throws(FieldError) {
    let old = channels[RecordKey(record.id)]
    let channel = try Channel(
      record, defaults: defaults, statistics: old?.statistics ?? ChannelStatistics(),
      health: old?.health ?? ChannelHealth())
    channel.health.policy = breakerPolicy
    // It is another machine that would have to wake, or to be asked for.
    if let old, ChannelDirectory.isOtherMachine(old.record, record) {
      channel.health.isWaking = false
    }
    channels[RecordKey(record.id)] = channel
    reindex()
  }

  /// Whether a change concerns where a channel's machine is, or how it is woken.
  private static func isOtherMachine(_ old: ChannelRecord, _ new: ChannelRecord) -> Bool {
    old.type != new.type || old.baseURL != new.baseURL || old.wakeMAC != new.wakeMAC
      || old.wakeBroadcast != new.wakeBroadcast || old.wakePolicy != new.wakePolicy
      || old.wakeTimeoutMilliseconds != new.wakeTimeoutMilliseconds
  }

  /// Uses other timeouts where a channel has none of its own; what could not is returned.
  func replaceDefaults(_ defaults: ClientTimeouts) -> [(ChannelRecord, FieldError)] {
    self.defaults = defaults
    var refused: [(ChannelRecord, FieldError)] = []
    for (key, channel) in channels {
      do throws(FieldError) {
        channels[key] = try Channel(
          channel.record, defaults: defaults, statistics: channel.statistics,
          health: channel.health)
      } catch {
        refused.append((channel.record, error))
      }
    }
    reindex()
    return refused
  }

  /// Takes many records over; those that no longer fit are returned with the reason.
  func load(_ records: [ChannelRecord]) -> [(ChannelRecord, FieldError)] {
    var refused: [(ChannelRecord, FieldError)] = []
    for record in records {
      do throws(FieldError) {
        let channel = try Channel(record, defaults: defaults, statistics: ChannelStatistics())
        channel.health.policy = breakerPolicy
        channels[RecordKey(record.id)] = channel
      } catch {
        refused.append((record, error))
      }
    }
    reindex()
    return refused
  }

  func remove(_ id: Int64) {
    channels[RecordKey(id)] = nil
    reindex()
  }

  func removeAll() {
    channels = [:]
    reindex()
  }

  /// Channels that list the model, or serve any; disabled ones included.
  func serving(_ model: ByteString) -> [Channel] {
    guard let listed = byModel[model] else { return forAnyModel }
    return forAnyModel.isEmpty ? listed : listed + forAnyModel
  }

  /// The enabled channels of a group that serve a model; nil when there is none.
  ///
  /// `localOnly`: those in the owner's own network.
  func rotation(for model: ByteString, group: ByteString, localOnly: Bool = false) -> Rotation? {
    if localOnly { return findRotation(for: model, group: group, localOnly: true) }
    if latestModel == model, latestGroup == group { return latestRotation }
    let rotation = findRotation(for: model, group: group, localOnly: false)
    (latestModel, latestGroup, latestRotation) = (model, group, rotation)
    return rotation
  }

  private func findRotation(
    for model: ByteString, group: ByteString, localOnly: Bool
  ) -> Rotation? {
    let name = byModel[model] == nil ? .empty : model
    // Local ones have turns of their own, under a name that no group can have: commas separate.
    let key = localOnly ? "," + group : group
    if let known = rotations[key]?[name] { return known }
    let found = serving(model).filter {
      $0.isEnabled && $0.groups.contains(group) && ($0.isLocal || !localOnly)
    }
    var rotation: Rotation?
    if !found.isEmpty {
      rotation = Rotation(found.sorted { $0.id < $1.id }, replacing: replaced[key]?[name])
      replaced[key]?[name] = nil
    }
    rotations[key, default: [:]].updateValue(rotation, forKey: name)
    return rotation
  }

  /// Public model names of enabled channels in one of the groups, sorted.
  func models(inGroups groups: [ByteString]) -> [ByteString] {
    var names: [ByteString] = []
    for (name, channels) in byModel {
      if channels.contains(where: { $0.isEnabled && $0.groups.contains(where: groups.contains) }) {
        names.append(name)
      }
    }
    return ByteString.sorted(names)
  }

  private func reindex() {
    byModel = [:]
    forAnyModel = []
    (latestModel, latestGroup, latestRotation) = (.empty, .empty, nil)
    for (group, models) in rotations {
      for (model, rotation) in models {
        if let rotation { replaced[group, default: [:]][model] = rotation }
      }
    }
    rotations = [:]
    for channel in all {
      if channel.models.isEmpty { forAnyModel.append(channel) }
      for model in channel.models { byModel[model, default: []].append(channel) }
    }
    for (group, models) in replaced {
      let kept = models.filter { $0.key.isEmpty || byModel[$0.key] != nil }.compactMapValues(
        current)
      replaced[group] = kept.isEmpty ? nil : kept
    }
    changed()
  }

  /// The rotation with the channels of now; nil when none of its channels is left.
  ///
  /// One that is gone or was replaced must not stay in memory: it holds keys.
  private func current(_ rotation: Rotation) -> Rotation? {
    if rotation.channels.allSatisfy({ channels[RecordKey($0.id)] === $0 }) { return rotation }
    let left = rotation.channels.compactMap { channels[RecordKey($0.id)] }
    return left.isEmpty ? nil : Rotation(left, replacing: rotation)
  }
}
