// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store
import Vendors

/// Finds out whether something listens at the addresses of channels: a name look-up and a
/// connection that is closed at once, each host once, one after the other.
enum DoctorReach {
  /// One connection may take so long.
  private static let connectMilliseconds: Int64 = 3_000
  /// All of them together.
  private static let totalMilliseconds: Int64 = 20_000
  private static let addressLimit: Int32 = 4

  /// Where enabled channels lead; without those whose address cannot be read.
  @inline(never)
  static func upstreams(_ records: [ChannelRecord]) -> [DoctorFacts.Upstream] {
    var upstreams: [DoctorFacts.Upstream] = []
    for record in records where record.status == .enabled {
      guard let vendor = VendorRegistry.find(record.type),
        let base = try? ChannelConfig.baseURL(of: record, vendor), let url = URL(base)
      else { continue }
      upstreams.append(
        DoctorFacts.Upstream(
          name: record.name, host: url.host, port: url.port, maySleep: !record.wakeMAC.isEmpty))
    }
    return upstreams
  }

  /// Fills in failure or time of each upstream.
  static func ask(_ upstreams: inout [DoctorFacts.Upstream], _ policy: UpstreamPrivate) {
    let deadline = Instant.now.advanced(byMilliseconds: totalMilliseconds)
    for index in upstreams.indices {
      let wanted = upstreams[index]
      let known = upstreams[..<index].first { $0.host == wanted.host && $0.port == wanted.port }
      if let known {
        (upstreams[index].failure, upstreams[index].milliseconds) = (
          known.failure, known.milliseconds
        )
        continue
      }
      let start = Instant.now
      upstreams[index].failure =
        start < deadline ? reach(wanted, policy, until: deadline) : "not tried, time was up"
      upstreams[index].milliseconds = Instant.now.milliseconds(since: start)
    }
  }

  /// Why no address of the host was reached; nil when one was.
  private static func reach(
    _ upstream: DoctorFacts.Upstream, _ policy: UpstreamPrivate, until deadline: Instant
  ) -> ByteString? {
    var entries = [UInt8](repeating: 0, count: Int(addressLimit) * Int(CP_ADDRESS_ENTRY))
    let count = entries.withUnsafeMutableBufferPointer { entries in
      upstream.host.withCString { cp_resolve($0, entries.baseAddress, addressLimit) }
    }
    if count <= 0 { return "the name is not found" }
    var failure: ByteString = "no address"
    for index in 0..<Int(count) {
      let address = entries.withUnsafeBytes { raw -> IPAddress? in
        let start = index * Int(CP_ADDRESS_ENTRY)
        let length = Int(raw[start])
        return IPAddress(UnsafeRawBufferPointer(rebasing: raw[start + 1..<start + 1 + length]))
      }
      guard let address else { continue }
      if address.isLoopback || address.isPrivate, !policy.permits(address) {
        failure = "upstream_private forbids its address"
        continue
      }
      guard let problem = connect(address, upstream.port, until: deadline) else { return nil }
      failure = problem
    }
    return failure
  }

  private static func connect(
    _ address: IPAddress, _ port: Int, until deadline: Instant
  ) -> ByteString? {
    let descriptor = address.withBytes { cp_connect($0, $1, Int32(port), address.scope) }
    if descriptor < 0 { return ByteString(utf8: SystemError.describe(-descriptor)) }
    defer { _ = cp_close(descriptor) }
    let rest = min(connectMilliseconds, max(0, deadline.milliseconds(since: .now)))
    let error = cp_await_connection(descriptor, Int32(rest))
    return error == 0 ? nil : ByteString(utf8: SystemError.describe(-error))
  }
}
