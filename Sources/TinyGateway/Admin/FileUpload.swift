// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// Takes a request's body as it arrives, in the place of `AdminBody`.
protocol AdminUpload: AnyObject {
  /// Whether more of the body may be read now.
  var acceptsBody: Bool { get }
  func received(_ bytes: Span<UInt8>)
  /// The body is complete: answers, now or later.
  func bodyEnded()
  /// The client is gone, before or after the end of the body.
  func cancelled()
}

/// Writes a body to a new file; little of it is in memory at any time.
final class FileUpload {
  /// Bytes that may wait for the disk.
  private static let waitingByteCount = 128 * 1024

  /// What the worker leaves for the loop.
  private final class Box {
    var file: OpenFile?
    var failure: StoreError?
  }

  private let path: ByteString
  private let byteLimit: Int64
  private let worker: Worker
  private let resume: () -> Void
  private var done: ((StoreError?) -> Void)?
  private var byteCount: Int64 = 0
  private var waiting = Buffer()
  private var file: OpenFile?
  private var isWriting = false
  private var hasEnded = false

  /// Begins the file, which replaces what is at the path.
  ///
  /// `announced`: the body's length, nil when it is not known: there must be room for it.
  /// `resume`: called when `acceptsBody` may be true again.
  /// `done`: called once, with what went wrong; nil when the file has the whole body. It is the
  /// caller's then; it is removed otherwise.
  init(
    to path: ByteString, announced: Int64?, byteLimit: Int64, worker: Worker,
    resume: @escaping () -> Void, done: @escaping (StoreError?) -> Void
  ) {
    self.path = path
    self.byteLimit = byteLimit
    self.worker = worker
    self.resume = resume
    self.done = done
    run { () throws(StoreError) -> OpenFile? in
      BackupFiles.remove(path)
      try BackupFiles.requireRoom(for: announced ?? 0, near: path)
      return try FileUpload.translating { () throws(SystemError) in
        try OpenFile(making: path)
      }
    }
  }

  var acceptsBody: Bool { waiting.count < FileUpload.waitingByteCount }

  func received(_ bytes: Span<UInt8>) {
    guard done != nil else { return }
    byteCount += Int64(bytes.count)
    guard byteCount <= byteLimit else { return finish(FileUpload.tooLarge) }
    waiting.append(bytes)
    goOn()
  }

  func bodyEnded() {
    hasEnded = true
    goOn()
  }

  /// Gives up; `done` is not called any more.
  func cancel() {
    guard done != nil else { return }
    done = nil
    discard()
  }

  private static let tooLarge = StoreError(.constraint, message: "too large")

  /// Writes what waits, or ends.
  private func goOn() {
    guard done != nil, !isWriting, let file else { return }
    if !waiting.isEmpty {
      let bytes = waiting.byteString
      waiting.clear()
      return run { () throws(StoreError) -> OpenFile? in
        try FileUpload.translating { () throws(SystemError) in try file.write(bytes) }
        return file
      }
    }
    if hasEnded { finish(nil) }
  }

  /// Runs a step on the worker; it gives the file with which to go on.
  private func run(_ step: @escaping () throws(StoreError) -> OpenFile?) {
    isWriting = true
    let box = Box()
    let job = Job(
      work: {
        do throws(StoreError) {
          box.file = try step()
        } catch { box.failure = error }
      },
      completion: { [self] in
        isWriting = false
        file = box.file
        guard done != nil else { return }
        if let failure = box.failure { return finish(failure) }
        goOn()
        resume()
      })
    do throws(SystemError) {
      try worker.submit(job)
    } catch { finish(FileUpload.translated(error)) }
  }

  private func finish(_ failure: StoreError?) {
    let done = done
    self.done = nil
    if failure != nil { discard() }
    (file, waiting) = (nil, Buffer())
    done?(failure)
  }

  /// Removes the file, after the step under way.
  private func discard() { BackupFiles.discard(path, closing: file, on: worker) }

  private static func translating<R>(
    _ body: () throws(SystemError) -> R
  ) throws(StoreError) -> R {
    do throws(SystemError) { return try body() } catch { throw translated(error) }
  }

  private static func translated(_ error: SystemError) -> StoreError {
    StoreError(
      error.number == cp_enospc ? .full : .ioError, message: ByteString(utf8: error.text))
  }
}
