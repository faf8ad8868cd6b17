// SPDX-License-Identifier: MIT
import CPlatform

/// A file that is read or written in pieces.
///
/// One thread at a time uses it: a worker while a job runs, the loop before and afterwards; that
/// is why `@unchecked` holds. Its calls wait for the disk. Closes itself.
package final class OpenFile: @unchecked Sendable {
  private var descriptor: Int32

  /// Opens a file for reading.
  package init(reading path: ByteString) throws(SystemError) {
    descriptor = try SystemError.check(
      path.withCString { cp_open($0, Int32(CP_READ), 0) }, "open")
  }

  /// Makes a file of mode 0600 where none is.
  package init(making path: ByteString) throws(SystemError) {
    descriptor = try SystemError.check(
      path.withCString { cp_open($0, Int32(CP_WRITE_NEW), 0o600) }, "open")
  }

  deinit { close() }

  /// Closes it; what has no name any more goes now, which takes time.
  package func close() {
    if descriptor >= 0 { _ = cp_close(descriptor) }
    descriptor = -1
  }

  /// The next bytes, at most `limit` of them; none at the end.
  package func read(atMost limit: Int) throws(SystemError) -> ByteString {
    var result: Int64 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { target, count in
      result = cp_read(descriptor, target.baseAddress, limit)
      count = max(0, Int(result))
    }
    if result < 0 { throw SystemError(result: Int32(result), call: "read") }
    return ByteString(bytes)
  }

  /// Writes all the bytes.
  package func write(_ bytes: ByteString) throws(SystemError) {
    var result: Int64 = 0
    bytes.withBytes { raw in
      guard let start = raw.baseAddress else { return }
      var written = 0
      while written < raw.count {
        result = cp_write(descriptor, start + written, raw.count - written)
        if result <= 0 { return }
        written += Int(result)
      }
    }
    if result < 0 { throw SystemError(result: Int32(result), call: "write") }
  }

  /// Bytes that may still be written to the file system of a path; nil when it does not say.
  package static func freeByteCount(near path: ByteString) -> Int64? {
    let count = File.directory(of: path).withCString { cp_free_bytes($0) }
    return count < 0 ? nil : count
  }
}
