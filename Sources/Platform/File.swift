// SPDX-License-Identifier: MIT
import CPlatform

/// Small whole files: configuration, certificates, secrets.
package enum File {
  /// Reads a file of at most `limit` bytes.
  ///
  /// Throws `EFBIG` (27) above the limit.
  package static func read(_ path: ByteString, limit: Int) throws(SystemError) -> ByteString {
    let descriptor = try SystemError.check(
      path.withCString { cp_open($0, Int32(CP_READ), 0) }, "open")
    defer { _ = cp_close(descriptor) }
    let content = Buffer()
    while true {
      let got = content.appendUsing(minimum: 4096) {
        Int(cp_read(descriptor, $0.baseAddress, $0.count))
      }
      if got < 0 { throw SystemError(result: Int32(got), call: "read") }
      if got == 0 { return content.byteString }
      if content.count > limit { throw SystemError(result: -27, call: "read") }
    }
  }

  /// Writes a file so that after a power cut it has either the old or the new content.
  package static func writeDurably(
    _ content: ByteString, to path: ByteString, mode: Int32 = 0o600
  ) throws(SystemError) {
    let temporary = path + ByteString(".new")
    let descriptor = try SystemError.check(
      temporary.withCString { cp_open($0, Int32(CP_WRITE_REPLACE), mode) }, "open")
    var status: Int32 = 0
    content.withBytes { raw in
      var written = 0
      while written < raw.count && status >= 0 {
        guard let base = raw.baseAddress else { return }
        let put = cp_write(descriptor, base + written, raw.count - written)
        if put <= 0 { status = put < 0 ? Int32(put) : -5 } else { written += Int(put) }
      }
    }
    if status >= 0 { status = cp_sync(descriptor) }
    _ = cp_close(descriptor)
    try SystemError.check(status, "write")
    try SystemError.check(
      temporary.withCString { from in path.withCString { to in cp_rename(from, to) } }, "rename")
    _ = directory(of: path).withCString { cp_sync_directory($0) }
  }

  /// Waits until the medium has a file that is complete.
  package static func sync(_ path: ByteString) throws(SystemError) {
    let descriptor = try SystemError.check(
      path.withCString { cp_open($0, Int32(CP_APPEND), 0o600) }, "open")
    defer { _ = cp_close(descriptor) }
    try SystemError.check(cp_sync(descriptor), "fsync")
    _ = directory(of: path).withCString { cp_sync_directory($0) }
  }

  /// Whether something readable is at the path.
  package static func exists(_ path: ByteString) -> Bool {
    path.withCString { cp_file_size($0) } >= 0
  }

  /// Names in a folder that begin with `prefix`, in no order; none without a folder.
  ///
  /// Those beyond 64 kB of names are left out.
  package static func names(in folder: ByteString, prefix: ByteString) -> [ByteString] {
    let capacity = 64 << 10
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
      let used = folder.withCString { folder in
        prefix.withCString { cp_list_names(folder, $0, target.baseAddress, Int64(capacity)) }
      }
      count = max(0, Int(used))
    }
    return ByteString(bytes).list(separatedBy: 0)
  }

  /// The folder of a path, `.` for a bare name.
  package static func directory(of path: ByteString) -> ByteString {
    guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : ByteString(Array(path.bytes[..<slash]))
  }
}
