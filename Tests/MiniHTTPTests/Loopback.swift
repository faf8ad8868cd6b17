// SPDX-License-Identifier: MIT
import CPlatform
import Glibc
import Platform
import Testing

@testable import MiniHTTP

/// A loop worked by hand together with raw sockets, all on the test's thread.
class Loopback {
  let loop: EventLoop
  private static let patienceMilliseconds: Int64 = 10_000

  init(loop: EventLoop) { self.loop = loop }

  static var address: IPAddress {
    guard let address = IPAddress("127.0.0.1") else { preconditionFailure("not an address") }
    return address
  }

  /// Turns until the condition holds; records an issue after ten seconds.
  func turn(location: SourceLocation = #_sourceLocation, until condition: () -> Bool) {
    let end = Instant.now.advanced(byMilliseconds: Loopback.patienceMilliseconds)
    while !condition() {
      guard Instant.now < end else {
        Issue.record("waited in vain", sourceLocation: location)
        return
      }
      turnOnce()
    }
  }

  /// Turns for that long.
  func turn(milliseconds: Int64) {
    let end = Instant.now.advanced(byMilliseconds: milliseconds)
    while Instant.now < end { turnOnce() }
  }

  /// The number of turns that the loop makes by itself in that time.
  func countTurns(milliseconds: Int64) -> Int {
    var (turns, isOver) = (0, false)
    loop.wakeAt = .max
    loop.after(milliseconds: milliseconds) { isOver = true }
    while !isOver {
      loop.turn()
      turns += 1
    }
    return turns
  }

  private func turnOnce() {
    loop.wakeAt = Instant.now.nanoseconds + 500_000
    loop.turn()
  }
}

/// The other end of a connection: a non-blocking socket and what has come from it.
final class RawSocket {
  private(set) var descriptor: Int32
  private(set) var received: [UInt8] = []
  private(set) var isAtEnd = false
  private let owner: Loopback

  init(descriptor: Int32, owner: Loopback) {
    self.descriptor = descriptor
    self.owner = owner
  }

  convenience init(connectingTo port: Int, owner: Loopback) {
    let descriptor = Loopback.address.withBytes { cp_connect($0, $1, Int32(port), 0) }
    self.init(descriptor: descriptor, owner: owner)
  }

  deinit { close() }

  var text: String { String(decoding: received, as: UTF8.self) }

  /// Sends everything, turning the loop while the other side is slow.
  func send(_ text: String, location: SourceLocation = #_sourceLocation) {
    send([UInt8](text.utf8), location: location)
  }

  func send(_ bytes: [UInt8], location: SourceLocation = #_sourceLocation) {
    var sent = 0
    owner.turn(location: location) {
      sent += put(bytes[sent...])
      return sent == bytes.count
    }
  }

  /// Sends what the kernel takes now; the number of bytes.
  func put(_ bytes: ArraySlice<UInt8>) -> Int {
    let count = bytes.withUnsafeBytes { cp_send(descriptor, $0.baseAddress, $0.count) }
    return max(0, Int(count))
  }

  /// Takes what has come.
  func read() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = cp_receive(descriptor, &bytes, bytes.count)
      if count == -Int64(cp_eagain) { return }
      guard count > 0 else {
        isAtEnd = true
        return
      }
      received += bytes[..<Int(count)]
    }
  }

  /// Turns until that many bytes have come or the other side has ended; takes them.
  func take(_ count: Int, location: SourceLocation = #_sourceLocation) -> String {
    owner.turn(location: location) {
      read()
      return received.count >= count || isAtEnd
    }
    let taken = received.prefix(count)
    received.removeFirst(taken.count)
    return String(decoding: taken, as: UTF8.self)
  }

  /// Turns until the text has come or the other side has ended; takes up to its end.
  func take(through end: String, location: SourceLocation = #_sourceLocation) -> String {
    let wanted = [UInt8](end.utf8)
    var found: Int?
    var searched = 0
    owner.turn(location: location) {
      read()
      found = position(of: wanted, from: max(0, searched - wanted.count))
      searched = received.count
      return found != nil || isAtEnd
    }
    return take((found ?? received.count - wanted.count) + wanted.count, location: location)
  }

  private func position(of wanted: [UInt8], from start: Int) -> Int? {
    received.withUnsafeBytes { raw in
      guard raw.count >= start + wanted.count, let base = raw.baseAddress else { return nil }
      let found = cp_find(base + start, raw.count - start, wanted, wanted.count)
      return found < 0 ? nil : start + Int(found)
    }
  }

  /// Turns until the other side has ended; everything that came.
  func takeAll(location: SourceLocation = #_sourceLocation) -> String {
    owner.turn(location: location) {
      read()
      return isAtEnd
    }
    return take(received.count, location: location)
  }

  func endOutput() { _ = cp_shutdown_write(descriptor) }

  func close() {
    if descriptor >= 0 { _ = cp_close(descriptor) }
    descriptor = -1
  }

  /// Closes so that the other side sees a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout.size(ofValue: option)))
    close()
  }
}
