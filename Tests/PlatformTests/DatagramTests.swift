// SPDX-License-Identifier: MIT
import CPlatform
import Glibc
import Testing

@testable import Platform

struct DatagramTests {
  /// A socket that waits for packets at 127.0.0.1; closed with its owner.
  private final class Receiver {
    let descriptor: Int32
    let port: Int

    init() throws {
      let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue)
      let made = try SystemError.check(socket(AF_INET, kind, 0), "socket")
      var local = sockaddr_in()
      local.sin_family = sa_family_t(AF_INET)
      local.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let size = socklen_t(MemoryLayout.size(ofValue: local))
      let bound = withUnsafeBytes(of: &local) { raw in
        bind(made, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), size)
      }
      #expect(bound == 0)
      descriptor = made
      port = Int(cp_local_port(made))
    }

    deinit { _ = cp_close(descriptor) }

    /// The next packet, nil when none has come; loopback delivers within `send`.
    func take() -> [UInt8]? {
      var bytes = [UInt8](repeating: 0, count: 2048)
      let count = cp_receive(descriptor, &bytes, bytes.count)
      return count < 0 ? nil : Array(bytes[..<Int(count)])
    }
  }

  private func address(_ text: ByteString) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("not an address") }
    return address
  }

  @Test func sendsOnePacketWithExactlyTheseBytes() throws {
    let receiver = try Receiver()
    for bytes: [UInt8] in [[1, 0, 255], [UInt8](repeating: 7, count: 1400), []] {
      try Datagram.send(bytes, to: address("127.0.0.1"), port: receiver.port)
      #expect(receiver.take() == bytes)
      #expect(receiver.take() == nil)
    }
  }

  @Test func needsNobodyWhoListens() throws {
    let port = try Receiver().port
    try Datagram.send([1], to: address("127.0.0.1"), port: port)
  }

  /// Without SO_BROADCAST the kernel would refuse with EACCES.
  @Test func mayBroadcast() throws {
    let receiver = try Receiver()
    do throws(SystemError) {
      try Datagram.send([1], to: address("127.255.255.255"), port: receiver.port)
    } catch {
      #expect(error.number != EACCES)
    }
  }

  @Test func saysWhatTheKernelRefuses() throws {
    let tooLong = [UInt8](repeating: 0, count: 70_000)
    do throws(SystemError) {
      try Datagram.send(tooLong, to: address("127.0.0.1"), port: 9)
      Issue.record("70,000 bytes are no packet")
    } catch {
      #expect(error.number == EMSGSIZE)
    }
  }
}
