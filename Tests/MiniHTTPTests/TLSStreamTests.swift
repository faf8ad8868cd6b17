// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

/// Everything of TLS belongs to one thread, so its tests run one after the other.
@Suite(.serialized) enum TLSTests {}

extension TLSTests {
  @Suite(.serialized) struct TLSStreamTests {
    private static let done: TLSResult = .bytes(0)
    private static let year: Int64 = 31_556_952

    private let names: [ByteString] = ["gateway.test", "*.wild.test", "192.0.2.7", "2001:db8::7"]

    private func identity(_ notBefore: Int64 = -1, _ notAfter: Int64 = 1) throws -> TLSIdentity {
      let now = Int64(time(nil))
      return try TLSIdentity.selfSigned(
        names: names, notBefore: now + notBefore * TLSStreamTests.year,
        notAfter: now + notAfter * TLSStreamTests.year)
    }

    private func server(_ identity: TLSIdentity) throws -> TLSContext {
      try TLSContext.server(certificatePEM: identity.certificate, keyPEM: identity.key)
    }

    private func client(trusting identity: TLSIdentity) throws -> TLSContext {
      try TLSContext.client(trust: nil, extraAuthorities: identity.certificate)
    }

    /// A pair after its handshake, which must succeed.
    private func connected() throws -> TLSPair {
      let identity = try identity()
      let pair = try TLSPair(client(trusting: identity), server(identity), host: "gateway.test")
      #expect(pair.handshake() == (TLSStreamTests.done, TLSStreamTests.done))
      return pair
    }

    /// The client's handshake result and its words, for one certificate and one host.
    private func check(
      host: ByteString, identity: TLSIdentity, trusting other: TLSIdentity? = nil,
      refusedAs expected: StaticString?
    ) throws {
      let pair = try TLSPair(
        client(trusting: other ?? identity), server(identity), host: host)
      let results = pair.handshake()
      guard let expected else {
        #expect(results == (TLSStreamTests.done, TLSStreamTests.done))
        return
      }
      #expect(results.client == .failed)
      #expect(pair.client.errorText.text.contains(ByteString(expected).text))
      #expect(pair.server.read().result == .failed)
      #expect(pair.client.write([1]) == .failed)
    }

    @Test func acceptsTheNamesOfTheCertificate() throws {
      let identity = try identity()
      for host: ByteString in [
        "gateway.test", "GATEWAY.test", "gateway.test.", "a.wild.test", "192.0.2.7", "2001:db8::7",
        "2001:db8:0:0:0:0:0:7",
      ] {
        try check(host: host, identity: identity, refusedAs: nil)
      }
    }
    @Test func refusesEveryOtherName() throws {
      let identity = try identity()
      for host: ByteString in [
        "other.test", "gateway.test.evil", "wild.test", "a.b.wild.test", "192.0.2.8", "192.0.2.70",
        "2001:db8::8", "::ffff:192.0.2.7",
      ] {
        try check(host: host, identity: identity, refusedAs: "wrong host name")
      }
    }
    @Test func refusesAnUnknownIssuer() throws {
      let stranger = try TLSIdentity.selfSigned(
        names: ["stranger.test"], notBefore: 0, notAfter: 4_000_000_000)
      try check(
        host: "gateway.test", identity: identity(), trusting: stranger,
        refusedAs: "unknown issuer (CN=gateway.test)")
    }
    @Test func refusesTheSameNameWithAnotherKey() throws {
      try check(
        host: "gateway.test", identity: identity(), trusting: identity(),
        refusedAs: "certificate refused: unknown issuer")
    }
    @Test func refusesAnExpiredCertificate() throws {
      try check(host: "gateway.test", identity: identity(-9, -4), refusedAs: "expired (20")
    }
    @Test func refusesACertificateOfTheFuture() throws {
      try check(host: "gateway.test", identity: identity(2, 3), refusedAs: "not yet valid (20")
    }
    @Test func refusesHostsThatCannotBeChecked() throws {
      let context = try client(trusting: identity())
      for host: ByteString? in [nil, "", ".", "a b", "a\nb", ByteString(longName)] {
        #expect(throws: TLSError.self) {
          try TLSStream(context: context, descriptor: -1, host: host, resuming: nil)
        }
      }
    }

    private var longName: [UInt8] { [UInt8](repeating: 0x61, count: 254) }

    @Test func carriesBytesBothWays() throws {
      let pair = try connected()
      #expect(pair.client.write(Array("ping".utf8)) == .bytes(4))
      #expect(pair.server.read().bytes == Array("ping".utf8))
      #expect(pair.server.write(Array("pong".utf8)) == .bytes(4))
      #expect(pair.client.read().bytes == Array("pong".utf8))
      #expect(pair.client.read().result == .wantRead)
      #expect(!pair.client.hasPendingInput)
    }

    @Test func readsAllRecordsThatAreThere() throws {
      let pair = try connected()
      for byte: UInt8 in 1...8 { #expect(pair.server.write([byte]) == .bytes(1)) }
      #expect(pair.client.read().bytes == Array(1...8))
    }

    @Test func tellsOfBytesBehindAFullBuffer() throws {
      let pair = try connected()
      #expect(pair.server.write(Array(1...9)) == .bytes(9))
      #expect(pair.client.read(4).bytes == [1, 2, 3, 4])
      #expect(pair.client.hasPendingInput)
      #expect(pair.client.read(4).bytes == [5, 6, 7, 8])
      #expect(pair.client.read(4).bytes == [9])
      #expect(!pair.client.hasPendingInput)
    }

    /// The writer's queue grows while the socket is full, as an outgoing buffer does.
    @Test func keepsOrderOverCutWrites() throws {
      let pair = try connected()
      let message = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
      var sent = 0
      var visible = 1
      var received: [UInt8] = []
      var waits = 0
      while received.count < message.count {
        visible = min(message.count, max(visible, sent) + 7001)
        switch pair.client.write(Array(message[sent..<visible])) {
        case .bytes(let count): sent += count
        case .wantWrite: waits += 1
        default:
          Issue.record("write failed: \(pair.client.errorText.text)")
          return
        }
        received += pair.server.read(5000).bytes
      }
      #expect(received == message)
      #expect(waits > 0)
    }

    @Test func seesCloseNotifyBehindTheLastBytes() throws {
      let pair = try connected()
      #expect(pair.server.write([1, 2]) == .bytes(2))
      #expect(pair.server.closeNotify() == .bytes(0))
      let first = pair.client.read()
      #expect(first.bytes == [1, 2])
      #expect(pair.client.hasPendingInput)
      #expect(pair.client.read().result == .closed)
      #expect(pair.client.read().result == .closed)
      #expect(!pair.client.hasPendingInput)
      #expect(pair.client.errorText == "")
    }
    @Test func seesAnEndWithoutCloseNotify() throws {
      let pair = try connected()
      #expect(pair.server.write([1, 2]) == .bytes(2))
      pair.closeSocket(1)
      #expect(pair.client.read().bytes == [1, 2])
      #expect(pair.client.read().result == .truncated)
      #expect(pair.client.errorText == "the connection ended without close_notify")
    }
    @Test func seesAnEndDuringTheHandshake() throws {
      let identity = try identity()
      let pair = try TLSPair(client(trusting: identity), server(identity), host: "gateway.test")
      #expect(pair.client.handshake() == .wantRead)
      pair.closeSocket(1)
      #expect(pair.client.handshake() != .bytes(0))
      #expect(pair.client.errorText.text.contains("peer"))
    }
    @Test func refusesPlainTextOnATLSPort() throws {
      let context = try server(identity())
      let sockets = TLSPair.socketPair()
      defer { for socket in sockets { close(socket) } }
      let stream = try TLSStream(context: context, descriptor: sockets[1], host: nil, resuming: nil)
      let text = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      #expect(write(sockets[0], text, text.count) == text.count)
      #expect(stream.handshake() == .failed)
      #expect(stream.errorText == "the peer does not speak TLS here")
    }

    @Test func resumesASession() throws {
      let identity = try identity()
      let contexts = (client: try client(trusting: identity), server: try server(identity))
      var session: TLSSession?
      for round in 0..<3 {
        let pair = try TLSPair(
          contexts.client, contexts.server, host: "gateway.test", resuming: session)
        #expect(pair.handshake() == (TLSStreamTests.done, TLSStreamTests.done))
        #expect(pair.client.isResumed == (round > 0))
        #expect(pair.server.write([7]) == .bytes(1))
        #expect(pair.client.read().bytes == [7])
        session = pair.client.saveSession()
        #expect(session != nil)
      }
    }
    @Test func fallsBackWhenTheServerForgot() throws {
      let identity = try identity()
      let context = try client(trusting: identity)
      let first = try TLSPair(context, server(identity), host: "gateway.test")
      #expect(first.handshake() == (TLSStreamTests.done, TLSStreamTests.done))
      #expect(first.server.write([7]) == .bytes(1))
      #expect(first.client.read().bytes == [7])
      let second = try TLSPair(
        context, server(identity), host: "gateway.test", resuming: first.client.saveSession())
      #expect(second.handshake() == (TLSStreamTests.done, TLSStreamTests.done))
      #expect(!second.client.isResumed)
    }
    @Test func outlivesItsContext() throws {
      let identity = try identity()
      var context: TLSContext? = try server(identity)
      let pair = try context.map {
        try TLSPair(client(trusting: identity), $0, host: "gateway.test")
      }
      context = nil
      #expect(pair?.handshake().client == TLSStreamTests.done)
    }
  }
}
