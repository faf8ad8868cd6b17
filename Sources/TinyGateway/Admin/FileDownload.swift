// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// Sends a file to a client, a piece at a time: one is read only when the client has taken those
/// before it.
final class FileDownload {
  /// Bytes of one piece.
  static let pieceByteCount = 64 * 1024

  /// What the worker leaves for the loop.
  private final class Box {
    var piece: ByteString?
  }

  private let file: OpenFile
  private let responder: Responder
  private let gateway: Gateway
  private var done: (() -> Void)?
  private var remaining: Int64
  private var isReading = false

  /// Prepares to send `byteCount` bytes of the file through an answer that has begun.
  ///
  /// `done`: called once, when all is sent or never will be.
  init(
    _ file: OpenFile, byteCount: Int64, to responder: Responder, gateway: Gateway,
    done: @escaping () -> Void
  ) {
    self.file = file
    self.responder = responder
    self.gateway = gateway
    self.done = done
    remaining = byteCount
  }

  /// Reads the next piece, unless one is on its way.
  func goOn() {
    guard done != nil, !isReading else { return }
    guard remaining > 0 else {
      responder.end()
      return finish()
    }
    isReading = true
    let (box, file) = (Box(), file)
    let job = Job(
      work: {
        do throws(SystemError) {
          box.piece = try file.read(atMost: FileDownload.pieceByteCount)
        } catch { box.piece = nil }
      },
      completion: { [self] in arrived(box.piece) })
    do throws(SystemError) {
      try gateway.fileWorker.submit(job)
    } catch { breakOff() }
  }

  /// The client is gone.
  func cancel() { finish() }

  private func arrived(_ piece: ByteString?) {
    isReading = false
    guard done != nil else { return }
    guard let piece, !piece.isEmpty, Int64(piece.count) <= remaining else { return breakOff() }
    remaining -= Int64(piece.count)
    piece.withBytes { responder.write($0) }
    let isFull = responder.queuedByteCount >= gateway.configuration.httpLimits.queuedByteCount
    if remaining == 0 || !isFull { goOn() }
  }

  /// The disk fails in the middle: the client must see that the file is not whole.
  private func breakOff() {
    gateway.log.error("a backup could not be read back from the disk")
    responder.abort()
    finish()
  }

  private func finish() {
    guard let done else { return }
    self.done = nil
    let file = file
    // The file has no name any more: its end frees its blocks.
    do throws(SystemError) {
      try gateway.fileWorker.submit(Job(work: { file.close() }, completion: {}))
    } catch { file.close() }
    done()
  }
}
