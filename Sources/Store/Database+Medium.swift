// SPDX-License-Identifier: MIT
import CSQLite
import Platform

/// Opening, also where the medium takes no writes: then a layer in memory stands in for it.
extension Database {
  /// Opens the file, or where `mediumFailure` says why not, what stands in for it.
  func open() throws(StoreError) {
    var opened: OpaquePointer?
    let isOverlay = mediumFailure != nil
    let result = path.withCString {
      isOverlay ? cs_open_overlay($0, &opened) : cs_open($0, &opened)
    }
    raw = opened
    if result != CS_OK { throw error(result) }
    try configure(settings)
    // Usage would seem to be written, and be lost with the layer.
    if isOverlay { try execute("PRAGMA query_only=ON") }
  }

  /// Tries to open the file in the place of what stands in for it; true when that is done now.
  ///
  /// Nobody else can have changed the file: what stands in holds a lock on it.
  @discardableResult
  func returnToMedium() -> Bool {
    guard mediumFailure != nil else { return false }
    if let present = Database.writingFailure(near: path) {
      mediumFailure = present
      return false
    }
    release()
    mediumFailure = nil
    do throws(StoreError) {
      try open()
      return true
    } catch {
      release()
      mediumFailure = error
      do throws(StoreError) { try open() } catch {}
      return false
    }
  }

  /// Why a file beside a database cannot be written; nil when it can.
  static func writingFailure(near path: ByteString) -> StoreError? {
    let result = (path + "-try").withCString { cs_try_writing($0) }
    if result == 0 { return nil }
    let failure = StoreError(opening: path, errorNumber: -result)
    return StoreError(failure.kind == .other ? .ioError : failure.kind, message: failure.message)
  }

  /// Makes an empty file of mode 0600, or gives an existing one that mode; whether it was made.
  static func prepareFile(_ path: ByteString) throws(StoreError) -> Bool {
    let prepared = path.withCString { cs_prepare_file($0) }
    if prepared < 0 { throw StoreError(opening: path, errorNumber: -prepared) }
    return prepared == 1
  }
}

extension StoreError {
  /// A file that could not be made or opened, in the system's words.
  fileprivate init(opening path: ByteString, errorNumber: Int32) {
    let text = Buffer()
    text.append("cannot open ")
    text.append(path)
    text.append(": ")
    text.append(text: SystemError.describe(errorNumber))
    let isReadOnly = cs_is_read_only(errorNumber) != 0
    let kind: Kind =
      isReadOnly ? .readOnly : cs_is_full(errorNumber) != 0 ? .full : .other
    let message = text.byteString
    switch kind {
    case .full: text.append("; free some space")
    case .readOnly: text.append("; give it and its folder to this user with chown, or mount it rw")
    default: text.append("; its folder must exist, and it must be a file")
    }
    self.init(kind, message: message, sentence: text.byteString)
  }
}
