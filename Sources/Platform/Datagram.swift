// SPDX-License-Identifier: MIT
import CPlatform

/// Single packets.
package enum Datagram {
  /// Sends one UDP packet, to a broadcast address too; it may get lost like any other.
  ///
  /// Throws what the kernel says, such as `ENETUNREACH` when no network has the address.
  package static func send(
    _ bytes: [UInt8], to address: IPAddress, port: Int
  ) throws(SystemError) {
    let result = bytes.withUnsafeBytes { raw in
      address.withBytes { cp_send_datagram($0, $1, Int32(port), raw.baseAddress, raw.count) }
    }
    try SystemError.check(result, "sendto")
  }
}
