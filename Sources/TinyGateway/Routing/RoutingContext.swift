// SPDX-License-Identifier: MIT
import Platform
import Store

/// What routes are looked up in.
struct RoutingContext {
  let channels: ChannelDirectory
  let groups: ChannelGroupDirectory
  let fallbacks: ModelFallbacks
  /// Attempts for one model, unless its group says otherwise.
  let attemptLimit: Int

  /// The group whose retries and fallback channels count: the first that serves the model, else
  /// the first that there is.
  func policy(for model: ByteString, _ names: [ByteString]) -> ChannelGroup? {
    for name in names where channels.rotation(for: model, group: name) != nil {
      if let group = groups.find(name) { return group }
    }
    return names.first.flatMap { groups.find($0) }
  }

  /// An explicit fallback channel that is on and serves the model; it needs neither group nor
  /// weight.
  func fallbackChannel(_ id: Int64, for model: ByteString) -> Channel? {
    guard let channel = channels.find(id), channel.record.status == .enabled,
      channel.serves(model)
    else { return nil }
    return channel
  }

  /// Whether some channel is there to serve the model, however well it is.
  ///
  /// `localOnly`: in the owner's own network.
  func serves(_ model: ByteString, _ names: [ByteString], localOnly: Bool = false) -> Bool {
    for name in names
    where channels.rotation(for: model, group: name, localOnly: localOnly) != nil {
      return true
    }
    return policy(for: model, names)?.fallbackIDs.contains {
      fallbackChannel($0, for: model) != nil
    } ?? false
  }
}
