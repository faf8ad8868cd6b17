// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

/// A pair of joined sockets, the first of them watched.
final class PollerTests {
  private var ends: [Int32] = [-1, -1]

  init() {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
  }

  deinit { for end in ends where end >= 0 { close(end) } }

  private func check(_ poller: Poller, _ expected: Interest?) {
    let count = poller.wait(milliseconds: 0)
    #expect(count == (expected == nil ? 0 : 1))
    guard let expected, count == 1 else { return }
    #expect(poller.event(0).token == 0xFFFF_FFFF_0000_0001)
    #expect(poller.event(0).ready == expected)
  }

  @Test func reportsWhatIsWatchedFor() throws {
    let poller = try Poller()
    try poller.add(ends[0], [], token: 0xFFFF_FFFF_0000_0001)
    check(poller, nil)
    poller.change(ends[0], .write, token: 0xFFFF_FFFF_0000_0001)
    check(poller, .write)
    poller.change(ends[0], .read, token: 0xFFFF_FFFF_0000_0001)
    check(poller, nil)
    #expect(write(ends[1], "x", 1) == 1)
    check(poller, .read)
    check(poller, .read)
    poller.change(ends[0], [.read, .write], token: 0xFFFF_FFFF_0000_0001)
    check(poller, [.read, .write])
    poller.remove(ends[0])
    check(poller, nil)
  }

  @Test func reportsWhatHappensOnceWhereThatIsAskedFor() throws {
    let poller = try Poller()
    let token: UInt64 = 0xFFFF_FFFF_0000_0001
    try poller.add(ends[0], [.read, .edge], token: token)
    check(poller, nil)
    #expect(write(ends[1], "x", 1) == 1)
    check(poller, .read)
    check(poller, nil)
    #expect(write(ends[1], "y", 1) == 1)
    check(poller, .read)
    check(poller, nil)
    poller.change(ends[0], .read, token: token)
    check(poller, .read)
    poller.change(ends[0], [.read, .edge], token: token)
    check(poller, .read)
    check(poller, nil)
    #expect(shutdown(ends[1], Int32(SHUT_WR)) == 0)
    check(poller, [.read, .end])
    check(poller, nil)
  }

  @Test func reportsThatThePeerIsGone() throws {
    let poller = try Poller()
    try poller.add(ends[0], [], token: 0xFFFF_FFFF_0000_0001)
    close(ends[1])
    ends[1] = -1
    check(poller, .hangup)
  }

  @Test func refusesWhatCannotBeWatched() throws {
    let poller = try Poller()
    #expect(throws: SystemError.self) { try poller.add(-1, .read, token: 1) }
  }
}
