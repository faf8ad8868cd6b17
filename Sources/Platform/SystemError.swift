// SPDX-License-Identifier: MIT
import CPlatform

/// An errno and the call that failed.
package struct SystemError: Error, Sendable {
  /// The errno, positive.
  package let number: Int32
  /// The name of the failed call, such as `listen`.
  package let call: StaticString

  /// Makes an error from a C result: `-errno`.
  package init(result: Int32, call: StaticString) {
    number = -result
    self.call = call
  }

  /// Returns `result` when it is not negative, else throws.
  @discardableResult
  package static func check(_ result: Int32, _ call: StaticString) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(result: result, call: call) }
    return result
  }

  /// The C library's description, such as `Connection refused`.
  package var text: String { SystemError.describe(number) }

  /// The C library's description of an errno.
  package static func describe(_ number: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = bytes.withUnsafeMutableBufferPointer {
      cp_describe_error(number, $0.baseAddress, Int32($0.count))
    }
    return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
  }
}
