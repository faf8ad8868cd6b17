// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// Bytes to and from one socket, plain or TLS, with the bytes still to be sent.
///
/// Owned by one connection. It decides nothing: it sends what is queued and reports what came.
package final class ByteStream {
  /// What a read or a handshake step gave.
  package enum Outcome: Equatable {
    case bytes(Int)
    /// Nothing now; the loop will tell.
    case wait
    /// The peer has ended its direction in order.
    case ended
    /// The connection is gone or broken.
    case failed
  }

  /// Queue memory kept while nothing is queued.
  private static let keptByteCount = 2048

  package private(set) var descriptor: Int32
  private var tls: TLSStream?
  private var isHandshaking: Bool
  private var waitsToWrite = false
  /// Whether the kernel may hold input that it has reported and that was not read; with `hasEnd`
  /// also the peer's end.
  private var mayHoldInput = false
  private var hasEnd = false
  private var body: Buffer?
  private var bodyOffset = 0
  /// Bytes queued for the peer; append here, the loop sends them at the end of the turn.
  package let outgoing = Buffer()
  /// Whether sending has failed; nothing more will be sent.
  package private(set) var isBroken = false

  /// Takes a connected or connecting socket over.
  package init(descriptor: Int32, tls: TLSStream? = nil) {
    self.descriptor = descriptor
    self.tls = tls
    isHandshaking = tls != nil
  }

  deinit { close() }

  /// Whether TLS must be set up before bytes flow.
  package var needsHandshake: Bool { isHandshaking }

  /// Bytes queued and not yet taken by the kernel.
  package var queuedByteCount: Int { outgoing.count + (body?.count ?? 0) - bodyOffset }

  /// Why TLS failed, in words; empty for a plain stream.
  package var tlsErrorText: ByteString { tls?.errorText ?? .empty }

  /// What a later connection to the same host may resume.
  package func saveSession() -> TLSSession? { tls?.saveSession() }

  /// Queues bytes that stay where they are until sent, behind what is queued now.
  ///
  /// Nothing else may be queued before they are gone; small ones are copied.
  package func queue(body: Buffer) {
    if body.count <= Sizes.joinedBodyByteCount && self.body == nil {
      outgoing.append(contentsOf: body)
    } else {
      self.body = body
      bodyOffset = 0
    }
  }

  /// Starts TLS on a connected plain stream.
  package func startTLS(_ tls: TLSStream) {
    self.tls = tls
    isHandshaking = true
  }

  /// What to watch for, given whether the owner wants to read.
  ///
  /// Once a plain socket is read empty, only what comes next is to be reported: otherwise the
  /// kernel looks at the socket again after each report, which costs a request 1 %.
  package func interest(reading: Bool) -> Interest {
    if isHandshaking { return waitsToWrite ? .write : .read }
    var interest: Interest = reading ? .read : []
    if queuedByteCount > 0 || waitsToWrite {
      interest.insert(.write)
    } else if reading, !mayHoldInput, tls == nil {
      interest.insert(.edge)
    }
    return interest
  }

  /// Takes note of what the loop reports, before anything is read.
  package func noteReady(_ ready: Interest) {
    guard !ready.isDisjoint(with: [.read, .hangup]) else { return }
    mayHoldInput = true
    hasEnd = !ready.isDisjoint(with: [.end, .hangup])
  }

  /// One step of the TLS handshake; `.bytes(0)` when it is done.
  package func handshake() -> Outcome {
    guard let tls, isHandshaking else { return .bytes(0) }
    switch tls.handshake() {
    case .bytes:
      isHandshaking = false
      waitsToWrite = false
      return .bytes(0)
    case .wantRead:
      waitsToWrite = false
      return .wait
    case .wantWrite:
      waitsToWrite = true
      return .wait
    case .closed, .truncated, .failed: return .failed
    }
  }

  /// Whether decrypted bytes wait that the poller cannot see.
  package var hasPendingInput: Bool { !isHandshaking && (tls?.hasPendingInput ?? false) }

  /// Reads what has come, at most as much as fits.
  package func receive(into target: UnsafeMutableRawBufferPointer) -> Outcome {
    guard descriptor >= 0 else { return .failed }
    guard let tls else {
      let got = cp_receive(descriptor, target.baseAddress, target.count)
      // Fewer bytes than fit: there were no more (epoll(7), "Questions and answers", 9).
      if got > 0 {
        if got < target.count, !hasEnd { mayHoldInput = false }
        return .bytes(Int(got))
      }
      if got == 0 { return .ended }
      guard got == -Int64(cp_eagain) else { return .failed }
      mayHoldInput = false
      return .wait
    }
    switch tls.read(into: target) {
    case .bytes(let count): return .bytes(count)
    case .wantRead: return .wait
    case .wantWrite:
      waitsToWrite = true
      return .wait
    case .closed: return .ended
    case .truncated, .failed: return .failed
    }
  }

  /// Sends as much of the queue as the kernel takes; returns the number of bytes.
  @discardableResult
  package func flush() -> Int {
    guard !isBroken, !isHandshaking else { return 0 }
    waitsToWrite = false
    var total = 0
    while !outgoing.isEmpty {
      let sent = send(outgoing.readable)
      if sent <= 0 { return total }
      outgoing.consume(sent)
      total += sent
    }
    if outgoing.reservedByteCount > ByteStream.keptByteCount { outgoing.release() }
    while let body {
      let rest = UnsafeRawBufferPointer(rebasing: body.readable[bodyOffset...])
      if rest.isEmpty {
        self.body = nil
        bodyOffset = 0
        break
      }
      let sent = send(rest)
      if sent <= 0 { return total }
      bodyOffset += sent
      total += sent
    }
    return total
  }

  /// Sends once; 0 when the kernel takes nothing now.
  private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let tls else {
      let sent = cp_send(descriptor, bytes.baseAddress, bytes.count)
      if sent >= 0 { return Int(sent) }
      if sent != -Int64(cp_eagain) { isBroken = true }
      return 0
    }
    switch tls.write(bytes) {
    case .bytes(let count): return count
    case .wantRead: return 0
    case .wantWrite:
      waitsToWrite = true
      return 0
    case .closed, .truncated, .failed:
      isBroken = true
      return 0
    }
  }

  /// Tells the peer that nothing more will come.
  package func endOutput() {
    guard descriptor >= 0 else { return }
    _ = tls?.closeNotify()
    _ = cp_shutdown_write(descriptor)
  }

  /// Closes the socket; later calls do nothing.
  package func close() {
    guard descriptor >= 0 else { return }
    if !isBroken, !isHandshaking { _ = tls?.closeNotify() }
    _ = cp_close(descriptor)
    descriptor = -1
    outgoing.release()
    body = nil
    bodyOffset = 0
  }
}
