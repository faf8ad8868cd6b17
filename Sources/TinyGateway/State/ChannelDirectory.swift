// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// All channels, and which of them serve a model.
final class ChannelDirectory {
  private(set) var channels: [Int64: Channel] = [:]
  private var byModel: [ByteString: [Channel]] = [:]
  private var forAnyModel: [Channel] = []
  /// Enabled channels by group and listed model, made when first asked for.
  private var enabledByGroup: [ByteString: [ByteString: [Channel]]] = [:]
  /// Used where a channel has no timeouts of its own.
  private(set) var defaults: ClientTimeouts

  /// Makes an empty directory.
  init(defaults: ClientTimeouts) { self.defaults = defaults }

  /// All channels by id.
  var all: [Channel] { channels.values.sorted { $0.id < $1.id } }

  func find(_ id: Int64) -> Channel? { channels[id] }

  /// Checks a record without taking it over.
  func check(_ record: ChannelRecord) throws(FieldError) {
    _ = try Channel(record, defaults: defaults, statistics: ChannelStatistics())
  }

  /// Takes a record over: a new channel, or the new settings of a known one.
  func put(_ record: ChannelRecord) throws(FieldError) {
    let statistics = channels[record.id]?.statistics ?? ChannelStatistics()
    channels[record.id] = try Channel(record, defaults: defaults, statistics: statistics)
    reindex()
  }

  /// Uses other timeouts where a channel has none of its own; what could not is returned.
  func replaceDefaults(_ defaults: ClientTimeouts) -> [(ChannelRecord, FieldError)] {
    self.defaults = defaults
    var refused: [(ChannelRecord, FieldError)] = []
    for (id, channel) in channels {
      do throws(FieldError) {
        channels[id] = try Channel(
          channel.record, defaults: defaults, statistics: channel.statistics)
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
        channels[record.id] = try Channel(
          record, defaults: defaults, statistics: ChannelStatistics())
      } catch {
        refused.append((record, error))
      }
    }
    reindex()
    return refused
  }

  func remove(_ id: Int64) {
    channels[id] = nil
    reindex()
  }

  /// Channels that list the model, or serve any; disabled ones included.
  func serving(_ model: ByteString) -> [Channel] {
    guard let listed = byModel[model] else { return forAnyModel }
    return forAnyModel.isEmpty ? listed : listed + forAnyModel
  }

  /// Enabled channels of a group that serve a listed model; nil when there is none, or when the
  /// name is one that only channels for any model know.
  func enabled(for model: ByteString, group: ByteString) -> [Channel]? {
    if let known = enabledByGroup[group]?[model] { return known }
    guard byModel[model] != nil else { return nil }
    let found = serving(model).filter { $0.isEnabled && $0.groups.contains(group) }
    guard !found.isEmpty else { return nil }
    enabledByGroup[group, default: [:]][model] = found
    return found
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
    enabledByGroup = [:]
    for channel in all {
      if channel.models.isEmpty { forAnyModel.append(channel) }
      for model in channel.models { byModel[model, default: []].append(channel) }
    }
  }
}
