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
    _ = try write(content, to: path, mode, replacing: nil)
  }

  /// Writes as `writeDurably` does and keeps the file's owner and mode, and a symbolic link, whose
  /// target is written.
  ///
  /// False when the file does not hold `old`, or nothing where none is: it is left alone then.
  package static func replaceDurably(
    _ old: ByteString, with new: ByteString, at path: ByteString
  ) throws(SystemError) -> Bool {
    try write(new, to: target(of: path), 0o600, replacing: old)
  }

  private static func write(
    _ content: ByteString, to path: ByteString, _ mode: Int32, replacing old: ByteString?
  ) throws(SystemError) -> Bool {
    let temporary = path + ".new"
    defer { _ = temporary.withCString { cp_remove($0) } }
    let isThere = old != nil && exists(path)
    try write(content, mode, toTemporary: temporary, like: isThere ? path : nil)
    if let old {
      let now = isThere ? try read(path, limit: old.count + 4096) : .empty
      guard now == old else { return false }
    }
    try SystemError.check(
      temporary.withCString { from in path.withCString { to in cp_rename(from, to) } }, "rename")
    _ = directory(of: path).withCString { cp_sync_directory($0) }
    return true
  }

  /// Writes a file to the medium, with owner and mode of another one.
  private static func write(
    _ content: ByteString, _ mode: Int32, toTemporary path: ByteString, like other: ByteString?
  ) throws(SystemError) {
    let descriptor = try SystemError.check(
      path.withCString { cp_open($0, Int32(CP_WRITE_REPLACE), mode) }, "open")
    defer { _ = cp_close(descriptor) }
    var status: Int32 = 0
    content.withBytes { raw in
      var written = 0
      while written < raw.count && status >= 0 {
        guard let base = raw.baseAddress else { return }
        let put = cp_write(descriptor, base + written, raw.count - written)
        if put <= 0 { status = put < 0 ? Int32(put) : -5 } else { written += Int(put) }
      }
    }
    if status >= 0, let other { status = other.withCString { cp_take_owner(descriptor, $0) } }
    if status >= 0 { status = cp_sync(descriptor) }
    try SystemError.check(status, "write")
  }

  /// Where the symbolic links at the end of a path lead to.
  private static func target(of path: ByteString) -> ByteString {
    var path = path
    for _ in 0..<8 {
      let capacity = 4096
      let link = ByteString(
        [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
          let used = path.withCString { cp_read_link($0, target.baseAddress, Int64(capacity)) }
          count = max(0, Int(used))
        })
      guard !link.isEmpty else { break }
      path = link[0] == UInt8(ascii: "/") ? link : directory(of: path) + "/" + link
    }
    return path
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
