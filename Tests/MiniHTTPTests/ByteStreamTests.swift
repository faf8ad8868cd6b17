// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

/// A stream over one end of a pair of sockets with small buffers.
final class ByteStreamTests {
  private let stream: ByteStream
  private var peer: Int32

  init() {
    let pair = TLSPair.socketPair()
    stream = ByteStream(descriptor: pair[0])
    peer = pair[1]
  }

  deinit { if peer >= 0 { close(peer) } }

  /// What has come to the other end.
  private func receive() -> [UInt8] {
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(peer, &bytes, bytes.count)
      if count <= 0 { return all }
      all += bytes[..<count]
    }
  }

  private func receiveAll() -> [UInt8] {
    var all: [UInt8] = []
    while stream.queuedByteCount > 0, !stream.isBroken {
      stream.flush()
      all += receive()
    }
    return all + receive()
  }

  private func makeBody(_ count: Int) -> Buffer {
    let body = Buffer()
    for index in 0..<count { body.append(UInt8(truncatingIfNeeded: index)) }
    return body
  }

  @Test func sendsWhatIsQueued() {
    stream.outgoing.append("hello")
    #expect(stream.queuedByteCount == 5)
    #expect(stream.interest(reading: true) == [.read, .write])
    #expect(stream.flush() == 5)
    #expect(stream.queuedByteCount == 0)
    #expect(stream.interest(reading: true) == [.read, .edge])
    #expect(stream.interest(reading: false) == [])
    #expect(receive() == [UInt8]("hello".utf8))
  }

  @Test func sendsBodiesBehindTheirHeads() {
    for count in [0, 1, Sizes.joinedBodyByteCount, Sizes.joinedBodyByteCount + 1, 500_000] {
      let body = makeBody(count)
      stream.outgoing.append("head")
      stream.queue(body: body)
      #expect(stream.queuedByteCount == 4 + count)
      #expect(receiveAll() == [UInt8]("head".utf8) + body.byteString.bytes)
      #expect(stream.queuedByteCount == 0)
    }
  }

  @Test func givesItsMemoryBack() {
    stream.outgoing.append(makeBody(100_000).byteString)
    _ = receiveAll()
    #expect(stream.outgoing.reservedByteCount == 0)
    stream.outgoing.append("small")
    _ = receiveAll()
    #expect(stream.outgoing.reservedByteCount > 0)
  }

  @Test func readsWhatCame() {
    var target = [UInt8](repeating: 0, count: 4)
    func receive() -> ByteStream.Outcome {
      target.withUnsafeMutableBytes { stream.receive(into: $0) }
    }
    #expect(receive() == .wait)
    #expect(write(peer, "abcdef", 6) == 6)
    #expect(receive() == .bytes(4))
    #expect(receive() == .bytes(2))
    #expect(target == [UInt8]("efcd".utf8))
    close(peer)
    peer = -1
    #expect(receive() == .ended)
  }

  @Test func asksAgainWhileInputMayBeLeft() {
    var target = [UInt8](repeating: 0, count: 4)
    func receive() -> ByteStream.Outcome {
      target.withUnsafeMutableBytes { stream.receive(into: $0) }
    }
    #expect(write(peer, "abcdef", 6) == 6)
    stream.noteReady(.read)
    #expect(stream.interest(reading: true) == .read)
    #expect(receive() == .bytes(4))
    #expect(stream.interest(reading: true) == .read)
    #expect(receive() == .bytes(2))
    #expect(stream.interest(reading: true) == [.read, .edge])
    stream.noteReady(.write)
    #expect(stream.interest(reading: true) == [.read, .edge])
    // As many bytes as fit: whether more are there shows the next call.
    #expect(write(peer, "abcd", 4) == 4)
    stream.noteReady(.read)
    #expect(receive() == .bytes(4))
    #expect(stream.interest(reading: true) == .read)
    #expect(receive() == .wait)
    #expect(stream.interest(reading: true) == [.read, .edge])
  }

  @Test func asksAgainForAnEndThatWasReportedWithBytes() {
    var target = [UInt8](repeating: 0, count: 4)
    func receive() -> ByteStream.Outcome {
      target.withUnsafeMutableBytes { stream.receive(into: $0) }
    }
    #expect(write(peer, "ab", 2) == 2)
    #expect(shutdown(peer, Int32(SHUT_WR)) == 0)
    stream.noteReady([.read, .end])
    #expect(receive() == .bytes(2))
    #expect(stream.interest(reading: true) == .read)
    stream.noteReady([.read, .end])
    #expect(receive() == .ended)
  }

  @Test func noticesThatThePeerIsGone() {
    close(peer)
    peer = -1
    stream.outgoing.append("x")
    stream.flush()
    #expect(stream.isBroken)
    #expect(stream.flush() == 0)
  }

  @Test func endsItsOutputOnly() {
    stream.endOutput()
    var byte: UInt8 = 0
    #expect(read(peer, &byte, 1) == 0)
    #expect(write(peer, "x", 1) == 1)
    let outcome = withUnsafeMutableBytes(of: &byte) { stream.receive(into: $0) }
    #expect(outcome == .bytes(1))
  }

  @Test func closesOnce() {
    stream.outgoing.append("x")
    stream.queue(body: makeBody(20_000))
    stream.close()
    stream.close()
    stream.endOutput()
    #expect(stream.descriptor == -1)
    #expect(stream.queuedByteCount == 0)
    var byte: UInt8 = 0
    #expect(withUnsafeMutableBytes(of: &byte) { stream.receive(into: $0) } == .failed)
    #expect(read(peer, &byte, 1) == 0)
  }

  @Test func isPlainUnlessToldOtherwise() {
    #expect(!stream.needsHandshake)
    #expect(stream.handshake() == .bytes(0))
    #expect(!stream.hasPendingInput)
    #expect(stream.tlsErrorText.isEmpty)
    #expect(stream.saveSession() == nil)
  }
}
