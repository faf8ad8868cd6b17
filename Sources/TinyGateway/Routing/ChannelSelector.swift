// SPDX-License-Identifier: MIT
import Platform
import Store

/// Chooses the channel of an attempt: the highest priority that is left, then by weight.
enum ChannelSelector {
  /// Why no channel can serve a model.
  enum Absence {
    case unknownModel
    case notInGroup
    case allDisabled
  }

  /// Channels that may serve the model for the group, or why there is none.
  static func eligible(
    for model: ByteString, group: ByteString, pinned: Int64?, in directory: ChannelDirectory
  ) -> (channels: [Channel], absence: Absence?) {
    if pinned == nil, let known = directory.enabled(for: model, group: group) {
      return (known, nil)
    }
    let serving = directory.serving(model)
    if serving.isEmpty { return ([], .unknownModel) }
    if let pinned {
      let found = serving.filter { $0.id == pinned }
      return (found, found.isEmpty ? .unknownModel : nil)
    }
    let inGroup = serving.filter { $0.groups.contains(group) }
    if inGroup.isEmpty { return ([], .notInGroup) }
    let enabled = inGroup.filter { $0.isEnabled }
    return (enabled, enabled.isEmpty ? .allDisabled : nil)
  }

  /// Takes the next channel by smooth weighted round robin among the highest priority.
  ///
  /// Each turn every candidate gains its weight and the chosen one loses the sum: 90 and 10
  /// give exactly nine and one in ten, evenly spread, and the state is one number a channel.
  static func next(_ candidates: [Channel], excluding tried: [Int64]) -> Channel? {
    if candidates.count == 1 { return tried.contains(candidates[0].id) ? nil : candidates[0] }
    var best: Channel?
    var priority = Int64.min
    for channel in candidates where !tried.contains(channel.id) {
      priority = max(priority, channel.record.priority)
    }
    var total: Int64 = 0
    for channel in candidates
    where channel.record.priority == priority && !tried.contains(channel.id) {
      total += channel.record.weight
      channel.currentWeight += channel.record.weight
      if let known = best, known.currentWeight >= channel.currentWeight { continue }
      best = channel
    }
    best?.currentWeight -= total
    return best
  }
}
