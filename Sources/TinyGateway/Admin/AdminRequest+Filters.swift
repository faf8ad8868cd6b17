// SPDX-License-Identifier: MIT
import Platform

/// Query parameters that choose among the items of a list.
extension AdminRequest {
  private static let searchByteCounts = 1...64

  /// Which of the texts a parameter is, counted from 0; nil when it is missing.
  func choice(_ name: StaticString, _ texts: [StaticString]) throws(AdminError) -> Int64? {
    guard let value = parameter(name) else { return nil }
    guard let index = texts.firstIndex(where: { value == $0 }) else {
      throw AdminError(
        400, "invalid_parameter",
        ByteString(name) + " must be one of " + AdminText.listed(texts) + ".")
    }
    return Int64(index)
  }

  /// A text to look for, of 1 to 64 bytes; nil when the parameter is missing.
  func searchText(_ name: StaticString) throws(AdminError) -> ByteString? {
    guard let value = parameter(name) else { return nil }
    guard AdminRequest.searchByteCounts.contains(value.count) else {
      throw AdminError(
        400, "invalid_parameter", ByteString(name) + " must have 1 to 64 bytes.")
    }
    return value
  }
}
