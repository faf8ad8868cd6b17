// SPDX-License-Identifier: MIT
import Platform

/// Whether the internet is gone.
///
/// Seen from one model: none of its channels, all of them cloud services, can be reached, and no
/// other cloud service has answered since. One vendor's failure is thus no outage as long as
/// another vendor is in use.
enum Outage {
  static func isOffline(
    _ model: ByteString, _ groups: [ByteString], _ directory: ChannelDirectory
  ) -> Bool {
    var since: Instant?
    for group in groups {
      for channel in directory.rotation(for: model, group: group)?.channels ?? [] {
        guard !channel.isLocal, let unreachable = channel.health.unreachableSince else {
          return false
        }
        since = max(since ?? unreachable, unreachable)
      }
    }
    guard let since else { return false }
    return directory.channels.values.allSatisfy { $0.isLocal || $0.health.reachedAt <= since }
  }
}
